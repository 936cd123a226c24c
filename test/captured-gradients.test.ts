/** Gradients in a captured step: they start from nothing in every call, and a call that fails leaves none behind. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AutogradError,
  capture,
  Engine,
  GradScaler,
  linear,
  Module,
  parameter,
  SGD,
  type Tensor,
} from '../src/index.ts';
import { engine, errorOf, leaf } from './support/engine.ts';

/** A model of one weight, to be fitted by (weight · x)². */
class One extends Module {
  readonly weight = parameter(engine, [1, 1], () => 2);

  forward(x: Tensor): Tensor {
    return linear(x.reshape([1, 1]), this.weight)
      .square()
      .sum();
  }
}

/** Weights after steps on 1, 2, 3 … by a step that is `made`, captured or not. */
async function weights(make: (model: One, optimizer: SGD) => (x: Tensor) => void, isCaptured: boolean, steps: number) {
  const model = new One(engine);
  const optimizer = new SGD(model, { lr: 0.01 });
  const plain = make(model, optimizer);
  const captured = isCaptured ? capture(engine, plain) : null;
  const seen: number[] = [];
  for (let i = 0; i < steps; i++) {
    engine.scope(() => (captured ?? plain)(engine.full([1], 1 + (i % 3))));
    seen.push(await model.weight.item());
  }
  captured?.dispose();
  optimizer.zeroGrad();
  return seen;
}

const idioms: [string, (model: One, optimizer: SGD) => (x: Tensor) => void][] = [
  [
    'at its end',
    (model, optimizer) => (x) => {
      model.forward(x).backward();
      optimizer.step();
      optimizer.zeroGrad();
    },
  ],
  [
    'at its beginning',
    (model, optimizer) => (x) => {
      optimizer.zeroGrad();
      model.forward(x).backward();
      optimizer.step();
    },
  ],
  [
    'between two backward passes that add up',
    (model, optimizer) => (x) => {
      optimizer.zeroGrad();
      model.forward(x).backward();
      model.forward(x.add(1)).backward();
      optimizer.step();
    },
  ],
];

for (const [when, make] of idioms) {
  test(`a captured step that clears gradients ${when} trains as the step itself`, async () => {
    const plain = await weights(make, false, 6);
    assert.is(new Set(plain).size, 6);
    assert.equal(await weights(make, true, 6), plain);
  });
}

test('a step that adds to the gradients of the call before is refused when it is recorded', async () => {
  const weight = leaf([3], [1]);
  const step = capture(engine, (x: Tensor) => x.mul(weight).sum().backward());
  const x = engine.ones([1]);
  step(x);
  for (let i = 0; i < 2; i++) {
    const error = errorOf(() => step(x));
    assert.instance(error, AutogradError);
    assert.match(
      error.message,
      /^backward: a leaf of shape \[1\] has a gradient from before.*Call zeroGrad\(\) inside/,
    );
    assert.equal([...(await weight.grad!.data())], [1], 'what was there is there');
  }
  step.dispose();
  weight.grad!.dispose();
});

for (const failing of [1, 2]) {
  test(`call ${failing} fails after backward: its gradients are gone, and later calls train as if it had not been`, async () => {
    let calls = 0;
    const make =
      (fails: boolean) =>
      (model: One, optimizer: SGD): ((x: Tensor) => void) => {
        calls = 0;
        return (x) => {
          model.forward(x).backward();
          if (fails && ++calls === failing) throw new RangeError('no');
          optimizer.step();
          optimizer.zeroGrad();
        };
      };
    const expected = await weights(make(false), false, 5);
    const model = new One(engine);
    const optimizer = new SGD(model, { lr: 0.01 });
    const step = capture(engine, make(true)(model, optimizer));
    const seen: number[] = [];
    const call = (i: number) => engine.scope(() => step(engine.full([1], 1 + (i % 3))));
    for (let i = 0; i < 5; i++) {
      if (calls === failing - 1) {
        const { liveBuffers } = engine.memory();
        assert.match(errorOf(() => call(i)).message, /no/);
        assert.is(model.weight.grad, null);
        assert.is(engine.memory().liveBuffers, liveBuffers);
      }
      call(i);
      seen.push(await model.weight.item());
    }
    assert.equal(seen, expected);
    assert.is(step.recordings, 1);
    step.dispose();
  });
}

test('a first call that fails puts the gradient back that it had added to', async () => {
  const weight = leaf([3], [1]);
  const x = engine.full([1], 5);
  x.mul(weight).sum().backward();
  const step = capture(engine, () => {
    x.mul(weight).sum().backward();
    throw new RangeError('no');
  });
  const { liveBuffers } = engine.memory();
  for (let i = 0; i < 3; i++) errorOf(step);
  assert.equal([...(await weight.grad!.data())], [5]);
  assert.is(engine.memory().liveBuffers, liveBuffers);
  weight.grad!.dispose();
});

