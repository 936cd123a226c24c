import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import { argsort, sort, supportsF16, type Tensor, topk } from '../src/index.ts';
import { engine, errorOf, leaf, uniform } from './support/engine.ts';
import { halves } from './support/half.ts';

/** Positions in a stable order; NaN is larger than all else. */
function order(values: readonly number[], descending = false): number[] {
  const compare = (a: number, b: number) =>
    Number.isNaN(a) || Number.isNaN(b) ? Number(Number.isNaN(a)) - Number(Number.isNaN(b)) : a < b ? -1 : Number(a > b);
  return [...values.keys()].sort((i, j) => (descending ? -1 : 1) * compare(values[i]!, values[j]!) || i - j);
}

/** The lines of [a, n, b] along n. */
const linesOf = (values: ArrayLike<number>, [a, n, b]: readonly [number, number, number]): number[][] =>
  Array.from({ length: a * b }, (_, line) =>
    Array.from({ length: n }, (_, i) => values[(Math.floor(line / b) * n + i) * b + (line % b)]!),
  );

async function sorts(x: Tensor, k: number): Promise<void> {
  const shape = x.shape as readonly number[] as [number, number, number];
  const lines = linesOf(await x.data(), shape);
  const cut = [shape[0], k, shape[2]] as const;
  for (const descending of [false, true]) {
    const expected = lines.map((line) => order(line, descending));
    const all = sort(x, { axis: 1, descending });
    assert.equal(linesOf(await all.indices.data(), shape), expected);
    assert.equal(
      linesOf(await all.values.data(), shape),
      expected.map((places, i) => places.map((at) => lines[i]![at]!)),
    );
    const some = topk(x, k, { axis: 1, largest: descending });
    assert.equal(
      linesOf(await some.indices.data(), cut),
      expected.map((places) => places.slice(0, k)),
    );
    for (const t of [all.indices, all.values, some.indices, some.values]) t.dispose();
  }
}

for (const [shape, k] of [
  [[1, 1, 1], 1],
  [[3, 5, 2], 2],
  [[2, 64, 1], 40],
  [[1, 65, 3], 7],
  [[2, 513, 1], 256],
  [[1, 1500, 2], 300],
  [[1, 5000, 1], 3],
] as const) {
  test(`sorting ${shape.join('×')}, and its first ${k}, with many that are equal`, async () => {
    const size = shape.reduce<number>((a, b) => a * b, 1);
    const coarse = uniform(size, 1, -20, 20).map(Math.round);
    await sorts(engine.tensor(coarse, shape), k);
    await sorts(engine.tensor(uniform(size, 2, -1e3, 1e3), shape), k);
    await sorts(engine.tensor(Int32Array.from(coarse), shape), k);
  });
}

test('what is not an ordinary number has its place', async () => {
  const { NaN: nan, POSITIVE_INFINITY: most } = Number;
  const strange = [0, nan, -0, most, -most, 1e-40, -1e-40, nan, -3, 3];
  const places = [...(await argsort(engine.tensor(strange)).data())];
  assert.equal(places.slice(0, 2), [4, 8]);
  assert.equal(places.slice(-4), [9, 3, 1, 7]);
  // Adapters may take numbers below the normal ones for zeros.
  assert.ok(places.indexOf(0) < places.indexOf(2));
  const unsigned = [2 ** 31, 5, 2 ** 32 - 1, 0];
  assert.equal(
    [...(await sort(engine.tensor(Uint32Array.from(unsigned))).values.data())],
    [0, 5, 2 ** 31, 2 ** 32 - 1],
  );
  const signed = [-(2 ** 31), 2 ** 31 - 1, -1, 0];
  assert.equal([...(await argsort(engine.tensor(Int32Array.from(signed)), { descending: true }).data())], [1, 3, 2, 0]);
});

(supportsF16(engine) ? test : test.skip)('f16 sorts too', async () => {
  await sorts(halves(uniform(33 * 4, 4), [2, 33, 2]), 5);
});

test('the gradient goes to where the values came from', async () => {
  const x = engine.tensor(uniform(12, 5), [2, 6]);
  const rows = (t: Float64Array) => [t.slice(0, 6), t.slice(6)].map((row) => [...row]);
  await gradcheck(
    (t) => sort(t).values,
    (t) => rows(t!).flatMap((row) => order(row).map((at) => row[at]!)),
    [x],
  );
  await gradcheck(
    (t) => topk(t, 2).values,
    (t) =>
      rows(t!).flatMap((row) =>
        order(row, true)
          .slice(0, 2)
          .map((at) => row[at]!),
      ),
    [x],
  );
  const loss = leaf([3, 1, 2], [3]);
  topk(loss, 1, { largest: false }).values.sum().backward();
  assert.equal([...(await loss.grad!.data())], [0, 1, 0]);
});

test('k has to be there', () => {
  const x = engine.zeros([2, 3]);
  for (const k of [0, 4, 1.5]) {
    assert.match(errorOf(() => topk(x, k)).message, /topk: k is .*; a whole number from 1 to 3 was expected/);
  }
  assert.match(errorOf(() => sort(x, { axis: 2 })).message, /axis 2 is out of range/);
});

test.run();
