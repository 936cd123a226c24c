import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import {
  concat,
  countEqual,
  type DType,
  dropout,
  Engine,
  flip,
  gather,
  oneHot,
  pad,
  type Range,
  scatterAdd,
  slice,
  sort,
  supportsF16,
  type Tensor,
  transpose,
} from '../src/index.ts';
import { engine, errorOf, leaf, near, uniform } from './support/engine.ts';

/** Numbers that tell their place. */
const counted = (shape: number[]) =>
  engine.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
    shape,
  );

/**
 * Checks an operation that only moves elements: where each one comes from is read off its value on counted elements and
 * compared with `expected` (−1: the constant `fill`); then the gradient follows from the same list.
 */
async function moves(fn: (x: Tensor) => Tensor, shape: number[], expected: readonly number[], fill = 0): Promise<void> {
  const places = [...(await fn(counted(shape).add(1)).data())];
  assert.equal(
    places,
    expected.map((from) => (from < 0 ? fill : from + 1)),
  );
  const x = engine.tensor(
    uniform(
      shape.reduce((a, b) => a * b, 1),
      1,
    ),
    shape,
  );
  await gradcheck(fn, (v) => expected.map((from) => (from < 0 ? fill : v[from]!)), [x]);
}

test('transpose moves axes', async () => {
  await moves((x) => transpose(x), [2, 3], [0, 3, 1, 4, 2, 5]);
  await moves((x) => transpose(x, [0, 2, 1]), [2, 2, 2], [0, 2, 1, 3, 4, 6, 5, 7]);
  await moves((x) => transpose(x, [2, 0, 1]), [1, 2, 3], [0, 3, 1, 4, 2, 5]);
  assert.equal(transpose(counted([2, 3, 4, 5]), [3, 1, 0, 2]).shape, [5, 3, 2, 4]);
});

test('slices go by Python’s rules, strides and backwards included', async () => {
  const cases: [Range, number[]][] = [
    [
      [1, 4],
      [1, 2, 3],
    ],
    [
      [null, null, 2],
      [0, 2, 4, 6],
    ],
    [
      [1, null, 3],
      [1, 4],
    ],
    [[-3], [4, 5, 6]],
    [
      [null, -5],
      [0, 1],
    ],
    [
      [null, null, -1],
      [6, 5, 4, 3, 2, 1, 0],
    ],
    [
      [5, 1, -2],
      [5, 3],
    ],
    [
      [-100, 100],
      [0, 1, 2, 3, 4, 5, 6],
    ],
  ];
  for (const [range, expected] of cases) await moves((x) => slice(x, [range]), [7], expected);
  await moves((x) => slice(x, [null, [null, null, 2]]), [2, 3], [0, 2, 3, 5]);
  await moves(
    (x) =>
      slice(x, [
        [1, 2],
        [0, 1],
      ]),
    [2, 2, 2],
    [4, 5],
  );
  await moves((x) => flip(x, [-1]), [2, 3], [2, 1, 0, 5, 4, 3]);
});

test('padding surrounds', async () => {
  await moves(
    (x) =>
      pad(
        x,
        [
          [1, 0],
          [0, 2],
        ],
        7,
      ),
    [1, 2],
    [-1, -1, -1, -1, 0, 1, -1, -1],
    7,
  );
});

test('tensors are joined along an axis', async () => {
  const a = engine.tensor(uniform(4, 2), [2, 2]);
  const b = engine.tensor(uniform(2, 3), [2, 1]);
  const join = (p: Float64Array, q: Float64Array) => [p[0]!, p[1]!, q[0]!, p[2]!, p[3]!, q[1]!];
  await gradcheck((x, y) => concat([x, y], 1), join, [a, b]);
  await gradcheck(
    (x) => concat([x, x, x.mul(2)]),
    (v) => [...v, ...v, ...v.map((e) => 2 * e)],
    [a],
  );
  assert.is(concat([engine.zeros([2], 'i32'), engine.ones([1], 'i32')]).dtype, 'i32');
});

test('gather takes rows or single elements, as often as asked', async () => {
  const rows = engine.tensor(Int32Array.of(2, 0, 2, -1));
  await moves((x) => gather(x, rows), [3, 2], [4, 5, 0, 1, 4, 5, 4, 5]);
  await moves((x) => gather(x, engine.tensor(Int32Array.of(1)), 1), [2, 3], [1, 4]);
  const each = engine.tensor(Int32Array.of(0, 2, 1, 1), [2, 2]);
  await moves((x) => gather(x, each, 1), [2, 3], [0, 2, 4, 4]);
});

