/** Optimizers against PyTorch's rules written out in float64, over several steps; schedules. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  Adam,
  type AdamOptions,
  AdamW,
  capture,
  constantSchedule,
  cosineSchedule,
  GradScaler,
  Module,
  type Optimizer,
  parameter,
  readState,
  SGD,
  type SGDOptions,
  stepSchedule,
  type Tensor,
  warmUp,
} from '../src/index.ts';
import { writeState } from '../src/nn/state-dict.ts';
import type { OptimizerCounters } from '../src/optim/optimizer.ts';
import { engine, errorOf, leaf, near, needs, relativeL2, uniform } from './support/engine.ts';

/** Two parameters, one of more than a workgroup, drawn to targets by ½ Σ c·(p − t)²: the gradient is c·(p − t). */
class Springs extends Module {
  readonly few: Tensor;
  readonly many: Tensor;

  constructor() {
    super(engine);
    this.few = parameter(engine, [3], (i) => START.few[i]!);
    this.many = parameter(engine, [9, 15], (i) => START.many[i]!);
  }

  /** The energy. */
  forward(stiffness: Tensor): Tensor {
    const energy = (p: Tensor, to: Float32Array<ArrayBuffer>) =>
      p.sub(engine.tensor(to, p.shape)).square().sum().mul(stiffness).mul(0.5);
    return energy(this.few, TARGET.few).add(energy(this.many, TARGET.many));
  }
}

const START = { few: uniform(3, 1), many: uniform(135, 2) };
const TARGET = { few: uniform(3, 3), many: uniform(135, 4) };
const names = ['few', 'many'] as const;
const STIFFNESS = [1, 3, 0.5, 2, 0.1, 1];

/** One step of one value: its parameter, gradient, and state of its own. */
type Rule = (value: { p: number; state: number[] }, gradient: number, step: number) => void;

const sgd64 =
  ({ lr, momentum = 0, dampening = 0, weightDecay = 0, nesterov = false }: SGDOptions): Rule =>
  (value, gradient, step) => {
    const g = gradient + weightDecay * value.p;
    const v = step === 1 ? g : momentum * value.state[0]! + (1 - dampening) * g;
    value.state[0] = v;
    value.p -= lr * (momentum === 0 ? g : nesterov ? g + momentum * v : v);
  };

const adam64 =
  ({ lr = 1e-3, betas: [b1, b2] = [0.9, 0.999], eps = 1e-8, weightDecay = 0 }: AdamOptions, decoupled: boolean): Rule =>
  (value, gradient, step) => {
    if (decoupled) value.p *= 1 - lr * weightDecay;
    const g = decoupled ? gradient : gradient + weightDecay * value.p;
    const m = b1 * (value.state[0] ?? 0) + (1 - b1) * g;
    const v = b2 * (value.state[1] ?? 0) + (1 - b2) * g * g;
    value.state = [m, v];
    value.p -= (lr * (m / (1 - b1 ** step))) / (Math.sqrt(v / (1 - b2 ** step)) + eps);
  };

function takeStep(model: Springs, optimizer: Optimizer, stiffness: number): void {
  engine.scope(() => {
    optimizer.zeroGrad();
    model.forward(engine.tensor(stiffness)).backward();
    optimizer.step();
  });
}

async function follows(make: (model: Springs) => Optimizer, rule: Rule): Promise<void> {
  const model = new Springs();
  const optimizer = make(model);
  const values = names.map((name) => Array.from(START[name], (p) => ({ p, state: [] as number[] })));
  for (const [i, stiffness] of STIFFNESS.entries()) {
    takeStep(model, optimizer, stiffness);
    for (const [k, name] of names.entries()) {
      values[k]!.forEach((value, at) => {
        rule(value, stiffness * (value.p - TARGET[name][at]!), i + 1);
      });
      await near(
        model[name],
        values[k]!.map(({ p }) => p),
        2e-6,
        `${name} after step ${i + 1}`,
      );
    }
  }
  optimizer.zeroGrad();
  optimizer.dispose();
  model.dispose();
}

const sgdOptions: SGDOptions[] = [
  { lr: 0.1 },
  { lr: 0.1, weightDecay: 0.05 },
  { lr: 0.1, momentum: 0.9 },
  { lr: 0.1, momentum: 0.9, dampening: 0.3 },
  { lr: 0.1, momentum: 0.9, nesterov: true },
  { lr: 0.05, momentum: 0.8, nesterov: true, weightDecay: 0.01 },
];
for (const options of sgdOptions) {
  test(`SGD ${JSON.stringify(options)}`, () => follows((model) => new SGD(model, options), sgd64(options)));
}

