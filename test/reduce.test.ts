import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import { type DType, Engine, prod, SGD, supportsF16 } from '../src/index.ts';
import { engine, errorOf, leaf, near, uniform } from './support/engine.ts';

/** Folds the given axes of a row-major array in float64; `axes` ascending. */
function fold(
  values: ArrayLike<number>,
  shape: readonly number[],
  axes: readonly number[],
  combine: (a: number, b: number) => number,
): Float64Array {
  const kept = shape.filter((_, axis) => !axes.includes(axis));
  const out: (number | undefined)[] = new Array(kept.reduce((a, b) => a * b, 1)).fill(undefined);
  for (let i = 0; i < values.length; i++) {
    let rest = i;
    let at = 0;
    let stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const n = shape[axis]!;
      if (!axes.includes(axis)) {
        at += (rest % n) * stride;
        stride *= n;
      }
      rest = Math.floor(rest / n);
    }
    const before = out[at];
    out[at] = before === undefined ? values[i]! : combine(before, values[i]!);
  }
  return Float64Array.from(out as number[]);
}

const cases: { shape: number[]; axes: number | number[] | undefined }[] = [
  { shape: [7], axes: undefined },
  { shape: [3, 4, 5], axes: 1 },
  { shape: [3, 4, 5], axes: [0, 2] },
  { shape: [3, 4, 5], axes: -1 },
  { shape: [2, 3, 2, 5], axes: [3, 1] },
  { shape: [2, 1, 3], axes: 1 },
  { shape: [4, 65], axes: 1 },
  { shape: [33, 3], axes: 0 },
];

for (const { shape, axes } of cases) {
  test(`sum, mean, max and min of ${shape.join('×')} over ${JSON.stringify(axes) ?? 'everything'}`, async () => {
    const size = shape.reduce((a, b) => a * b);
    const x = engine.tensor(uniform(size, 1), shape);
    const list = (axes === undefined ? shape.map((_, i) => i) : [axes].flat()).map((a) =>
      a < 0 ? a + shape.length : a,
    );
    const count = list.reduce((n, axis) => n * shape[axis]!, 1);
    const by = (combine: (a: number, b: number) => number) => (values: Float64Array) =>
      fold(values, shape, list, combine);
    await gradcheck(
      (t) => t.sum(axes),
      by((a, b) => a + b),
      [x],
    );
    await gradcheck(
      (t) => t.mean(axes),
      (values) => by((a, b) => a + b)(values).map((v) => v / count),
      [x],
    );
    await gradcheck((t) => t.max(axes), by(Math.max), [x]);
    await gradcheck((t) => t.min(axes), by(Math.min), [x]);
    const keptShape = shape.map((n, axis) => (list.includes(axis) ? 1 : n));
    assert.equal(x.sum(axes, { keepDims: true }).shape, keptShape);
    assert.equal(
      x.sum(axes).shape,
      shape.filter((_, axis) => !list.includes(axis)),
    );
    await gradcheck(
      (t) => t.mean(axes, { keepDims: true }).mul(2),
      (values) => by((a, b) => a + b)(values).map((v) => (2 * v) / count),
      [x],
    );
  });
}

test('long reductions are split, and stay exact to float32', async () => {
  for (const shape of [[1_000_003], [3, 200_001], [100_001, 5], [4097, 64], [2, 5000, 3]]) {
    const size = shape.reduce((a, b) => a * b);
    const values = uniform(size, 2, 0, 1);
    const x = engine.tensor(values, shape);
    await near(x.sum(), [values.reduce((a, b) => a + b, 0)], 1e-6, `sum of ${shape}`);
    const axis = shape.length === 3 ? 1 : 0;
    await near(
      x.sum(axis),
      fold(values, shape, [axis], (a, b) => a + b),
      1e-6,
      `sum of ${shape} over ${axis}`,
    );
    await near(x.max(), [values.reduce((a, b) => Math.max(a, b))], 0, 'max');
  }
});

test('long sums of columns and rows add up in levels', async () => {
  const n = 4096;
  const values = uniform(n * n, 5, 0, 1);
  const x = engine.tensor(values, [n, n]);
  const columns = new Float64Array(n);
  const rows = new Float64Array(n);
  values.forEach((v, i) => {
    columns[i % n]! += v;
    rows[Math.floor(i / n)]! += v;
  });
  await near(x.sum(0), columns, 1.1e-7, 'columns');
  await near(x.sum(1), rows, 1.1e-7, 'rows');
});

/** Extrema and their places over rows, columns and long rows, NaN at one place or two. */
async function findsNaN(on: Engine, dtype: DType): Promise<void> {
  for (const [n, inner] of [
    [5, 1],
    [5, 3],
    [300, 1],
    [300, 3],
    [40_000, 1],
  ] as const) {
    for (const at of [0, 1, n - 1]) {
      const values = uniform(2 * n * inner, 6);
      // The second of two blocks is left alone.
      for (const place of [at, n - 1]) values.fill(Number.NaN, place * inner, place * inner + inner);
      const x = on.tensor(values, [2, n, inner], dtype);
      for (const kind of ['max', 'min'] as const) {
        const y = [...(await x[kind](1).data())];
        const places = [...(await x[kind === 'max' ? 'argmax' : 'argmin'](1).data())];
        const what = `${kind} of ${n}×${inner}, NaN at ${at}`;
        assert.equal(y.slice(0, inner), new Array(inner).fill(Number.NaN), what);
        assert.equal(places.slice(0, inner), new Array(inner).fill(at), `place of the ${what}`);
        assert.ok(y.slice(inner).every(Number.isFinite), what);
      }
      assert.ok(Number.isNaN(await x.max().item()), 'of everything');
    }
  }
}

