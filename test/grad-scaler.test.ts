/** Loss scaling: gradients as without it, steps with infinite ones left out and counted, all on the device. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  Adam,
  AdamW,
  capture,
  clipGradNorm,
  GradScaler,
  type GradScalerOptions,
  Module,
  type Optimizer,
  parameter,
  SGD,
  type Tensor,
} from '../src/index.ts';
import { engine, errorOf, near, uniform } from './support/engine.ts';

/** Ten parameters of odd sizes: whole launches of slots, and single ones. */
class Springs extends Module {
  constructor() {
    super(engine);
    for (let i = 0; i < 10; i++) {
      const values = uniform(1 + 31 * i, i);
      Object.assign(this, { [`p${i}`]: parameter(engine, [values.length], (at) => values[at] as number) });
    }
  }

  /** ½ Σ stiffness · p². */
  forward(stiffness: Tensor): Tensor {
    return this.parameters()
      .map((p) => p.square().sum())
      .reduce((a, b) => a.add(b))
      .mul(stiffness)
      .mul(0.5);
  }
}

const makers: Record<string, (model: Module) => Optimizer> = {
  plain: (model) => new SGD(model, { lr: 0.1 }),
  dampened: (model) => new SGD(model, { lr: 0.1, momentum: 0.9, dampening: 0.3, weightDecay: 0.01 }),
  nesterov: (model) => new SGD(model, { lr: 0.05, momentum: 0.9, nesterov: true }),
  adam: (model) => new Adam(model, { lr: 0.05 }),
  adamw: (model) => new AdamW(model, { lr: 0.05, weightDecay: 0.1 }),
};

interface Run {
  values: number[][];
  state: Awaited<ReturnType<GradScaler['state']>> | null;
}

/** Steps with one stiffness each; an infinite one makes every gradient infinite. */
async function train(
  make: (model: Module) => Optimizer,
  stiffness: readonly number[],
  { scaled = true, captured = false, clip = 0, options = {} as GradScalerOptions } = {},
): Promise<Run> {
  const model = new Springs();
  const optimizer = make(model);
  const scaler = scaled ? new GradScaler(engine, options) : null;
  const step = (k: Tensor) => {
    const loss = model.forward(k);
    if (scaler) {
      scaler.scale(loss).backward();
      if (clip > 0) {
        scaler.unscale(optimizer);
        clipGradNorm(optimizer.parameters, clip);
      }
      scaler.step(optimizer);
      scaler.update();
    } else {
      loss.backward();
      if (clip > 0) clipGradNorm(optimizer.parameters, clip);
      optimizer.step();
    }
    optimizer.zeroGrad();
  };
  const run = captured ? capture(engine, step) : step;
  for (const k of stiffness) engine.scope(() => run(engine.tensor(k)));
  const tensors = [...model.parameters(), ...optimizer.state().map(({ tensor }) => tensor)];
  const values = await Promise.all(tensors.map(async (tensor) => [...(await tensor.data())]));
  const state = scaler ? await scaler.state() : null;
  if ('dispose' in run) (run as { dispose(): void }).dispose();
  scaler?.dispose();
  optimizer.dispose();
  model.dispose();
  return { values, state };
}

for (const [name, make] of Object.entries(makers)) {
  test(`${name}: scaled steps are the plain ones, and those that overflow leave no trace`, async () => {
    const good = [1, 0.5, 2, 0.25, 1];
    const plain = await train(make, good, { scaled: false });
    const scaled = await train(make, good);
    const withOverflow = await train(make, [1, Infinity, 0.5, 2, Number.NaN, Infinity, 0.25, 1]);
    for (const [i, values] of plain.values.entries()) {
      await near(engine.tensor(scaled.values[i]!), values, 2e-6, `tensor ${i}`);
      // Skipping changes the scale, a power of two: not one bit of the result.
      assert.equal(withOverflow.values[i], scaled.values[i]);
    }
    assert.equal(scaled.state, { scale: 65536, goodSteps: 5, skippedSteps: 0 });
    assert.equal(withOverflow.state, { scale: 8192, goodSteps: 2, skippedSteps: 3 });
  });

  test(`${name}: a captured step is the eager one to the last bit`, async () => {
    const stiffness = [1, Infinity, 0.5, 2, 1, Infinity, 0.25, 1, 1];
    for (const clip of [0, 0.5]) {
      const options = { growthInterval: 2 };
      const eager = await train(make, stiffness, { clip, options });
      assert.equal(await train(make, stiffness, { clip, options, captured: true }), eager);
      assert.is(eager.state?.skippedSteps, 2);
    }
  });
}

test('clipping sees the gradients without their scale', async () => {
  const stiffness = [1, 2, 0.5];
  const plain = await train(makers.dampened!, stiffness, { scaled: false, clip: 0.5 });
  const scaled = await train(makers.dampened!, stiffness, { clip: 0.5 });
  for (const [i, values] of plain.values.entries()) await near(engine.tensor(scaled.values[i]!), values, 2e-6);
});

test('the scale doubles after good steps in a row, and halves after a bad one', async () => {
  const scales: number[] = [];
  for (let n = 1; n <= 6; n++) {
    const options = { initScale: 8, growthInterval: 2 };
    const { state } = await train(makers.plain!, [1, 1, 1, Infinity, 1, 1].slice(0, n), { options });
    scales.push(state!.scale);
  }
  assert.equal(scales, [8, 16, 16, 8, 8, 16]);
});

test('a scaler goes on where another one stopped', async () => {
  const [first, second] = [new GradScaler(engine, { initScale: 4 }), new GradScaler(engine)];
  for (let i = 0; i < 3; i++) first.update();
  second.load(await first.state());
  first.update();
  second.update();
  assert.equal(await second.state(), await first.state());
  assert.equal(await second.state(), { scale: 4, goodSteps: 4, skippedSteps: 0 });
  first.dispose();
  second.dispose();
});

test('all optimizers of a step are left out together', async () => {
  const [a, b] = [new Springs(), new Springs()];
  const [first, second] = [new SGD(a, { lr: 0.1 }), new SGD(b, { lr: 0.1 })];
  const scaler = new GradScaler(engine);
  const before = await a.parameters()[3]!.data();
  engine.scope(() => {
    scaler.scale(a.forward(engine.tensor(1))).backward();
    scaler.scale(b.forward(engine.tensor(Infinity))).backward();
    for (const optimizer of [first, second]) scaler.unscale(optimizer);
    for (const optimizer of [first, second]) scaler.step(optimizer);
    scaler.update();
  });
  assert.equal(await a.parameters()[3]!.data(), before);
  assert.is((await scaler.state()).skippedSteps, 1);
});

test('what makes no sense is refused', () => {
  const model = new Springs();
  const optimizer = new SGD(model, { lr: 1 });
  const scaler = new GradScaler(engine);
  scaler.unscale(optimizer);
  const tells: [() => unknown, RegExp][] = [
    [() => scaler.unscale(optimizer), /GradScaler: .*unscaled already.*update\(\)/],
    [() => new GradScaler(engine, { initScale: 0 }), /initScale must be a number above 0, not 0/],
    [() => new GradScaler(engine, { growthFactor: 0.5 }), /growthFactor must be .* at least 1, not 0.5/],
    [() => new GradScaler(engine, { backoffFactor: 2 }), /backoffFactor must be .*\(0, 1\], not 2/],
    [() => new GradScaler(engine, { growthInterval: 1.5 }), /growthInterval must be a whole number.*1.5/],
  ];
  for (const [fn, expected] of tells) assert.match(errorOf(fn).message, expected);
});

test.run();
