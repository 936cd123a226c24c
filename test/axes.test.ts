import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import { arange, eye, linspace, split, squeeze, stack, tile, tril, triu, unsqueeze } from '../src/index.ts';
import { engine, errorOf, uniform } from './support/engine.ts';

const x = engine.tensor(uniform(6, 1), [2, 3]);

test('axes of length 1 come and go, and the gradient with them', async () => {
  const long = engine.tensor(uniform(6, 1), [1, 2, 1, 3]);
  assert.equal(squeeze(long).shape, [2, 3]);
  assert.equal(squeeze(long, 0).shape, [2, 1, 3]);
  assert.equal(squeeze(long, [-2, 0]).shape, [2, 3]);
  assert.equal(squeeze(engine.tensor([[7]])).shape, []);
  assert.equal(
    [0, 1, 2, -1].map((axis) => unsqueeze(x, axis).shape),
    [
      [1, 2, 3],
      [2, 1, 3],
      [2, 3, 1],
      [2, 3, 1],
    ],
  );
  await gradcheck(
    (t) => squeeze(unsqueeze(t, 1)),
    (t) => t!.slice(),
    [x],
  );
  assert.match(errorOf(() => squeeze(x, 1)).message, /squeeze: axis 1 of \[2, 3\] has the length 3/);
  assert.match(errorOf(() => unsqueeze(x, 3)).message, /unsqueeze: axis 3 is out of range/);
});

test('tensors of one shape stack along a new axis', async () => {
  const [a, b] = [x, engine.tensor(uniform(6, 2), [2, 3])];
  for (const [axis, shape] of [
    [0, [2, 2, 3]],
    [1, [2, 2, 3]],
    [-1, [2, 3, 2]],
  ] as const) {
    assert.equal(stack([a, b], axis).shape, shape);
  }
  await gradcheck(
    (s, t) => stack([s, t], -1),
    (s, t) => [...s!].flatMap((value, i) => [value, t![i]!]),
    [a, b],
  );
  await gradcheck(
    (s, t) => stack([s, t], 1),
    (s, t) => [...s!.slice(0, 3), ...t!.slice(0, 3), ...s!.slice(3), ...t!.slice(3)],
    [a, b],
  );
  assert.match(errorOf(() => stack([a, engine.zeros([3])])).message, /stack: shapes \[2, 3\], \[3\] differ/);
});

test('splitting gives all of it back, piece by piece', async () => {
  const seven = engine.tensor(uniform(14, 3), [7, 2]);
  assert.equal(
    split(seven, 3).map(({ shape }) => shape),
    [
      [3, 2],
      [3, 2],
      [1, 2],
    ],
  );
  const pieces = split(seven, [1, 4, 2]);
  assert.equal((await Promise.all(pieces.map(async (piece) => [...(await piece.data())]))).flat(), [
    ...(await seven.data()),
  ]);
  await gradcheck(
    (t) => split(t, 2, 0)[1]!,
    (t) => t!.slice(4, 8),
    [seven],
  );
  for (const size of [0, 1.5, [3, 3], [7, 0]]) {
    assert.match(errorOf(() => split(seven, size)).message, /split: .* does not split axis 0 of \[7, 2\]/);
  }
});

test('tiles repeat, with new axes in front where more are asked for', async () => {
  const at = (i: number, j: number) => (i % 2) * 3 + (j % 3);
  await gradcheck(
    (t) => tile(t, [2, 2]),
    (t) => Array.from({ length: 24 }, (_, k) => t![at(Math.floor(k / 6), k % 6)]!),
    [x],
  );
  assert.equal(tile(x, [3, 1, 2]).shape, [3, 2, 6]);
  assert.match(errorOf(() => tile(x, [2])).message, /tile: \[2\] does not repeat \[2, 3\]/);
});

test('numbers at even distances, exact at both ends', async () => {
  assert.equal([...(await arange(engine, 1, 2, 0.25).data())], [1, 1.25, 1.5, 1.75]);
  assert.equal([...(await arange(engine, 5, -1, -2, 'i32').data())], [5, 3, 1]);
  const tenths = await linspace(engine, -0.1, 0.7, 9).data();
  assert.equal([tenths[0], tenths[8]], [Math.fround(-0.1), Math.fround(0.7)]);
  assert.ok(tenths.every((value, i) => Math.abs(value - (i / 10 - 0.1)) < 1e-7));
  assert.equal([...(await linspace(engine, 4, 9, 1).data())], [4]);
  assert.equal(await eye(engine, 2, 3).array(), [
    [1, 0, 0],
    [0, 1, 0],
  ]);
  assert.is(eye(engine, 4, 4, 'i32').dtype, 'i32');
  for (const step of [0, -1, Number.NaN]) {
    assert.match(errorOf(() => arange(engine, 0, 5, step)).message, /arange: there are no numbers from 0 to below 5/);
  }
  assert.match(errorOf(() => linspace(engine, 0, 1, 0)).message, /linspace: 0 numbers from 0 to 1/);
  assert.match(errorOf(() => arange(engine, 0, 2, 0.5, 'i32')).message, /0\.5/);
});

test('triangles keep one side of a diagonal, of every matrix', async () => {
  const matrices = engine.tensor(uniform(24, 4), [2, 3, 4]);
  for (const diagonal of [-3, -1, 0, 1, 4]) {
    const side = (isKept: (distance: number) => boolean) => (t: Float64Array) =>
      t.map((value, i) => (isKept((i % 4) - (Math.floor(i / 4) % 3)) ? value : 0));
    await gradcheck(
      (t) => tril(t, diagonal),
      side((distance) => distance <= diagonal),
      [matrices],
    );
    await gradcheck(
      (t) => triu(t, diagonal),
      side((distance) => distance >= diagonal),
      [matrices],
    );
  }
  assert.equal([...(await tril(engine.tensor(Int32Array.of(1, 2, 3, 4), [2, 2])).data())], [1, 0, 3, 4]);
  assert.match(errorOf(() => tril(engine.zeros([3]))).message, /tril: takes matrices/);
});

test.run();
