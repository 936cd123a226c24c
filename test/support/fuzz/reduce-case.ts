/** Reductions over any axes, and the operations that broadcast, whose gradients are reductions. */
import fc from 'fast-check';
import { binary, type Tensor } from '../../../src/index.ts';
import { engine, leaf } from '../engine.ts';
import { type Bounded, checkBounded, exact, Sums } from './bounded.ts';
import { draw, drawing, size } from './draw.ts';
import { read } from './read.ts';
import { indexOf, positions, sizeOf } from './strides.ts';

const MOST_ELEMENTS = 20_000;
const shapes = (ranks: fc.Arbitrary<number>) =>
  ranks
    .chain((rank) => fc.tuple(...Array.from({ length: rank }, () => (rank < 4 ? size(10_000) : size(40)))))
    .filter((shape) => sizeOf(shape) <= MOST_ELEMENTS);

export const reductionCases = fc.record({
  shape: shapes(fc.integer({ min: 1, max: 5 })),
  /** A bit for each axis. */
  axes: fc.nat(31),
  keepDims: fc.boolean(),
  drawing,
});

type Reduction = typeof reductionCases extends fc.Arbitrary<infer T> ? T : never;

export async function checkReductions({ shape, axes: bits, keepDims, drawing: from }: Reduction): Promise<void> {
  const axes = shape.flatMap((_, axis) => ((bits >> axis) & 1 ? [axis] : []));
  const kept = shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
  const x = draw(from, sizeOf(shape), 0);
  const dy = draw(from, sizeOf(kept), 1);
  const shapeOf = keepDims ? kept : kept.filter((_, axis) => !axes.includes(axis));
  const last = shape.length - 1;
  const along = bits % shape.length;

  const actual = await read(() => {
    const run = (reduce: (t: Tensor) => Tensor): [Tensor, Tensor | null] => {
      const t = leaf(x, shape);
      const y = reduce(t);
      y.backward(engine.tensor(dy, shapeOf));
      return [y, t.grad];
    };
    const [sum, dsum] = run((t) => t.sum(axes, { keepDims }));
    const [mean, dmean] = run((t) => t.mean(axes, { keepDims }));
    const [max, dmax] = run((t) => t.max(axes, { keepDims }));
    const [min, dmin] = run((t) => t.min(axes, { keepDims }));
    const t = leaf(x, shape);
    return {
      sum,
      dsum,
      mean,
      dmean,
      max,
      dmax,
      min,
      dmin,
      argmax: t.argmax(along),
      argmin: t.argmin(along - last - 1),
    };
  });

  const count = x.length / dy.length;
  const totals = new Sums(dy.length);
  const most = new Float64Array(dy.length).fill(Number.NEGATIVE_INFINITY);
  const least = new Float64Array(dy.length).fill(Number.POSITIVE_INFINITY);
  const to = [...positions(shape)].map((position) => indexOf(position, kept));
  x.forEach((value, i) => {
    const at = to[i]!;
    totals.add(at, value);
    most[at] = Math.max(most[at]!, value);
    least[at] = Math.min(least[at]!, value);
  });
  const { value, error } = totals.bounded();
  const spread = (divisor: number) => Float64Array.from(to, (at) => dy[at]! / divisor);
  checkBounded('sum', actual.sum, { value, error });
  checkBounded('dsum', actual.dsum, exact(spread(1)));
  checkBounded('mean', actual.mean, { value: value.map((v) => v / count), error: error.map((e) => e / count) });
  checkBounded('dmean', actual.dmean, exact(spread(count), 4));
  const share = (extreme: Float64Array): Bounded => {
    const ties = new Float64Array(dy.length);
    to.forEach((at, i) => {
      if (x[i] === extreme[at]) ties[at]!++;
    });
    return exact(
      Float64Array.from(to, (at, i) => (x[i] === extreme[at] ? dy[at]! / ties[at]! : 0)),
      8,
    );
  };
  checkBounded('max', actual.max, exact(most));
  checkBounded('dmax', actual.dmax, share(most));
  checkBounded('min', actual.min, exact(least));
  checkBounded('dmin', actual.dmin, share(least));

  const flat = shape.map((n, axis) => (axis === along ? 1 : n));
  const first = (better: (a: number, b: number) => boolean): Bounded => {
    const best: number[] = [];
    const index = new Float64Array(sizeOf(flat));
    for (const position of positions(shape)) {
      const at = indexOf(position, flat);
      const value = x[indexOf(position, shape)]!;
      if (best[at] !== undefined && !better(value, best[at])) continue;
      best[at] = value;
      index[at] = position[along]!;
    }
    return exact(index);
  };
  checkBounded(
    'argmax',
    actual.argmax,
    first((a, b) => a > b),
  );
  checkBounded(
    'argmin',
    actual.argmin,
    first((a, b) => a < b),
  );
}