test('scatter-add adds at the places, repeated ones too, in both gradients', async () => {
  const index = engine.tensor(Int32Array.of(1, 1, 0));
  const added = (x: Float64Array, s: Float64Array) => [
    x[0]! + s[4]!,
    x[1]! + s[5]!,
    x[2]! + s[0]! + s[2]!,
    x[3]! + s[1]! + s[3]!,
  ];
  const x = engine.tensor(uniform(4, 4), [2, 2]);
  const source = engine.tensor(uniform(6, 5), [3, 2]);
  await gradcheck((a, b) => scatterAdd(a, index, b), added, [x, source]);
});

test('negative positions count from the end, positions that do not exist give nothing and take nothing', async () => {
  const index = engine.tensor(Int32Array.of(-1, 3, -4, 0));
  await moves((x) => gather(x, index), [3, 2], [4, 5, -1, -1, -1, -1, 0, 1]);
  await moves((x) => gather(x, engine.tensor(Int32Array.of(2, -3, -1, 1), [2, 2]), 1), [2, 2], [-1, -1, 3, 3]);
  const added = (x: Float64Array, s: Float64Array) => [x[0]! + s[3]!, x[1]!, x[2]! + s[0]!];
  await gradcheck((x, s) => scatterAdd(x, index, s), added, [
    engine.tensor(uniform(3, 6)),
    engine.tensor(uniform(4, 7)),
  ]);
});

/** Positions for a line of n, some from the end, and some that do not exist. */
const positions = (count: number, n: number, seed: number) =>
  Int32Array.from(uniform(count, seed, -n - 2, n + 2), Math.floor);

/** Adds up in f32, in the order of the index, as the kernels promise to. */
function addedUp(
  x: Float32Array,
  index: Int32Array,
  source: Float32Array,
  [outer, n, m, inner]: readonly [number, number, number, number],
): Float32Array {
  const sums = x.slice();
  const isShared = index.length === m;
  for (let row = 0; row < outer; row++)
    for (let i = 0; i < m; i++)
      for (let column = 0; column < inner; column++) {
        const from = (row * m + i) * inner + column;
        const at = index[isShared ? i : from]!;
        const target = at < 0 ? at + n : at;
        if (target >= 0 && target < n) sums[(row * n + target) * inner + column]! += source[from]!;
      }
  return sums;
}

test('scatter-add adds in the order of the index, on both kinds of adapters, however many threads share a line', async () => {
  const other = Engine.from(engine.device, { kind: engine.adapterKind === 'software' ? 'hardware' : 'software' });
  const cases = [
    [1, 3000, 1001, 1],
    [1, 1, 500, 1], // a single target
    [1, 5, 300, 3],
    [2, 100, 77, 6],
    [3, 7, 9, 400], // more lines than are shared
  ] as const;
  for (const [seed, sizes] of cases.entries()) {
    const [outer, n, m, inner] = sizes;
    const x = uniform(outer * n * inner, seed, -10, 10);
    const source = uniform(outer * m * inner, seed + 10, -10, 10);
    for (const each of [false, true]) {
      const index = positions(each ? source.length : m, n, seed + 20);
      const expected = addedUp(x, index, source, sizes);
      const added = (on: Engine, dtype: DType) =>
        scatterAdd(
          on.tensor(x, [outer, n, inner]).cast(dtype),
          on.tensor(index, each ? [outer, m, inner] : [m]),
          on.tensor(source, [outer, m, inner]).cast(dtype),
          1,
        ).data();
      for (const on of [engine, other])
        assert.equal(await added(on, 'f32'), expected, `${sizes} ${each} ${on.adapterKind}`);
      for (const dtype of ['i32', ...(supportsF16(engine) ? ['f16' as const] : [])] as const)
        assert.equal(await added(other, dtype), await added(engine, dtype), `${sizes} ${each} ${dtype}`);
    }
  }
  await other.destroy();
});

test('few lines are shared on a GPU, so that none takes as many steps as there are elements', async () => {
  const gpu = Engine.from(engine.device, { kind: 'hardware' });
  const threads: number[] = [];
  const { dispatch } = gpu;
  gpu.dispatch = (launch) => {
    const [x, y = 1, z = 1] = launch.workgroups;
    if (launch.kernel.entry?.startsWith('scatter')) threads.push(x * y * z * 64);
    dispatch.call(gpu, launch);
  };
  const x = gpu.tensor(uniform(5000, 1));
  x.requiresGrad = true;
  const by = uniform(5000, 2);
  const { values, indices } = sort(x);
  values.mul(gpu.tensor(by)).sum().backward();
  const expected = new Float32Array(5000);
  (await indices.data()).forEach((at, i) => {
    expected[at] = by[i]!;
  });
  assert.equal(await x.grad!.data(), expected);
  assert.equal(threads, [2048]);
  await gpu.destroy();
});

