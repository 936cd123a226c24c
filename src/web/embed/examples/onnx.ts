// A head learns where discs of other stripes are, from the output of a fixed ONNX model, a tensor where it lies on the GPU.
import * as engram from 'engram';
import * as ort from 'onnxruntime-web/webgpu';
import type { Stage } from '../stage.ts';
import stripes from './stripes.onnx?url';

const [SIDE, CELLS, FILTERS] = [64, 32, 12]; // the model's input is [1, 1, 64, 64], its output [1, 12, 32, 32]
const code = /* wgsl */ `
  const SIDE = ${SIDE}u; const CELLS = ${CELLS}u;
  @group(0) @binding(0) var<uniform> seconds: f32;
  @group(0) @binding(1) var<storage, read_write> picture: array<f32>;
  @group(0) @binding(2) var<storage, read_write> truth: array<f32>;
  @compute @workgroup_size(8, 8) fn paint(@builtin(global_invocation_id) id: vec3u) {
    let at = vec2f(id.xy) / f32(SIDE) * 2.0 - 1.0;
    var is_disc = false;
    for (var k = 0.0; k < 3.0; k += 1.0) {
      let middle = 0.55 * vec2f(sin(seconds * (0.5 + 0.13 * k) + 2.1 * k), cos(seconds * (0.4 + 0.17 * k) + 2.1 * k));
      is_disc = is_disc || distance(at, middle) < 0.3 + 0.04 * k;
    }
    let angle = 0.3 * seconds + select(0.0, 1.2, is_disc); // all turn, the discs' ahead of the others
    picture[id.y * SIDE + id.x] = sin(45.0 * dot(at, vec2f(cos(angle), sin(angle))));
    truth[id.y / 2 * CELLS + id.x / 2] = f32(is_disc);
  }
  @group(0) @binding(3) var<storage, read> painted: array<f32>;
  @group(0) @binding(4) var<storage, read> found: array<f32>;
  @vertex fn whole(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
    return vec4f(4.0 * f32(i & 1u) - 1.0, 4.0 * f32(i >> 1u) - 1.0, 0.0, 1.0);
  }
  override pixels: f32;
  @fragment fn show(@builtin(position) position: vec4f) -> @location(0) vec4f {
    let at = vec2u(position.xy / pixels * f32(SIDE));
    let colour = mix(vec3f(0.12, 0.2, 0.5), vec3f(1.0, 0.55, 0.2), found[at.y / 2 * CELLS + at.x / 2]);
    return vec4f(colour * (0.65 + 0.35 * painted[at.y * SIDE + at.x]), 1.0);
  }`;

export async function run(canvas: HTMLCanvasElement, { adapter, frames, told, atEnd }: Stage): Promise<void> {
  const device = await adapter.requestDevice(engram.deviceRequirements(adapter));
  const engine = engram.Engine.from(device);
  atEnd(() => engine.destroy().then(() => device.destroy()));
  ort.env.wasm.numThreads = 1; // more need headers that many servers do not send
  const session = await ort.InferenceSession.create(stripes, { executionProviders: [{ name: 'webgpu', device }] });
  atEnd(() => session.release());

  const make = (numbers: number) => device.createBuffer({ size: 4 * numbers, usage: GPUBufferUsage.STORAGE });
  const [picture, truth, features] = [make(SIDE ** 2), make(CELLS ** 2), make(FILTERS * CELLS ** 2)];
  const clock = device.createBuffer({ size: 4, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  // The same buffers as ONNX Runtime's tensors and as the engine's.
  const input = ort.Tensor.fromGpuBuffer(picture, { dataType: 'float32', dims: [1, 1, SIDE, SIDE] });
  const output = ort.Tensor.fromGpuBuffer(features, { dataType: 'float32', dims: [1, FILTERS, CELLS, CELLS] });
  const x = engram.wrap(engine, features, { shape: [FILTERS, CELLS ** 2] });
  const y = engram.wrap(engine, truth, { shape: [CELLS ** 2, 1] });
  const [first, second] = [new engram.Linear(engine, FILTERS, 16), new engram.Linear(engine, 16, 1)];
  const optimizer = new engram.Adam(new engram.Sequential(engine, first, second), { lr: 2e-2 });
  const step = engram.capture(engine, (filtered: engram.Tensor, wanted: engram.Tensor) => {
    const answer = second.forward(first.forward(filtered.transpose().mul(4)).silu()).sigmoid();
    const loss = answer.sub(wanted).square().mean();
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return { loss, answer };
  });
  const [, { answer }] = [step(x, y), step(x, y)] as const; // runs it, then records it
  await engine.flush(); // until its kernels are compiled
  using found = engram.borrow(answer);

  const [context, format] = [canvas.getContext('webgpu')!, navigator.gpu.getPreferredCanvasFormat()];
  context.configure({ device, format });
  const module = device.createShaderModule({ code });
  const paint = device.createComputePipeline({ layout: 'auto', compute: { module } });
  const fragment = { module, targets: [{ format }], constants: { pixels: canvas.width } };
  const show = device.createRenderPipeline({ layout: 'auto', vertex: { module }, fragment });
  const resources = [{ buffer: clock }, { buffer: picture }, { buffer: truth }, { buffer: picture }, found];
  const entries = resources.map((resource, binding) => ({ binding, resource }));
  const painted = device.createBindGroup({ layout: paint.getBindGroupLayout(0), entries: entries.slice(0, 3) });
  const shown = device.createBindGroup({ layout: show.getBindGroupLayout(0), entries: entries.slice(3) });

  for await (const seconds of frames) {
    device.queue.writeBuffer(clock, 0, Float32Array.of(seconds));
    const before = device.createCommandEncoder();
    const compute = before.beginComputePass();
    compute.setPipeline(paint);
    compute.setBindGroup(0, painted);
    compute.dispatchWorkgroups(SIDE / 8, SIDE / 8);
    compute.end();
    device.queue.submit([before.finish()]);
    await session.run({ picture: input }, { features: output }); // in the queue, ahead of what follows
    const encoder = device.createCommandEncoder();
    const { loss } = engram.encode(step, encoder, x, y);
    const view = context.getCurrentTexture().createView();
    const render = encoder.beginRenderPass({ colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store' }] });
    render.setPipeline(show);
    render.setBindGroup(0, shown);
    render.draw(3);
    render.end();
    device.queue.submit([encoder.finish()]);
    engram.submitted(engine);
    told(await loss.item());
  }
}
