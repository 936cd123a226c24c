/** What a tensor can be made from, and how it is filled. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ArgumentError,
  capture,
  DTypeError,
  type EngramError,
  OutOfMemoryError,
  ShapeError,
  supportsF16,
} from '../src/index.ts';
import type { DType } from '../src/tensor/dtype.ts';
import type { TensorData } from '../src/tensor/elements.ts';
import { engine, errorOf } from './support/engine.ts';

const inDType = (dtype: DType) => (dtype === 'f16' && !supportsF16(engine) ? test.skip : test);

const typed: [TensorData, DType, number[]][] = [
  [Uint8ClampedArray.of(0, 128, 255), 'f32', [0, 128, 255]],
  [Uint8Array.of(0, 128, 255), 'f32', [0, 128, 255]],
  [Int8Array.of(-128, 127, 5), 'f32', [-128, 127, 5]],
  [Int16Array.of(-32768, 1, 2), 'f32', [-32768, 1, 2]],
  [Uint16Array.of(65535, 1, 2), 'f32', [65535, 1, 2]],
  [Float64Array.of(0.1, 1e300, Number.NaN), 'f32', [Math.fround(0.1), Number.POSITIVE_INFINITY, Number.NaN]],
  [Float32Array.of(-0.5, 0, 3), 'f32', [-0.5, 0, 3]],
  [Int32Array.of(-(2 ** 31), 7, 0), 'i32', [-(2 ** 31), 7, 0]],
  [Uint32Array.of(2 ** 32 - 1, 7, 0), 'u32', [2 ** 32 - 1, 7, 0]],
  [[1, 2.5, -3], 'f32', [1, 2.5, -3]],
];

for (const [data, dtype, values] of typed) {
  test(`a ${data.constructor.name} becomes ${dtype}, element by element`, async () => {
    const x = engine.tensor(data);
    assert.is(x.dtype, dtype);
    assert.equal(x.shape, [3]);
    assert.equal([...(await x.data())], values);
  });
}

const asked: [TensorData, DType, number[]][] = [
  [Uint8ClampedArray.of(0, 200), 'i32', [0, 200]],
  [Uint8Array.of(0, 200), 'u32', [0, 200]],
  [Float32Array.of(-1, 2), 'i32', [-1, 2]],
  [Float64Array.of(2 ** 32 - 1, 2), 'u32', [2 ** 32 - 1, 2]],
  [Int32Array.of(3, 4), 'u32', [3, 4]],
  [Uint32Array.of(3, 4), 'f32', [3, 4]],
  [Int32Array.of(-3, 4), 'f16', [-3, 4]],
  [Float64Array.of(1.0004, 65520), 'f16', [1, Number.POSITIVE_INFINITY]],
  [[[7], [-7]], 'i32', [7, -7]],
];

for (const [data, dtype, values] of asked) {
  inDType(dtype)(`a ${data.constructor.name} becomes ${dtype} where that is asked for`, async () => {
    const x = engine.tensor(data, [2], dtype);
    assert.is(x.dtype, dtype);
    assert.equal([...(await x.data())], values);
  });
}

test('memory that is shared or can be resized is copied', async () => {
  const shared = new Float32Array(new SharedArrayBuffer(16)).subarray(1);
  shared.set([1, 2, 3]);
  const words = new Int32Array(new SharedArrayBuffer(8));
  words.set([4, 5]);
  const bytes = new Uint8ClampedArray(new SharedArrayBuffer(3)).fill(9);
  for (const [data, values] of [
    [shared, [1, 2, 3]],
    [words, [4, 5]],
    [bytes, [9, 9, 9]],
  ] as const) {
    const x = engine.tensor(data);
    data.fill(0);
    assert.equal([...(await x.data())], values);
  }
});

test('rows may be typed arrays', async () => {
  const rows = [Float32Array.of(1, 2), Uint8Array.of(3, 4)] as unknown as TensorData;
  const x = engine.tensor(rows);
  assert.equal(x.shape, [2, 2]);
  assert.equal([...(await x.data())], [1, 2, 3, 4]);
});

const cyclic: unknown[] = [];
cyclic[0] = cyclic;

/** What no tensor can be made from, and what is said about it. */
const refused: [string, unknown, DType | undefined, new (...args: never[]) => EngramError, RegExp][] = [
  ['bigints', BigInt64Array.of(1n), undefined, DTypeError, /not an object of class BigInt64Array.*Convert/],
  ['bytes without a type', new DataView(new ArrayBuffer(4)), undefined, DTypeError, /class DataView/],
  ['a buffer', new ArrayBuffer(4), undefined, DTypeError, /class ArrayBuffer/],
  ['a string', '12', undefined, DTypeError, /not a string/],
  ['a boolean', true, undefined, DTypeError, /not a boolean/],
  ['nothing', null, undefined, DTypeError, /not null/],
  [
    'a string among numbers',
    [
      [1, 2],
      [3, '4'],
    ],
    undefined,
    DTypeError,
    /the element at \[1, 1\] is a string, not a number/,
  ],
  ['a boolean among numbers', [1, false], undefined, DTypeError, /the element at \[1\] is a boolean/],
  ['a hole', [1, undefined, 3], undefined, DTypeError, /the element at \[1\] is undefined/],
  ['a bigint among numbers', [1n], undefined, DTypeError, /the element at \[0\] is a bigint/],
  ['a fraction as an integer', [1, 1.5], 'u32', DTypeError, /at \[1\] is 1\.5, but u32 holds whole numbers from 0 to/],
  ['a negative number as u32', -1, 'u32', DTypeError, /the element is -1/],
  [
    'a large number as i32',
    [2 ** 31],
    'i32',
    DTypeError,
    /is 2147483648, but i32 holds whole numbers from -2147483648/,
  ],
  ['NaN as an integer', Float32Array.of(1, Number.NaN), 'i32', DTypeError, /at 1 is NaN/],
  ['u32 beyond i32', Uint32Array.of(2 ** 31), 'i32', DTypeError, /at 0 is 2147483648/],
  ['a dtype that there is not', [1], 'f64' as DType, DTypeError, /unknown dtype f64: there are f32, f16, i32, u32/],
  ['arrays that hold themselves', cyclic, undefined, ShapeError, /nested more than 64 deep/],
  ['rows of other lengths', [[1], 2], undefined, ShapeError, /must be regular/],
];