const adamOptions: AdamOptions[] = [{}, { lr: 0.1, betas: [0.8, 0.9], eps: 1e-3 }, { lr: 0.05, weightDecay: 0.1 }];
for (const options of adamOptions) {
  test(`Adam ${JSON.stringify(options)}`, () => follows((model) => new Adam(model, options), adam64(options, false)));
  test(`AdamW ${JSON.stringify(options)}`, () =>
    follows((model) => new AdamW(model, options), adam64({ weightDecay: 0.01, ...options }, true)));
}

/** Parameters of these sizes, and nothing to compute with them. */
class Weights extends Module {
  constructor(sizes: readonly number[], seed = 10) {
    super(engine);
    sizes.forEach((size, k) => {
      const values = uniform(size, seed + k);
      Object.assign(this, { [`w${k}`]: parameter(engine, [size], (i) => values[i]!) });
    });
  }

  forward(x: Tensor): Tensor {
    return x;
  }
}

test('parameters updated together are updated as each would be alone, whatever their sizes', async () => {
  const sizes = [1, 63, 64, 65, 200, 7, 128, 129, 5000, 2, 3];
  const makers: ((module: Module) => Optimizer)[] = [
    (module) => new SGD(module, { lr: 0.1 }),
    (module) => new SGD(module, { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
    (module) => new AdamW(module, { lr: 0.1 }),
  ];
  for (const make of makers) {
    const together = new Weights(sizes);
    const alone = sizes.map((size, k) => new Weights([size], 10 + k));
    const optimizers = [make(together), ...alone.map(make)];
    for (let step = 0; step < 3; step++) {
      for (const module of [together, ...alone]) {
        engine.scope(() => {
          for (const p of module.parameters())
            p.mul(step + 0.5)
              .sin()
              .sum()
              .backward();
        });
      }
      for (const optimizer of optimizers) {
        optimizer.step();
        optimizer.zeroGrad();
      }
    }
    for (const [k, p] of together.parameters().entries()) await near(p, await alone[k]!.parameters()[0]!.data(), 0);
    for (const optimizer of optimizers) optimizer.dispose();
  }
});

test('a parameter that two fields share is updated once', async () => {
  const module = new Weights([4]);
  const [shared] = module.parameters() as [Tensor];
  Object.assign(module, { again: shared });
  const before = await shared.data();
  shared.sum().backward();
  new SGD(module, { lr: 0.5 }).step();
  await near(
    shared,
    before.map((p) => p - 0.5),
    1e-6,
  );
});

test('the learning rate may change between steps', async () => {
  const model = new Springs();
  const optimizer = new SGD(model, { lr: 1 });
  takeStep(model, optimizer, 1);
  await near(model.many, TARGET.many, 1e-6);
  optimizer.lr = 0;
  takeStep(model, optimizer, 100);
  await near(model.many, TARGET.many, 1e-6);
});

test('a parameter without a gradient stays as it is', async () => {
  const model = new Springs();
  const optimizer = new SGD(model, { lr: 0.1, momentum: 0.9, weightDecay: 0.1 });
  model.few.sum().backward();
  optimizer.step();
  await near(model.many, START.many, 0);
  assert.ok(relativeL2(await model.few.data(), START.few) > 0.01);
});

const perParameter: Record<string, { make: (trained: readonly Tensor[]) => Optimizer; rule: Rule }> = {
  Adam: { make: (trained) => new Adam(trained, { lr: 0.1 }), rule: adam64({ lr: 0.1 }, false) },
  AdamW: {
    make: (trained) => new AdamW(trained, { lr: 0.1, weightDecay: 0.1 }),
    rule: adam64({ lr: 0.1, weightDecay: 0.1 }, true),
  },
  'SGD, dampened': {
    make: (trained) => new SGD(trained, { lr: 0.1, momentum: 0.9, dampening: 0.5 }),
    rule: sgd64({ lr: 0.1, momentum: 0.9, dampening: 0.5 }),
  },
};

/** Which of three parameters have a gradient: 1, 2 or 4 for each, added up. */
const WITH_GRADIENT = [1, 1, 1, 5, 1, 4, 7, 1, 7, 2, 5, 7, 3];

for (const [name, { make, rule }] of Object.entries(perParameter)) {
  for (const isCaptured of [false, true]) {
    for (const isScaled of [false, true]) {
      const how = `${isCaptured ? ', captured' : ''}${isScaled ? ', with steps that are skipped' : ''}`;
      test(`${name}: a step counts for the parameters that have a gradient, as PyTorch's${how}`, async () => {
        const parameters = [1, 2, 3].map((value) => leaf([value], [1]));
        const optimizer = make(parameters);
        const scaler = isScaled ? new GradScaler(engine, { initScale: 2 }) : null;
        const stepOf = (which: number) => (gradient: Tensor) => {
          const sums = parameters.flatMap((p, k) => (which & (1 << k) ? [p.mul(gradient).sum()] : []));
          const loss = sums.reduce((a, b) => a.add(b));
          (scaler?.scale(loss) ?? loss).backward();
          if (scaler) scaler.step(optimizer);
          else optimizer.step();
          scaler?.update();
          optimizer.zeroGrad();
        };
        const steps = new Map(
          [...new Set(WITH_GRADIENT)].map((which) => {
            const step = stepOf(which);
            return [which, isCaptured ? capture(engine, step) : (g: Tensor) => engine.scope(() => step(g))];
          }),
        );
        const values = parameters.map((_, k) => ({ p: k + 1, state: [] as number[], steps: 0 }));
        for (const [i, which] of WITH_GRADIENT.entries()) {
          const gradient = isScaled && i % 4 === 2 ? Infinity : 1 + i;
          steps.get(which)!(engine.tensor([gradient]));
          for (const [k, value] of values.entries()) {
            if (which & (1 << k) && gradient < Infinity) rule(value, gradient, ++value.steps);
            await near(parameters[k], [value.p], 2e-6, `parameter ${k} after step ${i}`);
          }
        }
        assert.is(optimizer.steps, WITH_GRADIENT.length);
      });
    }
  }
}

test('counts of parameters are saved; what was saved before there were any is all that a call counted', async () => {
  const moved = async (counters: OptimizerCounters, isScaled: boolean) => {
    const parameters = [leaf([0], [1]), leaf([0], [1])];
    const optimizer = new Adam(parameters, { lr: 0.1, betas: [0.5, 0.5] });
    optimizer.restore(counters);
    parameters[0]!.add(parameters[1]!).sum().backward();
    optimizer.step(...(isScaled ? [engine.zeros([1], 'u32')] : []));
    const values = await Promise.all(parameters.map((p) => p.item()));
    return { values: values.map((value) => -value), counters: await optimizer.counters() };
  };
  /** The first step of a mean of zeros, which is taken for step number t. */
  const at = (t: number) => (0.1 * (0.5 / (1 - 0.5 ** t))) / Math.sqrt(0.5 / (1 - 0.5 ** t));
  const cases: [OptimizerCounters, boolean, number[]][] = [
    [{ steps: 5, taken: [5, 0] }, false, [6, 1]],
    [{ steps: 5, taken: [5, 0] }, true, [6, 1]],
    [{ steps: 9, taken: [9, 0], progress: [0.75, 0.75, 0, 0] }, true, [3, 1]],
    [{ steps: 5 }, false, [6, 6]],
    [{ steps: 9, progress: [0.75, 0.75] }, true, [3, 3]],
  ];
  for (const [given, isScaled, expected] of cases) {
    const { values, counters } = await moved(given, isScaled);
    await near(engine.tensor(values), expected.map(at), 1e-6, JSON.stringify(given));
    assert.is(counters.steps, given.steps + 1);
    assert.equal(
      counters.taken,
      (given.taken ?? [given.steps, given.steps]).map((count) => count + 1),
    );
    assert.is(counters.progress?.length, isScaled ? 4 : undefined);
  }
  const told = (counters: OptimizerCounters) =>
    errorOf(() => new Adam([leaf([0], [1]), leaf([0], [1])]).restore(counters)).message;
  assert.match(
    told({ steps: 1, taken: [1] }),
    /Adam: the steps of 1 parameters are of another optimizer; this one has 2/,
  );
  assert.match(told({ steps: 1, progress: [1] }), /Adam: 1 numbers of progress .*; 2 were expected/);
  assert.match(told({ steps: 1, taken: [1, 1], progress: [1, 1] }), /Adam: 2 numbers of progress .*; 4 were expected/);
});

test('an optimizer with another’s state goes on as that one', async () => {
  for (const make of [
    (model: Springs) => new SGD(model, { lr: 0.1, momentum: 0.9, dampening: 0.5 }),
    (model: Springs) => new Adam(model, { lr: 0.1 }),
  ]) {
    const model = new Springs();
    const first = make(model);
    for (const stiffness of [1, 2, 3]) takeStep(model, first, stiffness);
    const saved = await readState([...model.namedTensors(), ...first.state()]);
    takeStep(model, first, 0.5);
    const other = new Springs();
    const second = make(other);
    second.steps = 3;
    writeState([...other.namedTensors(), ...second.state()], saved, 'test');
    takeStep(other, second, 0.5);
    await near(other.many, await model.many.data(), 0);
  }
});

test('state is named after its parameter', () => {
  const model = new Springs();
  const stateNames = (optimizer: Optimizer) => optimizer.state().map(({ name }) => name);
  assert.equal(stateNames(new SGD(model, { lr: 1 })), []);
  assert.equal(stateNames(new SGD(model, { lr: 1, momentum: 0.9 })), ['few.momentum_buffer', 'many.momentum_buffer']);
  assert.equal(stateNames(new AdamW(model)), ['few.exp_avg', 'many.exp_avg', 'few.exp_avg_sq', 'many.exp_avg_sq']);
});

test('schedules', () => {
  const at = (schedule: (t: number) => number, times: number[]) =>
    times.map((t) => Number(schedule(t).toPrecision(12)));
  assert.equal(at(constantSchedule(0.3), [0, 5]), [0.3, 0.3]);
  assert.equal(at(stepSchedule(1, [3, 5], 0.5), [0, 2, 3, 4, 5, 9]), [1, 1, 0.5, 0.5, 0.25, 0.25]);
  assert.equal(at(cosineSchedule(1, 4), [0, 2, 4, 7]), [1, 0.5, 0, 0]);
  assert.ok(Math.abs(cosineSchedule(0.1, 4, 0.02)(1) - (0.02 + 0.04 * (1 + Math.SQRT1_2))) < 1e-12);
  assert.equal(at(warmUp(cosineSchedule(1, 4), 3), [0, 1, 2, 3, 5]), [0.25, 0.5, 0.75, 1, 0.5]);
  assert.match(errorOf(() => cosineSchedule(1, 0)).message, /cosineSchedule: the length must be above 0, not 0/);
});

test('an optimizer with nothing to train is refused', () => {
  class Empty extends Module {
    constructor(readonly options: Readonly<Record<string, unknown>> = {}) {
      super(engine);
    }

    forward(x: Tensor): Tensor {
      return x;
    }
  }
  const model = new Springs();
  for (const make of [
    (module: Module) => new SGD(module, { lr: 0.1 }),
    (module: Module) => new Adam(module),
    (module: Module) => new AdamW(module),
  ]) {
    const name = make(model).constructor.name;
    const empty = errorOf(() => make(new Empty()));
    assert.is(empty.name, 'ArgumentError');
    assert.match(empty.message, new RegExp(`^${name}: there is nothing to train: Empty has no parameters\\. Keep`));
    model.freeze();
    const frozen = errorOf(() => make(model));
    assert.is(frozen.name, 'ArgumentError');
    assert.match(
      frozen.message,
      new RegExp(`^${name}: .*Springs has 2 tensors, and none of them requires a gradient\\. Call unfreeze\\(\\)`),
    );
    model.unfreeze();
  }
});

needs('shader-f16')('an f16 parameter is refused, for the kernels would take it for f32', () => {
  const model = new Springs();
  const half = engine.tensor([1, 2], [2], 'f16');
  half.requiresGrad = true;
  Object.assign(model, { half });
  const error = errorOf(() => new SGD(model, { lr: 1 }));
  assert.is(error.name, 'DTypeError');
  assert.match(error.message, /SGD: the parameter "half" is f16; optimizers update f32/);
});

test('a rate that is undefined is the default one', () => {
  assert.is(new AdamW(new Springs(), { weightDecay: undefined as never }).weightDecay, 0.01);
});

test('rates that make no sense are refused', () => {
  const model = new Springs();
  const message = (fn: () => unknown) => errorOf(fn).message;
  const tells: [() => unknown, RegExp][] = [
    [() => new SGD(model, { lr: -1 }), /SGD: the learning rate must be in \[0, ∞\), not -1/],
    [() => new SGD(model, { lr: Number.NaN }), /learning rate .* not NaN/],
    [() => new SGD(model, { lr: 1, momentum: 1 }), /momentum must be in \[0, 1\), not 1/],
    [() => new SGD(model, { lr: 1, nesterov: true }), /Nesterov.* needs a momentum/],
    [() => new SGD(model, { lr: 1, momentum: 0.9, dampening: 0.1, nesterov: true }), /Nesterov.* no dampening/],
    [() => new Adam(model, { betas: [0.9, 1] }), /beta must be in \[0, 1\), not 1/],
    [() => new AdamW(model, { weightDecay: -0.1 }), /weight decay must be in \[0, ∞\), not -0.1/],
  ];
  for (const [fn, expected] of tells) assert.match(message(fn), expected);
});

test.run();
