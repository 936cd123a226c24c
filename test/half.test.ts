/** f16 tensors: the CPU's conversions bit by bit, the device's, and what moves, adds up or maps elements. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import {
  binary,
  concat,
  DTypeError,
  dropout,
  Engine,
  gather,
  pad,
  scatterAdd,
  supportsF16,
  type Tensor,
  unary,
  where,
} from '../src/index.ts';
import { binaryOps, type TableOp, unaryOps } from '../src/ops/elementwise/table.ts';
import { fromHalfBits, halfBits } from '../src/tensor/float-bits.ts';
import { engine, errorOf, leaf, near, needs, relativeL2, uniform } from './support/engine.ts';
import { HALF_EPSILON, halfLeaf, halves, rounded } from './support/half.ts';

test('every f16 survives the way through a number', () => {
  const lost: number[] = [];
  for (let bits = 0; bits < 0x10000; bits++) {
    const x = fromHalfBits(bits);
    if (Number.isNaN(x) ? (halfBits(x) & 0x7e00) !== 0x7e00 : halfBits(x) !== bits) lost.push(bits);
  }
  assert.equal(lost, []);
});

test('numbers go to the nearest f16, ties to the even one', () => {
  const wrong: number[] = [];
  for (let bits = 0; bits < 0x7c00; bits++) {
    const low = fromHalfBits(bits);
    const high = bits === 0x7bff ? 65536 : fromHalfBits(bits + 1);
    const middle = (low + high) / 2;
    const step = middle * 2 ** -20;
    for (const sign of [1, -1]) {
      const of = (x: number) => halfBits(sign * x) & 0x7fff;
      const right = of(middle) === bits + (bits % 2) && of(middle - step) === bits && of(middle + step) === bits + 1;
      if (!right) wrong.push(sign * middle);
    }
  }
  assert.equal(wrong, []);
  assert.is(halfBits(Number.POSITIVE_INFINITY), 0x7c00);
  assert.is(halfBits(-1e30), 0xfc00);
  assert.is(halfBits(-0), 0x8000);
  assert.is(halfBits(1e-30), 0);
});

needs('shader-f16')('uploads and reads convert; odd counts are padded', async () => {
  const values = [1, -2.5, 65504, 65520, 2 ** -24, 0.1, Number.NaN];
  const x = engine.tensor(Float32Array.from(values), [7], 'f16');
  const read = [...(await x.data())];
  assert.equal(read.slice(0, 5), [1, -2.5, 65504, Number.POSITIVE_INFINITY, 2 ** -24]);
  assert.is(read[5], fromHalfBits(halfBits(0.1)));
  assert.ok(Number.isNaN(read[6]));
  assert.is(x.dtype, 'f16');
  assert.equal(await engine.tensor([[1], [3]], undefined, 'f16').array(), [[1], [3]]);
  assert.equal([...(await engine.ones([3], 'f16').data())], [1, 1, 1]);
});

needs('shader-f16')('an f16 tensor takes half the bytes', () => {
  const before = engine.memory().liveBytes;
  const x = engine.zeros([1000, 64], 'f16');
  assert.is(engine.memory().liveBytes - before, 128000);
  x.dispose();
});

needs('shader-f16')('the device rounds as the CPU does, subnormals and overflow included', async () => {
  const values = Float32Array.from([
    ...uniform(2000, 1, -4, 4),
    ...uniform(500, 2, -1e-4, 1e-4),
    ...uniform(500, 3, -3e-6, 3e-6),
    ...uniform(500, 4, -7e4, 7e4),
    ...Array.from({ length: 400 }, (_, i) => 1 + (2 * i + 1) * 2 ** -11), // ties
    ...[1e30, -1e30, 65504, 65519.99, 65520, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0],
  ]);
  assert.equal(
    [...(await engine.tensor(values).cast('f16').data())],
    [...values].map((x) => fromHalfBits(halfBits(x))),
  );
  assert.ok(Number.isNaN(await engine.tensor([Number.NaN]).cast('f16').sum().item()));
});

needs('shader-f16')('casts go between all dtypes', async () => {
  const x = engine.tensor([-2.75, 0, 3.5, 7], undefined, 'f16');
  assert.equal([...(await x.cast('i32').data())], [-2, 0, 3, 7]);
  assert.equal([...(await engine.tensor(Int32Array.of(-3, 2049)).cast('f16').data())], [-3, 2048]);
  assert.equal([...(await x.cast('f32').data())], [-2.75, 0, 3.5, 7]);
  assert.is(x.cast('f16'), x);
});

needs('shader-f16')('a cast hands its gradient back in the dtype it came in', async () => {
  const master = engine.tensor([0.1, 2, -3]);
  master.requiresGrad = true;
  const y = master.cast('f16').mul(3).cast('f32');
  y.mul(engine.tensor([1, 10, 100]))
    .sum()
    .backward();
  assert.is(master.grad?.dtype, 'f32');
  assert.equal([...(await master.grad!.data())], [3, 30, 300]);
});

/** gradcheck in f16: value and gradients are each rounded once or twice on their way. */
const check = (fn: (...x: Tensor[]) => Tensor, reference: Parameters<typeof gradcheck>[1], inputs: Tensor[]) =>
  gradcheck(fn, reference, inputs, { tolerance: 3 * HALF_EPSILON });