test('a call that is recorded with a freed input leaves nothing behind', () => {
  const step = capture(engine, (x: Tensor) => x.add(1));
  const x = engine.ones([5]);
  engine.scope(() => step(x));
  x.dispose();
  const { liveBuffers } = engine.memory();
  assert.match(errorOf(() => step(x)).message, /was freed/);
  assert.is(engine.memory().liveBuffers, liveBuffers);
});

test('a first call that fails is followed by a first call', () => {
  let calls = 0;
  const step = capture(engine, () => {
    if (++calls === 1) throw new RangeError('no');
    return engine.ones([1]);
  });
  errorOf(step);
  step();
  assert.is(step.recordings, 0);
  step();
  assert.is(step.recordings, 1);
  step();
  assert.is(calls, 3);
  step.dispose();
});

test('a call that fails between unscaling and the update does not leave gradients unscaled for the next', async () => {
  const model = new One(engine);
  const optimizer = new SGD(model, { lr: 0.01 });
  const scaler = new GradScaler(engine);
  let calls = 0;
  const step = capture(engine, (x: Tensor) => {
    scaler.scale(model.forward(x)).backward();
    scaler.unscale(optimizer);
    if (++calls === 1) throw new RangeError('no');
    scaler.step(optimizer);
    scaler.update();
    optimizer.zeroGrad();
  });
  const x = engine.ones([1]);
  errorOf(() => step(x));
  step(x);
  assert.ok(Math.abs((await model.weight.item()) - 1.96) < 1e-5);
  step.dispose();
  scaler.dispose();
});

test('a read inside a captured step is warned of in its first call, once', async () => {
  const told: string[] = [];
  const own = await Engine.create({ warn: (message) => told.push(message) });
  const reads: Promise<number>[] = [];
  const step = capture(own, (x: Tensor) => {
    const sum = x.sum();
    if (x.shape[0] === 3 || reads.length === 0) reads.push(sum.item());
    return sum;
  });
  for (const size of [2, 3, 4, 4, 4]) assert.is(await step(own.ones([size])).item(), size);
  assert.equal(await Promise.all(reads), [2, 3]);
  assert.is(step.recordings, 1);
  assert.is(told.length, 1);
  assert.match(
    told[0]!,
    /a captured step reads a tensor while it runs, which no replay does again\. Return the tensor/,
  );
  await own.destroy();
});

test('after a call, replayed or not, leaves have the gradients that it left them', async () => {
  const trained = async (isCaptured: boolean) => {
    const weight = leaf([1, 1], [2]);
    const optimizer = new SGD([weight], { lr: 0.1 });
    const plain = (x: Tensor) => {
      optimizer.zeroGrad();
      x.mul(weight).mean().backward();
    };
    const captured = isCaptured ? capture(engine, plain) : null;
    const seen: number[] = [];
    for (let i = 0; i < 8; i++) {
      // A smaller last batch.
      const rows = i % 2 === 0 ? 3 : 1;
      engine.scope(() => (captured ?? plain)(engine.full([rows, 2], 1 + i)));
      optimizer.step();
      seen.push((await weight.data())[0] as number);
    }
    captured?.dispose();
    assert.ok(weight.grad && !weight.grad.isFreed, 'it is the leaf’s, not the recording’s');
    const last = [...(await weight.grad.data())];
    optimizer.zeroGrad();
    weight.dispose();
    return { seen, last };
  };
  assert.equal(await trained(true), await trained(false));
});

test('a step within a step gives back what it set alone', async () => {
  const [outer, inner] = [leaf([1], [1]), leaf([2], [1])];
  const within = capture(engine, (x: Tensor) => {
    inner.grad?.dispose();
    inner.grad = null;
    x.mul(inner).sum().backward();
  });
  const around = capture(engine, (x: Tensor) => {
    outer.grad?.dispose();
    outer.grad = null;
    x.mul(outer).sum().backward();
    within(x);
  });
  const x = (value: number) => engine.full([1], value);
  // The inner step is recorded within the outer one's first call, which is none.
  within(x(1));
  around(x(2));
  around(x(3));
  outer.grad?.dispose();
  outer.grad = null;
  within(x(4));
  assert.is(outer.grad, null);
  assert.is(await inner.grad?.item(), 4);
  around(x(5));
  assert.equal([await (outer.grad as Tensor | null)?.item(), await inner.grad?.item()], [5, 5]);
  for (const step of [within, around]) step.dispose();
});

test.run();
