/** ResNets with f16 activations: half the memory, the same learning, f32 masters; steps that overflow are left out. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { capture, crossEntropy, Engine, GradScaler, noGrad, type Tensor } from '../src/index.ts';
import { createResNet, type ResNet, type ResNetName, type ResNetOptions } from '../src/nn/resnet.ts';
import { SGD } from '../src/optim/sgd.ts';
import { engine, errorOf, near, needs, relativeL2, uniform } from './support/engine.ts';

interface Options extends Partial<ResNetOptions> {
  name?: ResNetName;
  captured?: boolean;
  initScale?: number;
  steps?: number;
}

/** Trains on one batch and reads the losses, all parameters and the scaler. */
async function train({ name = 'resnet8', captured = false, initScale, steps = 8, ...rest }: Options) {
  const own = await Engine.create();
  const model = createResNet(own, name, { classes: 5, width: 8, seed: 2, ...rest });
  const optimizer = new SGD(model, { lr: 0.1, momentum: 0.9 });
  const scaler = new GradScaler(own, initScale ? { initScale } : {});
  const images = own.tensor(uniform(32 * 16 * 16 * 3, 1), [32, 16, 16, 3]);
  const targets = own.tensor(Int32Array.from({ length: 32 }, (_, i) => i % 5));
  const step = (x: Tensor) => {
    const loss = crossEntropy(model.forward(x), targets);
    scaler.scale(loss).backward();
    scaler.step(optimizer);
    scaler.update();
    optimizer.zeroGrad();
    return loss;
  };
  const run = captured ? capture(own, step) : step;
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) losses.push(await own.scope(() => ({ read: run(images).item() })).read);
  const tensors = [...model.namedTensors()];
  const state = await Promise.all(tensors.map(async ({ tensor }) => [...(await tensor.data())]));
  const scale = await scaler.state();
  await own.destroy();
  return { losses, state, scale };
}

needs('shader-f16')('a network with f16 activations learns as the f32 one', async () => {
  for (const [name, steps] of [
    ['resnet8', 16],
    ['resnet18', 5],
  ] as const) {
    const [full, half] = [await train({ name, steps }), await train({ name, steps, precision: 'f16' })];
    for (const [i, loss] of full.losses.entries()) {
      assert.ok(Math.abs(half.losses[i]! - loss) < 0.05 * loss, `${name}, step ${i}: ${half.losses[i]} beside ${loss}`);
    }
    assert.ok(half.losses.at(-1)! < 0.7 * half.losses[0]!, `${name}: ${half.losses}`);
    assert.is(half.scale.skippedSteps, 0);
  }
});

needs('shader-f16')('captured steps and blocks that are made again give the same bits', async () => {
  const eager = await train({ precision: 'f16', initScale: 2 ** 40 });
  assert.ok(eager.scale.skippedSteps > 0);
  assert.equal(await train({ precision: 'f16', initScale: 2 ** 40, captured: true }), eager);
  assert.equal(await train({ precision: 'f16', initScale: 2 ** 40, gradientCheckpointing: true }), eager);
});

needs('shader-f16')('a scale that is far too large costs steps, not the network', async () => {
  const { losses, scale } = await train({ precision: 'f16', initScale: 2 ** 36, steps: 24 });
  assert.ok(scale.skippedSteps >= 8 && scale.skippedSteps < 24, `${scale.skippedSteps} left out`);
  assert.is(scale.scale, 2 ** (36 - scale.skippedSteps));
  for (const loss of losses.slice(0, 9)) assert.is(loss, losses[0]);
  assert.ok(losses.at(-1)! < losses[0]!);
});

needs('shader-f16')('gradients agree with those of f32, and come as f32', async () => {
  const gradients = async (precision: 'f32' | 'f16') => {
    const model = createResNet(engine, 'resnet8', { classes: 5, width: 8, seed: 2, precision });
    const x = engine.tensor(uniform(16 * 16 * 16 * 3, 1), [16, 16, 16, 3]);
    const logits = model.forward(x);
    assert.is(logits.dtype, 'f32');
    const targets = engine.tensor(Int32Array.from({ length: 16 }, (_, i) => i % 5));
    crossEntropy(logits, targets).mul(1024).backward();
    const found = new Map<string, number[]>();
    for (const { name, tensor } of model.namedParameters()) {
      assert.is(tensor.grad?.dtype, 'f32');
      found.set(name, [...(await tensor.grad!.data())]);
    }
    return { logits: await logits.data(), found };
  };
  const [full, half] = [await gradients('f32'), await gradients('f16')];
  assert.ok(relativeL2(half.logits, full.logits) < 5e-3);
  for (const [name, values] of full.found) {
    const error = relativeL2(half.found.get(name)!, values);
    // Where a rounded activation passes the ReLU on one side only, its whole gradient differs.
    assert.ok(error < 0.1, `${name}: ${error}`);
  }
});

needs('shader-f16')('activations take half the memory', async () => {
  const peak = async (precision: 'f32' | 'f16') => {
    const own = await Engine.create();
    const model = createResNet(own, 'resnet20', { classes: 10, precision });
    const images = own.zeros([32, 32, 32, 3]);
    const before = own.memory().liveBytes;
    own.scope(() => void model.forward(images));
    const bytes = own.memory().peakBytes - before;
    await own.destroy();
    return bytes;
  };
  const [full, half] = [await peak('f32'), await peak('f16')];
  assert.ok(half < 0.54 * full, `${half} of ${full} bytes`);
});

needs('shader-f16')('an inference without gradients agrees with f32, and frees its rounded weights', async () => {
  const x = engine.tensor(uniform(4 * 16 * 16 * 3, 1), [4, 16, 16, 3]);
  const [full, half] = (['f32', 'f16'] as const).map((precision) =>
    createResNet(engine, 'resnet8', { classes: 5, width: 8, precision }).eval(),
  ) as [ResNet, ResNet];
  await near(half.forward(x), await full.forward(x).data(), 5e-3);
  const image = x.cast('f16');
  const before = engine.memory().liveBuffers;
  const y = noGrad(engine, () => half.conv1.forward(image));
  assert.is(engine.memory().liveBuffers, before + 1);
  y.dispose();
});

test('a device without shader-f16 has no such network', async () => {
  const { adapter } = await (await import('#adapter')).requestAdapter();
  const device = await adapter.requestDevice();
  const plain = Engine.from(device);
  assert.match(
    errorOf(() => createResNet(plain, 'resnet8', { classes: 2, precision: 'f16' })).message,
    /ResNet: f16 tensors need the feature shader-f16/,
  );
  await plain.destroy();
  device.destroy();
});

test.run();
