/** The workload of the embedding story: a classifier that learns from images which an app's own kernel makes. */

import type * as Engram from '../../src/index.ts';

/**
 * Takes training steps of a narrow ResNet-8 on 6 images, 8×8×1, that a kernel of the app's writes anew in each frame, and
 * returns the losses before the steps. Embedded, one command buffer a frame holds the app's pass, the step on the app's buffers
 * and a copy of the loss; otherwise the app reads its images back, and a step without an app is taken on uploaded tensors.
 * Runs as it stands in Node, and as text in a page: it may use nothing but its arguments, the library among them.
 */
export async function trainInApp(
  { Engine, SGD, capture, copyTo, createResNet, crossEntropy, encode, submitted, wrap }: typeof Engram,
  device: GPUDevice,
  frames: number,
  embedded: boolean,
): Promise<number[]> {
  const usage = 0x80 | 0x04 | 0x08;
  const [pixels, labels, losses, frame] = [6 * 64 * 4, 6 * 4, 4 * frames, 16].map((size) =>
    device.createBuffer({ size, usage: size === 16 ? 0x40 | 0x08 : usage }),
  ) as [GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer];
  const code = `
    @group(0) @binding(0) var<storage, read_write> pixels: array<f32>;
    @group(0) @binding(1) var<storage, read_write> labels: array<i32>;
    @group(0) @binding(2) var<uniform> frame: vec4u;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
      let image = id.x / 64u;
      let label = (image + frame.x) % 3u;
      let noise = f32(((id.x + 1u) * (frame.x + 3u) * 2654435761u) >> 16u) / 65536.0;
      let stripe = f32(((id.x >> (label * 2u)) & 1u));
      pixels[id.x] = 2.0 * stripe + noise - 1.0;
      labels[image] = i32(label);
    }`;
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
  });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [pixels, labels, frame].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const simulate = (encoder: GPUCommandEncoder, number: number) => {
    device.queue.writeBuffer(frame, 0, Uint32Array.of(number));
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(6);
    pass.end();
  };
  const read = async (buffer: GPUBuffer): Promise<ArrayBuffer> => {
    const staging = device.createBuffer({ size: buffer.size, usage: 0x01 | 0x08 });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(1);
    return staging.getMappedRange().slice(0);
  };

  const engine = Engine.from(device);
  const model = createResNet(engine, 'resnet8', { classes: 3, width: 4, inChannels: 1, seed: 1 });
  const optimizer = new SGD(model, { lr: 0.05, momentum: 0.9 });
  const step = (images: Engram.Tensor, targets: Engram.Tensor) => {
    const loss = crossEntropy(model.forward(images), targets);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  };
  const train = capture(engine, step);
  const [images, targets] = [
    wrap(engine, pixels, { shape: [6, 8, 8, 1] }),
    wrap(engine, labels, { shape: [6], dtype: 'i32' }),
  ];
  const found: number[] = [];
  for (let i = 0; i < frames; i++) {
    const encoder = device.createCommandEncoder();
    simulate(encoder, i);
    // The rates change once, and are uploaded then.
    optimizer.lr = i < frames / 2 ? 0.05 : 0.02;
    if (embedded && i >= 2) {
      copyTo(encode(train, encoder, images, targets), encoder, losses, 4 * i);
      device.queue.submit([encoder.finish()]);
      submitted(engine);
      continue;
    }
    device.queue.submit([encoder.finish()]);
    if (embedded) {
      found.push(await train(images, targets).item());
      continue;
    }
    const uploaded = [
      engine.tensor(new Float32Array(await read(pixels)), [6, 8, 8, 1]),
      engine.tensor(new Int32Array(await read(labels))),
    ] as const;
    const loss = engine.scope(() => step(...uploaded));
    found.push(await loss.item());
  }
  if (embedded) found.push(...new Float32Array(await read(losses)).slice(2));
  await engine.destroy();
  return found;
}