needs('shader-f16')('elementwise operations and their gradients', async () => {
  const numbers = (op: TableOp, count: number, seed: number, shape: number[]) =>
    halves(uniform(count, seed, ...(op.domain ?? [-2, 2])), shape);
  for (const name of ['relu', 'square', 'neg', 'exp'] as const) {
    const op: TableOp = unaryOps[name];
    const x = numbers(op, 201, 1, [3, 67]);
    await check(unary[name], (values) => values!.map((value) => Number(op.reference(value))), [x]);
  }
  for (const name of ['add', 'sub', 'mul', 'div', 'maximum'] as const) {
    const op: TableOp = binaryOps[name];
    const a = numbers(op, 36, 2, [3, 12]);
    const b = numbers(op, 12, 3, [12]);
    await check(binary[name], (x, y) => x!.map((value, i) => Number(op.reference(value, y![i % 12]!))), [a, b]);
  }
  const x = halves(uniform(50, 4), [50]);
  await check(
    (t) => t.mul(0.3).add(2),
    (v) => v!.map((value) => value * 0.3 + 2),
    [x],
  );
  assert.equal((await x.greater(0).data())[0], (await x.data())[0]! > 0 ? 1 : 0);
  const chosen = where(x.greater(0), x, -1);
  assert.is(chosen.dtype, 'f16');
  await near(
    chosen,
    (await x.data()).map((v) => (v > 0 ? v : -1)),
    0,
  );
});

needs('shader-f16')('two float dtypes do not mix by themselves', () => {
  const error = errorOf(() => engine.zeros([2], 'f16').add(engine.zeros([2])));
  assert.instance(error, DTypeError);
  assert.match(error.message, /one dtype among.*f16\[2\], f32\[2\]/);
});

needs('shader-f16')("dropout of f16 draws f32's mask and scales to f16's rounding, forward and backward", async () => {
  const data = rounded(uniform(1001, 8));
  const options = { from: { seed: 3 } };
  const [x, full] = [halfLeaf(data, [7, 143]), leaf(data, [7, 143])];
  const [y, expected] = [dropout(x, 0.3, options), dropout(full, 0.3, options)];
  assert.is(y.dtype, 'f16');
  assert.equal(await y.data(), rounded(await expected.data()));
  y.backward(halves(data, y.shape));
  expected.backward(engine.tensor(data, y.shape));
  assert.is(x.grad?.dtype, 'f16');
  assert.equal(await x.grad!.data(), rounded(await full.grad!.data()));
});

