import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import { AutogradError, backward, clipGradNorm, customOp, noGrad, ShapeError, type Tensor } from '../src/index.ts';
import { engine, errorOf, leaf, near, uniform } from './support/engine.ts';

test('gradients of a diamond meet before they go on', async () => {
  const x = leaf([2, -1], [2]);
  let passes = 0;
  const watched = customOp({
    name: 'watched',
    forward: (a) => ({ output: a.mul(3), saved: null }),
    backward: (dy) => {
      passes++;
      return [dy.mul(3)];
    },
  });
  const a = watched(x);
  // y = a² + e^a · a: three ways back to a, one on to x.
  a.square().add(a.exp().mul(a)).sum().backward();
  assert.is(passes, 1);
  await near(
    x.grad,
    [6, -3].map((v) => 3 * (2 * v + Math.exp(v) * (v + 1))),
    1e-6,
  );
});

test('an input used twice gets the sum', async () => {
  const x = leaf([3], [1]);
  x.mul(x).add(x).backward();
  await near(x.grad, [7], 0);
});

test('a graph a thousand operations deep is no recursion', async () => {
  const x = leaf([1], [1]);
  let y: Tensor = x;
  for (let i = 0; i < 1000; i++) y = y.add(x);
  y.backward();
  await near(x.grad, [1001], 0);
});

test('gradients add up over two backward calls, on one graph or two', async () => {
  const x = leaf([1, 2], [2]);
  const y = x.square().sum();
  y.backward();
  await near(x.grad, [2, 4], 0);
  y.backward();
  await near(x.grad, [4, 8], 0);
  x.mul(10).sum().backward();
  await near(x.grad, [14, 18], 0);
  const before = x.grad!;
  x.sum().backward();
  assert.ok(before.isFreed, 'the old sum is freed');
});

test('a gradient handed to two leaves belongs to each alone', async () => {
  const a = leaf([1, 2], [2]);
  const b = leaf([3, 4], [2]);
  backward(a.add(b), engine.tensor([5, 6]));
  a.grad!.dispose();
  await near(b.grad, [5, 6], 0);
});

test('the seed stays the caller’s own', async () => {
  const x = leaf([1, 2], [2]);
  const seed = engine.tensor([5, 6]);
  backward(x.reshape([2, 1]).reshape([2]), seed);
  assert.not.ok(seed.isFreed);
  await near(x.grad, [5, 6], 0);
  x.grad!.dispose();
  await near(seed, [5, 6], 0);
});

test('detached values and noGrad pass nothing', async () => {
  const x = leaf([2, 3], [2]);
  x.mul(x.detach()).sum().backward();
  await near(x.grad, [2, 3], 0);
  const y = noGrad(engine, () => x.exp());
  assert.not.ok(y.requiresGrad);
  assert.ok(x.exp().requiresGrad, 'recording goes on afterwards');
  errorOf(() => noGrad(engine, () => x.add(engine.ones([7]))));
  assert.ok(engine.gradEnabled, 'and after an error');
});

test('what needs no gradient gets none', () => {
  const x = leaf([1], [1]);
  const constant = engine.tensor([2]);
  x.mul(constant).backward();
  assert.is(constant.grad, null);
  assert.ok(x.mul(constant).requiresGrad);
  assert.not.ok(constant.mul(constant).requiresGrad);
  assert.is(x.greater(0).requiresGrad, false);
});

test('an operation of your own stands beside the others', async () => {
  const cube = customOp({
    name: 'cube',
    forward: (x) => ({ output: x.mul(x).mul(x), saved: x }),
    backward: (dy, x) => [dy.mul(x.mul(x)).mul(3)],
  });
  await gradcheck(
    (x) => cube(x.add(1)).sigmoid(),
    (v) => v.map((x) => 1 / (1 + Math.exp(-((x + 1) ** 3)))),
    [engine.tensor(uniform(12, 1), [3, 4])],
  );
  const two = customOp({
    name: 'only_the_first',
    forward: (a, b) => ({ output: a.mul(b), saved: b }),
    backward: (dy, b) => [dy.mul(b), null],
  });
  const [a, b] = [leaf([2], [1]), leaf([5], [1])];
  two(a, b).backward();
  await near(a.grad, [5], 0);
  assert.is(b.grad, null);
});

test('an operation that gives its input back leaves the input a leaf', async () => {
  const straight = customOp({
    name: 'straight_through',
    forward: (x) => ({ output: x, saved: null }),
    backward: (dy) => [dy.mul(5)],
  });
  const x = leaf([1, 2], [2]);
  const y = straight(x);
  assert.ok(x.isLeaf && y !== x);
  y.sum().backward();
  await near(x.grad, [5, 5], 0);
});