test('extrema find the first NaN', () => findsNaN(engine, 'f32'));
(supportsF16(engine) ? test : test.skip)('extrema of f16 find the first NaN', () => findsNaN(engine, 'f16'));

test('the other kind of adapter finds it too, and adds up the same', async () => {
  const other = Engine.from(engine.device, { kind: engine.adapterKind === 'software' ? 'hardware' : 'software' });
  await findsNaN(other, 'f32');
  for (const shape of [
    [7, 3],
    [5000, 2],
    [3, 70_001],
    [100, 1000],
  ]) {
    const values = uniform(shape[0]! * shape[1]!, 7, 0, 1);
    const x = other.tensor(values, shape);
    for (const axis of [0, 1]) {
      await near(
        x.sum(axis),
        fold(values, shape, [axis], (a, b) => a + b),
        1e-6,
        `sum of ${shape} over ${axis}`,
      );
    }
    const places = await x.argmax(1).data();
    places.forEach((place, i) => {
      const row = values.subarray(i * shape[1]!, (i + 1) * shape[1]!);
      assert.is(place, row.indexOf(Math.max(...row.subarray(0, 1000), ...row.subarray(1000, 70_001))));
    });
  }
  await other.destroy();
});

test("the gradient of an extremum that is NaN is NaN in its row, as PyTorch's amax", async () => {
  const x = leaf([1, Number.NaN, 2, 1, 3, 2], [2, 3]);
  x.max(1).sum().backward();
  assert.equal([...(await x.grad!.data())], [Number.NaN, Number.NaN, Number.NaN, 0, 1, 0]);
});

test('infinities are extrema like others', async () => {
  const x = engine.tensor([1, Infinity, -Infinity, -Infinity, -Infinity, -Infinity], [2, 3]);
  assert.equal([...(await x.max(1).data())], [Infinity, -Infinity]);
  assert.equal([...(await x.min(1).data())], [-Infinity, -Infinity]);
  assert.equal([...(await x.argmax(1).data())], [1, 0]);
  assert.equal([...(await x.sum(1).data())], [Number.NaN, -Infinity]);
});

test('integers add up as integers', async () => {
  const x = engine.tensor(Int32Array.of(2 ** 30, 2 ** 30, -1, 5), [2, 2]);
  assert.equal(await x.sum(1).data(), Int32Array.of(-(2 ** 31), 4));
  assert.equal(await x.max().data(), Int32Array.of(2 ** 30));
  assert.equal(await engine.tensor(Uint32Array.of(4e9, 7)).min().data(), Uint32Array.of(7));
});

test('argmax and argmin take the first one among equals', async () => {
  const x = engine.tensor([
    [1, 5, 5, 2],
    [-3, -3, -9, -9],
  ]);
  assert.equal(await x.argmax().data(), Int32Array.of(1, 0));
  assert.equal(await x.argmin().data(), Int32Array.of(0, 2));
  assert.equal(await x.argmax(0).data(), Int32Array.of(0, 0, 0, 0));
  assert.equal(x.argmax(0, { keepDims: true }).shape, [1, 4]);
  const values = uniform(5 * 300 * 7, 3);
  const y = await engine.tensor(values, [5, 300, 7]).argmax(1).data();
  y.forEach((index, i) => {
    const at = (k: number) => values[Math.floor(i / 7) * 2100 + k * 7 + (i % 7)]!;
    for (let k = 0; k < 300; k++) assert.ok(at(k) <= at(index), `element ${i}`);
  });
});

test('equal extremes share the gradient', async () => {
  const x = leaf([3, 1, 3, 3, 2, 2], [2, 3]);
  x.max(1).sum().backward();
  await near(x.grad, [0.5, 0, 0.5, 1, 0, 0], 0);
});

test('axes out of range or named twice are refused', () => {
  const x = engine.zeros([2, 3]);
  assert.match(errorOf(() => x.sum(2)).message, /sum: axis 2 is out of range for a tensor of rank 2/);
  assert.match(errorOf(() => x.max([0, -2])).message, /max: axes \[0, 0\] name one axis twice/);
  assert.match(errorOf(() => x.argmax(-3)).message, /argmax: axis -3 is out of range/);
  assert.match(errorOf(() => engine.zeros([2], 'i32').mean()).message, /mean: takes f32 or f16.*i32/);
});

test('a reduction over axes of length 1 is not the tensor itself', async () => {
  for (const of of ['sum', 'max', 'min', 'prod', 'mean'] as const) {
    const x = leaf([1, 2, 3], [3, 1]);
    const before = of === 'prod' ? prod(x, 1) : x[of](1);
    before.sum().backward();
    new SGD([x], { lr: 1 }).step();
    assert.equal([...(await before.data())], [1, 2, 3], of);
    assert.equal([...(await x.data())], [0, 1, 2], of);
  }
});

test.run();