for (const [title, data, dtype, kind, told] of refused) {
  test(`${title}: refused, and nothing is left behind`, () => {
    const { liveBuffers } = engine.memory();
    const error = errorOf(() => engine.tensor(data as TensorData, undefined, dtype));
    assert.instance(error, kind, error.message);
    assert.match(error.message, /^tensor: /);
    assert.match(error.message, told);
    assert.is(engine.memory().liveBuffers, liveBuffers);
  });
}

for (const dtype of ['f32', 'f16', 'i32', 'u32'] as const) {
  inDType(dtype)(`${dtype} tensors are filled on the device`, async () => {
    // An odd number of f16 ends within a word; few are uploaded, and of many each thread writes several.
    for (const size of dtype === 'f16' ? [1, 5, 1025, 2 ** 11 + 1] : [1, 5, 1025, 2 ** 17 + 3]) {
      assert.equal([...(await engine.zeros([size], dtype).data())], new Array(size).fill(0));
      assert.equal([...(await engine.ones([size], dtype).data())], new Array(size).fill(1));
      assert.equal([...(await engine.full([size], 7, dtype).data())], new Array(size).fill(7));
      assert.equal(
        [...(await engine.arange(size, dtype).data())],
        Array.from({ length: size }, (_, i) => i),
      );
    }
  });
}

test('values are kept to the last bit', async () => {
  for (const value of [-0, 0.1, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** -140]) {
    assert.equal([...(await engine.full([2], value).data())], [Math.fround(value), Math.fround(value)]);
  }
  assert.ok(Object.is((await engine.full([1], -0).data())[0], -0));
  assert.equal([...(await engine.full([1], -(2 ** 31), 'i32').data())], [-(2 ** 31)]);
  assert.equal([...(await engine.full([1], 2 ** 32 - 1, 'u32').data())], [2 ** 32 - 1]);
});

