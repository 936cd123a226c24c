// A network learns one body after another; what it says of each direction is where three.js draws the vertex.
import * as engram from 'engram';
import { color, mix, positionLocal, smoothstep } from 'three/tsl';
import * as THREE from 'three/webgpu';
import type { Stage } from '../stage.ts';

type Radius = (x: number, y: number, z: number) => number;
/** Bodies by how far their surface is in a direction. */
const bodies: readonly Radius[] = [
  (x, y, z) => 0.85 / (Math.abs(x) ** 5 + Math.abs(y) ** 5 + Math.abs(z) ** 5) ** 0.2,
  (x, y, z) => 0.9 + 0.3 * Math.cos(5 * Math.atan2(z, x)) * (1 - y * y) ** 2,
  (x, y, z) => 0.55 + 0.7 * (x ** 4 + y ** 4 + z ** 4) ** 2,
  (x, y, z) => 1 + 0.7 * Math.sin(5 * x) * Math.sin(5 * y) * Math.sin(5 * z),
];
const FRAMES_EACH = 240;

class Sine extends engram.Module {
  forward(x: engram.Tensor): engram.Tensor {
    return x.mul(2).sin();
  }
}

export async function run(canvas: HTMLCanvasElement, { adapter, frames, told, atEnd }: Stage): Promise<void> {
  const device = await adapter.requestDevice(engram.deviceRequirements(adapter));
  const engine = engram.Engine.from(device);
  atEnd(() => engine.destroy().then(() => device.destroy()));
  const renderer = new THREE.WebGPURenderer({ canvas, device, antialias: true });
  atEnd(() => renderer.dispose());
  await renderer.init();
  renderer.setSize(canvas.width, canvas.height, false);

  const geometry = new THREE.SphereGeometry(1, 64, 44);
  const vertices = geometry.getAttribute('position');
  const shade = smoothstep(0.6, 1.25, positionLocal.length());
  const material = new THREE.MeshStandardNodeMaterial({ roughness: 0.45, flatShading: true });
  material.colorNode = mix(color(0x2447c9), color(0xff9d4d), shade);
  const mesh = new THREE.Mesh(geometry, material);
  mesh.frustumCulled = false;
  const sun = new THREE.DirectionalLight(0xffffff, 2.5);
  sun.position.set(2, 3, 4);
  const scene = new THREE.Scene().add(mesh, sun, new THREE.HemisphereLight(0xbfd4ff, 0x30203a, 1.6));
  scene.background = new THREE.Color(0x0b0d12);
  const camera = new THREE.PerspectiveCamera(40, canvas.width / canvas.height, 0.1, 20);
  camera.position.z = 4;

  // The sphere's vertices are the directions that the network is asked for.
  const directions = engine.tensor(vertices.array as Float32Array<ArrayBuffer>, [vertices.count, 3]);
  const at = Array.from(
    { length: vertices.count },
    (_, i) => [vertices.getX(i), vertices.getY(i), vertices.getZ(i)] as const,
  );
  const wanted = bodies.map((radius) => engine.tensor(at.map((direction) => [radius(...direction)])));
  const layer = (from: number, to: number) => new engram.Linear(engine, from, to);
  const model = new engram.Sequential(
    engine,
    layer(3, 48),
    new Sine(engine),
    layer(48, 48),
    new Sine(engine),
    layer(48, 1),
  );
  const optimizer = new engram.Adam(model, { lr: 3e-3 });
  const step = engram.capture(engine, (x: engram.Tensor, y: engram.Tensor) => {
    const radius = model.forward(x).add(1); // a sphere at first
    const loss = radius.sub(y).square().mean();
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return { loss, positions: x.mul(radius.detach()) };
  });
  for (let i = 0; i < 2; i++) step(directions, wanted[0]!); // runs it, then records it
  await engine.flush(); // until its kernels are compiled
  renderer.render(scene, camera); // makes the buffers of the geometry
  // Where three.js has the vertices; its types do not tell.
  const backend = renderer.backend as unknown as { get(attribute: object): { buffer: GPUBuffer } };
  const { buffer } = backend.get(vertices);

  let frame = 0;
  for await (const seconds of frames) {
    const body = wanted[Math.floor(frame++ / FRAMES_EACH) % wanted.length]!;
    const encoder = device.createCommandEncoder();
    const { loss, positions } = engram.encode(step, encoder, directions, body);
    engram.copyTo(positions, encoder, buffer); // on the GPU, to where three.js has its vertices
    device.queue.submit([encoder.finish()]);
    engram.submitted(engine);
    mesh.rotation.set(0.4 * Math.sin(0.3 * seconds), 0.4 * seconds, 0);
    renderer.render(scene, camera);
    told(await loss.item());
  }
}
