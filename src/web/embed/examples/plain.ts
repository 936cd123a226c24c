// Flow matching (arXiv 2210.02747): a network learns the way from anywhere to a heart, and an app's particles ask it for theirs.
import * as engram from 'engram';
import type { Stage } from '../stage.ts';

const [PAIRS, PARTICLES] = [1024, 4096];
const code = /* wgsl */ `
  @group(0) @binding(0) var<storage, read_write> particles: array<vec4f>; // x, y, time, distance from the middle
  @group(0) @binding(1) var<storage, read_write> places: array<vec4f>; // likewise
  @group(0) @binding(2) var<storage, read_write> ways: array<vec2f>;
  @group(0) @binding(3) var<storage, read> steered: array<vec2f>;
  fn random(i: u32, salt: u32) -> f32 {
    let state = (bitcast<u32>(particles[i].x + particles[i].z) + i * 4u + salt) * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return f32(((word >> 22u) ^ word) >> 8u) / 16777216.0;
  }
  @compute @workgroup_size(64) fn simulate(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    let time = random(i, 0u);
    let anywhere = 4.0 * vec2f(random(i, 1u), random(i, 2u)) - 2.0;
    if (i < arrayLength(&ways)) { // what there is to learn: a place on the way to the heart, and where it leads
      let turn = 6.2832 * random(i, 3u);
      let across = dot(vec2f(1.2, -0.4), sin(turn * vec2f(1.0, 3.0)));
      let end = vec2f(across, 0.2 + dot(vec4f(1.3, -0.5, -0.2, -0.1), cos(turn * vec4f(1.0, 2.0, 3.0, 4.0))));
      places[i] = vec4f(mix(anywhere, end, time), time, length(mix(anywhere, end, time)));
      ways[i] = end - anywhere;
    }
    var next = particles[i].xyz + 0.012 * vec3f(steered[i], 1.0);
    if (next.z > 1.0) { next = vec3f(anywhere, 0.0); }
    particles[i] = vec4f(next, length(next.xy));
  }
  @vertex fn speck(@location(0) particle: vec4f, @builtin(vertex_index) corner: u32) -> @builtin(position) vec4f {
    let shift = vec2f(f32(corner) - 1.0, 1.7 * f32(corner & 1u) - 0.6);
    return vec4f(0.42 * particle.xy + 0.012 * shift, 0.99 * particle.z, 1.0);
  }
  @fragment fn light(@builtin(position) at: vec4f) -> @location(0) vec4f {
    return vec4f(mix(vec3f(0.05, 0.12, 0.4), vec3f(1.0, 0.5, 0.2), pow(at.z, 3.0)), 1.0);
  }`;

export async function run(canvas: HTMLCanvasElement, { adapter, frames, told, atEnd }: Stage): Promise<void> {
  const device = await adapter.requestDevice(engram.deviceRequirements(adapter)); // joined with the app's own wants
  const engine = engram.Engine.from(device);
  atEnd(() => engine.destroy().then(() => device.destroy()));

  // The app's buffers, and the same ones as tensors.
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.VERTEX | GPUBufferUsage.COPY_DST;
  const make = (size: number) => device.createBuffer({ size, usage });
  const [particles, places, ways] = [make(16 * PARTICLES), make(16 * PAIRS), make(8 * PAIRS)];
  device.queue.writeBuffer(particles, 0, Float32Array.from({ length: 4 * PARTICLES }, Math.random));
  const swarm = engram.wrap(engine, particles, { shape: [PARTICLES, 4] });
  const [x, y] = [engram.wrap(engine, places, { shape: [PAIRS, 4] }), engram.wrap(engine, ways, { shape: [PAIRS, 2] })];

  const layer = (from: number, to: number) => new engram.Linear(engine, from, to);
  const [first, second, third] = [layer(4, 48), layer(48, 48), layer(48, 2)];
  const wayFrom = (at: engram.Tensor) => third.forward(second.forward(first.forward(at).silu()).silu());
  const optimizer = new engram.Adam(new engram.Sequential(engine, first, second, third), { lr: 1e-2 });
  const step = engram.capture(engine, (at: engram.Tensor, way: engram.Tensor, asking: engram.Tensor) => {
    const loss = wayFrom(at).sub(way).square().mean();
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return { loss, answer: engram.noGrad(engine, () => wayFrom(asking)) };
  });
  step(x, y, swarm); // runs it
  const { answer } = step(x, y, swarm); // records it: after every replay its results are where they are now
  await engine.flush(); // until its kernels are compiled
  using steered = engram.borrow(answer); // a tensor as a buffer for the app's shaders

  const [context, format] = [canvas.getContext('webgpu')!, navigator.gpu.getPreferredCanvasFormat()];
  context.configure({ device, format });
  const module = device.createShaderModule({ code });
  const simulate = device.createComputePipeline({ layout: 'auto', compute: { module } });
  const attributes = [{ shaderLocation: 0, offset: 0, format: 'float32x4' as const }];
  const vertex = { module, buffers: [{ arrayStride: 16, stepMode: 'instance' as const, attributes }] };
  const light = { srcFactor: 'one', dstFactor: 'one' } as const;
  const fragment = { module, targets: [{ format, blend: { color: light, alpha: light } }] };
  const draw = device.createRenderPipeline({ layout: 'auto', vertex, fragment });
  const resources = [{ buffer: particles }, { buffer: places }, { buffer: ways }, steered];
  const entries = resources.map((resource, binding) => ({ binding, resource }));
  const group = device.createBindGroup({ layout: simulate.getBindGroupLayout(0), entries });

  for await (const _ of frames) {
    const encoder = device.createCommandEncoder();
    const compute = encoder.beginComputePass();
    compute.setPipeline(simulate);
    compute.setBindGroup(0, group);
    compute.dispatchWorkgroups(PARTICLES / 64);
    compute.end();
    const { loss } = engram.encode(step, encoder, x, y, swarm); // behind the app's pass, on the app's buffers
    const view = context.getCurrentTexture().createView();
    const render = encoder.beginRenderPass({ colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store' }] });
    render.setPipeline(draw);
    render.setVertexBuffer(0, particles);
    render.draw(3, PARTICLES);
    render.end();
    device.queue.submit([encoder.finish()]);
    engram.submitted(engine); // results can be read again
    told(await loss.item());
  }
}
