/** An app with a kernel of its own, from whose points a model learns in the app's own command buffers: nothing leaves the GPU. */
import {
  capture,
  deviceRequirements,
  Engine,
  encode,
  Linear,
  SGD,
  submitted,
  type Tensor,
  wrap,
} from '../../src/index.ts';

const points = /* wgsl */ `
  @group(0) @binding(0) var<storage, read_write> x: array<vec2f>;
  @group(0) @binding(1) var<storage, read_write> y: array<f32>;
  @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
    x[id.x] = vec2f(sin(f32(id.x)), cos(3.0 * f32(id.x)));
    y[id.x] = 3.0 * x[id.x].x - 2.0 * x[id.x].y + 0.5;
  }`;

/** The weights and the bias of y = 3 x₁ − 2 x₂ + 0.5, as they are found in so many frames. */
export async function hostApp(adapter: GPUAdapter, frames: number): Promise<number[]> {
  const device = await adapter.requestDevice(deviceRequirements(adapter));
  const buffers = [8 * 64, 4 * 64].map((size) => device.createBuffer({ size, usage: GPUBufferUsage.STORAGE }));
  const module = device.createShaderModule({ code: points });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });

  const engine = Engine.from(device);
  const [x, y] = buffers.map((buffer, i) => wrap(engine, buffer, { shape: [64, 2 - i] })) as [Tensor, Tensor];
  const model = new Linear(engine, 2, 1);
  const optimizer = new SGD(model, { lr: 0.2 });
  const train = capture(engine, (inputs: Tensor, targets: Tensor) => {
    model.forward(inputs).sub(targets).square().mean().backward();
    optimizer.step();
    optimizer.zeroGrad();
  });
  for (let i = 0; i < 2; i++) train(x, y); // runs it, then records it
  await engine.flush(); // until its kernels are compiled

  for (let frame = 0; frame < frames; frame++) {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(1);
    pass.end();
    encode(train, encoder, x, y); // behind the pass, in the same command buffer
    device.queue.submit([encoder.finish()]);
    submitted(engine);
  }
  return [...(await model.weight.data()), ...((await model.bias?.data()) ?? [])];
}