export const broadcastCases = fc.record({
  shape: shapes(fc.integer({ min: 0, max: 5 })),
  /** Axes that are 1 in each operand, a bit each, and how many leading ones are left out. */
  ones: fc.tuple(fc.nat(31), fc.nat(31)),
  missing: fc.tuple(fc.nat(3), fc.nat(3)),
  drawing,
});

type Broadcast = typeof broadcastCases extends fc.Arbitrary<infer T> ? T : never;

/** An operation with its two partial derivatives. */
const OPERATIONS = {
  add: [(a, b) => a + b, () => 1, () => 1],
  sub: [(a, b) => a - b, () => 1, () => -1],
  mul: [(a, b) => a * b, (_, b) => b, (a) => a],
  div: [(a, b) => a / b, (_, b) => 1 / b, (a, b) => -a / (b * b)],
} as const satisfies Record<string, readonly ((a: number, b: number) => number)[]>;

export async function checkBroadcasts({ shape, ones, missing, drawing: from }: Broadcast): Promise<void> {
  const [shapeA, shapeB] = ones.map((bits, i) =>
    shape.map((n, axis) => ((bits >> axis) & 1 ? 1 : n)).slice(Math.min(missing[i]!, shape.length)),
  ) as [number[], number[]];
  const rank = Math.max(shapeA.length, shapeB.length);
  const padded = (of: number[]) => [...new Array<number>(rank - of.length).fill(1), ...of];
  const [fullA, fullB] = [padded(shapeA), padded(shapeB)];
  const result = fullA.map((n, axis) => Math.max(n, fullB[axis]!));
  const a = draw(from, sizeOf(shapeA), 0);
  // Something to divide by.
  const b = draw(from, sizeOf(shapeB), 1).map((v) => (Math.abs(v) < 1e-3 ? 0.5 : v));
  const dy = draw(from, sizeOf(result), 2);
  for (const [name, [value, byA, byB]] of Object.entries(OPERATIONS) as [
    keyof typeof OPERATIONS,
    (typeof OPERATIONS)['div'],
  ][]) {
    const actual = await read(() => {
      const [ta, tb] = [leaf(a, shapeA), leaf(b, shapeB)];
      const y = binary[name](ta, tb);
      y.backward(engine.tensor(dy, result));
      return { y, da: ta.grad, db: tb.grad };
    });
    const [y, da, db] = [new Sums(dy.length), new Sums(a.length), new Sums(b.length)];
    let i = 0;
    for (const position of positions(result)) {
      const [atA, atB] = [indexOf(position, shapeA), indexOf(position, shapeB)];
      const [p, q, gradient] = [a[atA]!, b[atB]!, dy[i]!];
      y.add(i++, value(p, q));
      da.add(atA, gradient * byA(p, q));
      db.add(atB, gradient * byB(p, q));
    }
    // A division has two and a half units in the last place.
    checkBounded(`${name}: y`, actual.y, y.bounded(6));
    checkBounded(`${name}: da`, actual.da, da.bounded(8));
    checkBounded(`${name}: db`, actual.db, db.bounded(12));
  }
}