needs('shader-f16')('sums are f32, and beyond what f16 could hold', async () => {
  const x = engine.full([100, 300], 7, 'f16');
  assert.is(await x.sum().item(), 210000);
  assert.is(x.sum().dtype, 'f32');
  assert.is(await engine.full([1], 3, 'f16').sum().item(), 3);
  const data = uniform(4 * 33 * 5, 5);
  const y = halfLeaf(data, [4, 33, 5]);
  for (const axes of [[0], [1], [2], [0, 2], [0, 1, 2]]) {
    await check(
      (t) => t.sum(axes),
      (v) => sumOver(v!, [4, 33, 5], axes),
      [y],
    );
    await check(
      (t) => t.mean(axes),
      (v) => {
        const n = axes.reduce((product, axis) => product * [4, 33, 5][axis]!, 1);
        return sumOver(v!, [4, 33, 5], axes).map((total) => total / n);
      },
      [y],
    );
  }
  const values = [...(await y.data())];
  const most = y.max();
  assert.is(await most.item(), Math.max(...values));
  assert.is(await y.flatten(0).argmax().item(), values.indexOf(Math.max(...values)));
  most.backward();
  assert.is(y.grad?.dtype, 'f16');
  assert.is((await y.grad!.data())[values.indexOf(Math.max(...values))], 1);
});

function sumOver(values: Float64Array, shape: readonly number[], axes: readonly number[]): Float64Array {
  const kept = shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
  const out = new Float64Array(kept.reduce((a, b) => a * b, 1));
  values.forEach((value, i) => {
    let rest = i;
    let at = 0;
    let stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (!axes.includes(axis)) {
        at += (rest % shape[axis]!) * stride;
        stride *= shape[axis]!;
      }
      rest = Math.floor(rest / shape[axis]!);
    }
    out[at]! += value;
  });
  return out;
}

needs('shader-f16')('what only moves elements moves f16 and its gradient', async () => {
  const data = uniform(24, 6);
  const x = halfLeaf(data, [2, 3, 4]);
  const plain = engine.tensor(await x.data(), [2, 3, 4]);
  plain.requiresGrad = true;
  const index = engine.tensor(Int32Array.of(2, 0, 2));
  const moves: ((t: Tensor) => Tensor)[] = [
    (t) => t.transpose([2, 0, 1]),
    (t) => t.slice([null, [0, 3, 2], [null, null, -1]]),
    (t) =>
      pad(
        t,
        [
          [0, 1],
          [1, 0],
          [2, 1],
        ],
        0.5,
      ),
    (t) => concat([t, t.mul(2)], 1),
    (t) => gather(t, index, 1),
    (t) => scatterAdd(t, index, t, 1),
    (t) => t.reshape([6, 4]).flatten(),
  ];
  for (const move of moves) {
    const [y, expected] = [move(x), move(plain)];
    assert.is(y.dtype, 'f16');
    await near(y, await expected.data(), HALF_EPSILON, String(move));
    const seed = uniform(y.size, 7);
    y.backward(halves(seed, y.shape));
    expected.backward(engine.tensor(await halves(seed, y.shape).data(), y.shape));
    assert.is(x.grad?.dtype, 'f16');
    await near(x.grad, await plain.grad!.data(), HALF_EPSILON, `gradient of ${move}`);
    for (const leaf of [x, plain]) {
      leaf.grad?.dispose();
      leaf.grad = null;
    }
  }
});

test('a device without shader-f16 says so', async () => {
  const adapter = (await (await import('#adapter')).requestAdapter()).adapter;
  const device = await adapter.requestDevice();
  const plain = Engine.from(device);
  assert.is(supportsF16(plain), false);
  assert.is(supportsF16(engine), engine.device.features.has('shader-f16'));
  const error = errorOf(() => plain.zeros([2], 'f16'));
  assert.instance(error, DTypeError);
  assert.match(error.message, /f16.*shader-f16/);
  assert.instance(
    errorOf(() => plain.zeros([2]).cast('f16')),
    DTypeError,
  );
  await plain.destroy();
  device.destroy();
});

test('relative error of one rounding is within epsilon', () => {
  const x = uniform(1000, 8);
  assert.ok(
    relativeL2(
      x.map((v) => fromHalfBits(halfBits(v))),
      x,
    ) < HALF_EPSILON,
  );
});

test.run();