test('a backward of the wrong shape is found out by name', () => {
  const wrong = customOp({
    name: 'wrong',
    forward: (x) => ({ output: x.sum(), saved: null }),
    backward: (dy) => [dy],
  });
  const error = errorOf(() => wrong(leaf([1, 2], [2])).backward());
  assert.instance(error, ShapeError);
  assert.match(error.message, /wrong: its backward gave input 0 a gradient of shape \[\]; the input has \[2\]/);
});

test('backward from where it cannot start is refused', () => {
  const x = leaf([1, 2], [2]);
  const message = (fn: () => unknown) => {
    const error = errorOf(fn);
    assert.instance(error, AutogradError);
    return error.message;
  };
  assert.match(
    message(() => x.mul(2).backward()),
    /a tensor of shape \[2\] needs a seed gradient/,
  );
  assert.match(
    message(() => engine.ones([1]).backward()),
    /nothing that made this tensor requires a gradient/,
  );
  assert.match(
    errorOf(() => backward(x.mul(2), engine.ones([3]))).message,
    /the seed has shape \[3\], the tensor \[2\]/,
  );
  assert.match(
    message(() => {
      x.mul(2).requiresGrad = true;
    }),
    /leaves only.*detach\(\)/,
  );
  assert.match(
    message(() => {
      engine.zeros([1], 'i32').requiresGrad = true;
    }),
    /an i32 tensor has no gradient: whole numbers have none\. Make it of floats, or .*cast\('f32'\)\.$/,
  );
});

test('a backward frees what it made on the way', async () => {
  const x = leaf(uniform(1000, 2), [1000]);
  const step = () =>
    engine.scope(() => {
      x.exp().mul(x).sigmoid().add(x).mean().backward();
    });
  step();
  x.grad!.dispose();
  x.grad = null;
  const before = engine.memory();
  step();
  const after = engine.memory();
  assert.is(after.liveBuffers, before.liveBuffers + 1, 'only the gradient stays');
  assert.is(after.liveBytes, before.liveBytes + 4000);
});

test('gradcheck finds a wrong value, a wrong gradient and a wrong size', async () => {
  const x = engine.tensor([0.5, 1, 2]);
  const { liveBuffers } = engine.memory();
  const refused = async (run: Promise<unknown>, pattern: RegExp) => {
    const error = await run.then(
      () => null,
      (reason: Error) => reason,
    );
    assert.match(error?.message ?? 'nothing was thrown', pattern);
  };
  const slanted = customOp({
    name: 'slanted',
    forward: (t) => ({ output: t.exp(), saved: t }),
    backward: (dy, t) => [dy.mul(t.exp()).mul(1.001)],
  });
  await refused(
    gradcheck(slanted, (v) => v.map(Math.exp), [x]),
    /the gradient of input 0 of shape \[3\] is off by 0\.00100/,
  );
  await refused(
    gradcheck(
      (t) => t.exp(),
      (v) => v.map(Math.expm1),
      [x],
    ),
    /the value of shape \[3\] is off by .*: element \d is/,
  );
  await refused(
    gradcheck(
      (t) => t.exp(),
      (v) => v.slice(1),
      [x],
    ),
    /the reference gives 2 elements/,
  );
  for (const options of [{ step: 0 }, { step: -1e-3 }, { tolerance: Number.NaN }, { tolerance: -1 }]) {
    await refused(
      gradcheck(
        (t) => t.exp(),
        (v) => v.map(Math.exp),
        [x],
        options,
      ),
      /^gradcheck: tolerance must be at least 0 and step above 0, not/,
    );
  }
  const report = await gradcheck(
    (t) => t.exp(),
    (v) => v.map(Math.exp),
    [x],
  );
  assert.ok(report.value < 1e-6 && report.gradients[0]! < 1e-6);
  assert.is(engine.memory().liveBuffers, liveBuffers, 'nothing is left behind');
});

test('what the forward pass saved stays as it is, whenever the seed was made', async () => {
  const seed = engine.ones([2]);
  const saved = engine.full([2], 2);
  const twice = customOp({
    name: 'twice',
    forward: (a) => ({ output: a.mul(2), saved }),
    backward: (_, factor) => [factor],
  });
  const x = leaf([1, 1], [2]);
  twice(x).backward(seed);
  clipGradNorm([x], 1);
  await near(saved, [2, 2], 0);
  x.grad?.dispose();
  assert.not.ok(saved.isFreed);
});

test('the gradient of a leaf made in a scope ends with it', async () => {
  const before = engine.memory().liveBuffers;
  for (let i = 0; i < 3; i++) {
    engine.scope(() => {
      const x = engine.full([1000], i);
      x.requiresGrad = true;
      x.square().sum().backward();
    });
  }
  assert.is(engine.memory().liveBuffers, before);
  const kept = engine.scope(() => {
    const x = engine.full([2], 3);
    x.requiresGrad = true;
    x.square().sum().backward();
    return x.grad as Tensor;
  });
  await near(kept, [6, 6], 0);
  kept.dispose();
});

test.run();
