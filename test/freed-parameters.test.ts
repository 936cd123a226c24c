/** Optimizers whose model was freed or whose rate is no number; and what `using` and `console.log` make of what the engine gives. */
import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AdamW,
  ArgumentError,
  capture,
  FreedTensorError,
  GradientAccumulator,
  GradScaler,
  Linear,
  Module,
  MovingAverage,
  ReLU,
  Sequential,
  SGD,
} from '../src/index.ts';
import { engine, uniform } from './support/engine.ts';

const thrown = (fn: () => unknown): Error => {
  try {
    fn();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
};

test('a freed model is neither trained nor given to an optimizer', () => {
  const model = new Linear(engine, 3, 2);
  const optimizer = new AdamW(model, { lr: 0.1 });
  model.dispose();
  for (const [error, where] of [
    [thrown(() => optimizer.step()), 'AdamW.step'],
    [thrown(() => new SGD([engine.ones([2]).add(0)], { lr: 0.1 })), 'SGD'],
  ] as const)
    assert.ok(error.message.startsWith(`${where}: `), error.message);
  const error = thrown(() => optimizer.step());
  assert.instance(error, FreedTensorError);
  assert.match(error.message, /AdamW\.step: the parameter "weight", \w+ \[3, 2\], was freed\. Keep it until then/);
  const parameter = engine.keep(engine.ones([2]));
  parameter.requiresGrad = true;
  parameter.dispose();
  assert.instance(
    thrown(() => new SGD([parameter], { lr: 0.1 })),
    FreedTensorError,
  );
  optimizer.dispose();
});

test('a rate that is no number is refused before anything is updated, in a captured step too', async () => {
  const model = new Linear(engine, 3, 2);
  const optimizer = new AdamW([{ parameters: [model.weight] }, { parameters: [model.bias!], lr: 0.5 }], { lr: 0.1 });
  const step = capture(engine, (x) => {
    const loss = model.forward(x).square().mean();
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  });
  const x = engine.tensor(uniform(12, 1), [4, 3]);
  for (let i = 0; i < 3; i++) step(x);
  const before = [await model.weight.data(), optimizer.steps, await optimizer.counters()];
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
    optimizer.lr = bad;
    const error = thrown(() => step(x));
    assert.instance(error, ArgumentError);
    assert.match(error.message, new RegExp(`AdamW: the learning rate must be in \\[0, ∞\\), not ${bad}`));
  }
  optimizer.lr = 0.1;
  optimizer.groups[1]!.lr = Number.NaN;
  assert.instance(
    thrown(() => step(x)),
    ArgumentError,
  );
  assert.equal([await model.weight.data(), optimizer.steps, await optimizer.counters()], before);
  optimizer.groups[1]!.lr = 0.5;
  step(x);
  assert.is(optimizer.steps, 4);
  step.dispose();
  optimizer.dispose();
  model.dispose();
});

test('`using` frees models, optimizers and what goes with them', () => {
  const live = engine.memory().liveBuffers;
  {
    using model = new Sequential(engine, new Linear(engine, 3, 2));
    using optimizer = new AdamW(model, { lr: 0.1 });
    using average = new MovingAverage(model);
    using scaler = new GradScaler(engine);
    using accumulator = new GradientAccumulator(model.parameters());
    using step = capture(engine, (x) => x.mul(2).sum());
    using x = engine.ones([3]);
    for (let i = 0; i < 3; i++) step(x).dispose();
    assert.ok(optimizer && average && scaler && accumulator && engine.memory().liveBuffers > live);
  }
  assert.is(engine.memory().liveBuffers, live);
  class Own extends Module {
    freed = 0;
    forward = (x: never) => x;
    override dispose(): void {
      this.freed++;
    }
  }
  const own = new Own(engine);
  own[Symbol.dispose]();
  assert.is(own.freed, 1, 'the dispose of the class itself');
});

test('tensors and modules say what they are', () => {
  using x = engine.ones([2, 3]);
  assert.is(inspect(x), 'Tensor(f32[2, 3])');
  using model = new Sequential(engine, new Linear(engine, 3, 2), new Sequential(engine, new ReLU(engine)));
  const text = 'Sequential()\n  0: Linear(weight [3, 2], bias [2])\n  1: Sequential()\n    0: ReLU()';
  assert.equal([`${model}`, inspect(model)], [text, text]);
});

test.run();