test('a fill comes in its order, also into a buffer that is used again', async () => {
  const sums = engine.scope(() =>
    Array.from({ length: 100 }, (_, i) => engine.scope(() => engine.full([2000], i).add(engine.ones([2000]))).sum()),
  );
  for (const [i, sum] of sums.entries()) assert.is(await sum.item(), 2000 * (i + 1));
});

for (const size of [3, 2000]) {
  test(`what a captured step fills is filled in every replay: ${size} elements`, async () => {
    const step = capture(engine, (x) => {
      const zeros = engine.zeros([size]);
      const before = zeros.add(0);
      engine.copy(x.storage, zeros.storage, 4 * size);
      return { before, after: zeros, numbers: engine.arange(size).add(zeros) };
    });
    for (let i = 0; i < 4; i++) {
      const { before, after, numbers } = step(engine.full([size], i));
      assert.equal(await before.data(), new Float32Array(size));
      assert.equal(await after.data(), new Float32Array(size).fill(i));
      assert.equal(
        await numbers.data(),
        Float32Array.from({ length: size }, (_, k) => k + i),
      );
    }
    step.dispose();
  });
}

test('what cannot be filled is refused before anything is made', () => {
  const started = performance.now();
  for (const [fill, kind, told] of [
    [() => engine.zeros([2 ** 31]), OutOfMemoryError, /^zeros: a tensor of 8589934592 bytes is larger than/],
    [() => engine.full([2 ** 31], 1.5), OutOfMemoryError, /^full: /],
    [() => engine.arange(2 ** 31 - 1, 'i32'), OutOfMemoryError, /^arange: /],
    [() => engine.tensor(hugeRows()), OutOfMemoryError, /^tensor: /],
    [() => engine.ones([2 ** 30, 2 ** 30]), ShapeError, /^ones: \[\d+, \d+\] has more elements than can be counted/],
    [() => engine.zeros([Number.NaN]), ShapeError, /^zeros: \[NaN\] is not a shape/],
    [() => engine.zeros([-3]), ShapeError, /^zeros: \[-3\] is not a shape/],
    [() => engine.zeros(3 as unknown as number[]), ShapeError, /a shape is an array of whole numbers, not 3/],
    [() => engine.arange(2.5), ShapeError, /^arange: \[2\.5\] is not a shape/],
    [() => engine.arange(0), ShapeError, /^arange: \[0\] is not a shape/],
    [() => engine.arange(2 ** 24 + 2), DTypeError, /f32 does not hold every whole number up to 16777217.*'i32'/],
    [() => engine.full([2], 1.5, 'i32'), DTypeError, /^full: the element is 1\.5, but i32 holds/],
    [() => engine.full([2], '1' as unknown as number), DTypeError, /^full: the element is a string/],
  ] as const) {
    const error = errorOf(fill);
    assert.instance(error, kind, error.message);
    assert.match(error.message, told);
  }
  assert.ok(performance.now() - started < 2000, 'nothing was counted or converted');
});

/** A matrix of 2³⁰ elements, all of whose rows are one. */
function hugeRows(): number[][] {
  const row = new Array<number>(2 ** 15).fill(0);
  return new Array<number[]>(2 ** 15).fill(row);
}

test('an upload that does not fit its buffer is refused', () => {
  const x = engine.zeros([4]);
  for (const [data, offset] of [
    [new Float32Array(5), 0],
    [new Float32Array(4), 4],
    [new Uint8Array(3), 0],
    [new Float32Array(1), 2],
    [new Float32Array(1), -4],
  ] as const) {
    const error = errorOf(() => engine.write(x.storage, data, offset));
    assert.instance(error, ArgumentError);
    assert.match(error.message, /^write: \d+ bytes at -?\d+ cannot be uploaded to a buffer of 16/);
  }
});

test.run();