test('one-hot rows; an index out of range gives none', async () => {
  const y = oneHot(engine.tensor(Int32Array.of(2, 0, 3, -1)), 3);
  assert.equal(y.shape, [4, 3]);
  await near(y, [0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0], 0);
  const labels = engine.tensor(Int32Array.of(1, 2, 3));
  assert.is(await countEqual(engine.tensor(Int32Array.of(1, 0, 3)), labels).item(), 2);
});

test('dropout drops its share, scales the rest, and its gradient drops the same', async () => {
  const n = 20000;
  const x = leaf(new Float32Array(n).fill(2), [n]);
  const y = dropout(x, 0.25, { from: { seed: 3 } });
  y.sum().backward();
  const values = await y.data();
  const gradient = await x.grad!.data();
  let dropped = 0;
  values.forEach((value, i) => {
    if (value === 0) dropped++;
    else assert.ok(Math.abs(value - 2 / 0.75) < 1e-6);
    assert.ok(Math.abs(gradient[i]! * 2 - value) < 1e-6, `element ${i}`);
  });
  // Five standard deviations of the binomial.
  assert.ok(Math.abs(dropped - n / 4) < 5 * Math.sqrt((n * 3) / 16), `${dropped} of ${n} were dropped`);
  assert.equal(await dropout(x, 0.25, { from: { seed: 3 } }).data(), values);
  assert.is(dropout(x, 0.5, { training: false }), x);
});

test('dropout drops NaN and ∞ to NaN, as a product with a mask of zeros', async () => {
  const kept = await dropout(engine.ones([16]), 0.5, { from: { seed: 3 } }).data();
  for (const value of [Infinity, -Infinity, Number.NaN]) {
    const y = await dropout(engine.full([16], value), 0.5, { from: { seed: 3 } }).data();
    assert.equal(
      [...y],
      [...kept].map((k) => value * k),
    );
  }
});

test('integers move as well as floats', async () => {
  const x = engine.tensor(Int32Array.of(1, -2, 2 ** 31 - 1), [3]);
  assert.equal(await flip(x, [0]).data(), Int32Array.of(2 ** 31 - 1, -2, 1));
  assert.equal(await pad(x, [[0, 1]], 9).data(), Int32Array.of(1, -2, 2 ** 31 - 1, 9));
  assert.equal(await gather(x, engine.tensor(Int32Array.of(2))).data(), Int32Array.of(2 ** 31 - 1));
});

test('what does not fit is refused', () => {
  const x = engine.zeros([2, 3]);
  const rows = engine.zeros([2], 'i32');
  const message = (fn: () => unknown) => errorOf(fn).message;
  assert.match(
    message(() => transpose(x, [0, 0])),
    /transpose: axes \[0, 0\] must name each of the 2 axes/,
  );
  assert.match(
    message(() => slice(x, [[2, 2]])),
    /slice: the range \[2,2\] of axis 0 \(length 2\) is empty/,
  );
  assert.match(
    message(() => slice(x, [[0, 1, 0]])),
    /step 0 of axis 0/,
  );
  assert.match(
    message(() => slice(x, [null, null, null])),
    /3 ranges were given for a tensor of shape \[2, 3\]/,
  );
  assert.match(
    message(() => pad(x, [[1, 1]])),
    /pad: \[\[1,1\]\] does not pad \[2, 3\]/,
  );
  assert.match(
    message(() => concat([x, engine.zeros([2, 4])])),
    /concat: shapes \[2, 3\], \[2, 4\] differ/,
  );
  assert.match(
    message(() => concat([x, engine.zeros([1, 3], 'i32')])),
    /dtypes f32, i32 differ/,
  );
  assert.match(
    message(() => gather(x, x)),
    /gather: the index must be i32/,
  );
  assert.match(
    message(() => gather(x, engine.zeros([5, 1], 'i32'), 1)),
    /gather: the index has shape \[5, 1\]/,
  );
  assert.match(
    message(() => scatterAdd(x, rows, engine.zeros([3, 3]))),
    /the source has shape \[3, 3\].* asks for \[2, 3\]/,
  );
  assert.match(
    message(() => oneHot(x, 3)),
    /oneHot: the index must be i32/,
  );
  const labels = engine.zeros([3], 'i32');
  assert.match(
    message(() => countEqual(engine.zeros([3, 1], 'i32'), labels)),
    /countEqual: takes predictions i32\[n0\], labels i32\[n0\]; was given i32\[3, 1\], i32\[3\]/,
  );
  assert.match(
    message(() => countEqual(engine.zeros([3]), labels)),
    /countEqual: takes predictions i32.*was given f32\[3\]/,
  );
  assert.match(
    message(() => dropout(x, 1)),
    /dropout: the probability must be in \[0, 1\), not 1/,
  );
});

test.run();
