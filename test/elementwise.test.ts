import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import { backward, binary, clamp, type Tensor, unary, where } from '../src/index.ts';
import { binaryOps, type TableOp, unaryOps } from '../src/ops/elementwise/table.ts';
import { errorNearZero, tolerance } from './support/accuracy.ts';
import { engine, errorOf, leaf, near, uniform } from './support/engine.ts';

/** Numbers inside the interval where the operation is smooth. */
const numbers = (op: TableOp, n: number, seed: number) => uniform(n, seed, ...(op.domain ?? [-2, 2]));

/** What the table says an operation does, in float64. */
const reference =
  (op: TableOp) =>
  (...operands: number[]): number =>
    Number(op.reference(...operands));

const entries = <K extends string, V>(table: Record<K, V>) => Object.entries(table) as [K, V][];

/** The element of `values` (of this shape) that broadcasts to element `at` of `target`. */
function broadcast(values: ArrayLike<number>, shape: readonly number[], target: readonly number[], at: number): number {
  let index = 0;
  let stride = 1;
  let rest = at;
  for (let k = 1; k <= target.length; k++) {
    const n = target.at(-k)!;
    const own = shape.at(-k) ?? 1;
    if (own !== 1) index += (rest % n) * stride;
    stride *= own;
    rest = Math.floor(rest / n);
  }
  return values[index]!;
}

for (const [name, op] of entries(unaryOps) as [keyof typeof unaryOps, TableOp][]) {
  test(`${name} and its gradient`, async () => {
    const x = engine.tensor(numbers(op, 3 * 67, 1), [3, 67]);
    const f = (values: Float64Array) => values.map((v) => reference(op)(v));
    if (op.gradients[0] === null) await near(unary[name](x), f(Float64Array.from(await x.data())), 0);
    else await gradcheck(unary[name], f, [x], { tolerance: tolerance(name) });
    assert.equal(await x[name]().data(), await unary[name](x).data());
  });
}

const pairs: [number[], number[]][] = [
  [
    [3, 5],
    [3, 5],
  ],
  [
    [2, 1, 4],
    [3, 1],
  ],
  [
    [2, 3, 4],
    [3, 1],
  ],
  [[4], [2, 3, 4]],
  [
    [1, 3, 1, 2],
    [2, 1, 5, 1],
  ],
  [[1], []],
];

for (const [name, op] of entries(binaryOps) as [keyof typeof binaryOps, TableOp][]) {
  test(`${name} broadcasts both operands, takes numbers, and has its gradients`, async () => {
    // Every pair of shapes is another kernel to compile: one operation tries them all.
    for (const [left, right] of name === 'mul' ? pairs : pairs.slice(0, 2)) {
      const size = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
      const a = engine.tensor(numbers(op, size(left), 2), left);
      const b = engine.tensor(numbers(op, size(right), 3), right);
      const y = binary[name](a, b);
      const f = (p: Float64Array, q: Float64Array) =>
        Float64Array.from({ length: y.size }, (_, i) =>
          reference(op)(broadcast(p, left, y.shape, i), broadcast(q, right, y.shape, i)),
        );
      if (op.result) await near(y, f(Float64Array.from(await a.data()), Float64Array.from(await b.data())), 0);
      else await gradcheck(binary[name], f, [a, b], { tolerance: tolerance(name) });
    }
    const x = engine.tensor(numbers(op, 21, 4));
    const with15 = (p: Float64Array) => p.map((v) => reference(op)(v, 1.5));
    const from15 = (p: Float64Array) => p.map((v) => reference(op)(1.5, v));
    if (op.result) {
      const values = Float64Array.from(await x.data());
      await near(x[name](1.5), with15(values), 0);
      await near(binary[name](1.5, x), from15(values), 0);
    } else {
      await gradcheck((t) => t[name](1.5), with15, [x], { tolerance: tolerance(name) });
      await gradcheck((t) => binary[name](1.5, t), from15, [x], { tolerance: tolerance(name) });
    }
  });
}

test('comparisons see equal elements', async () => {
  const a = engine.tensor([1, 2, 3]);
  const b = engine.tensor([1, 3, 2]);
  const expected = {
    equal: '100',
    notEqual: '011',
    less: '010',
    lessEqual: '110',
    greater: '001',
    greaterEqual: '101',
  };
  for (const [name, flags] of entries(expected)) {
    const y = a[name](b);
    assert.is(y.dtype, 'u32');
    assert.is([...(await y.data())].join(''), flags, name);
  }
});

test('integers stay integers', async () => {
  const a = engine.tensor(Int32Array.of(7, -7, 2 ** 31 - 1, 0));
  const b = engine.tensor(Int32Array.of(2, 2, 1, -3));
  const read = async (t: Tensor) => [...(await t.data())];
  assert.equal(await read(a.add(b)), [9, -5, -(2 ** 31), -3]);
  assert.equal(await read(a.mul(3)), [21, -21, 2147483645, 0]);
  assert.equal(await read(a.div(b)), [3, -3, 2147483647, 0]);
  assert.equal(await read(a.sub(1).abs()), [6, 8, 2147483646, 1]);
  assert.equal(await read(a.neg().maximum(b)), [2, 7, 1, 0]);
  assert.equal(await read(a.clamp(-1, 5)), [5, -1, 5, 0]);
  assert.is(a.add(b).dtype, 'i32');
  const u = engine.tensor(Uint32Array.of(4000000000, 5));
  assert.equal(await read(u.sub(1)), [3999999999, 4]);
  assert.equal(await read(u.greater(4)), [1, 1]);
  assert.equal(await read(u.minimum(6)), [6, 5]);
});

test('casts truncate, and integers come back as floats', async () => {
  const x = engine.tensor([1.9, -1.9, 3]);
  assert.equal(await x.cast('i32').data(), Int32Array.of(1, -1, 3));
  assert.equal(await x.cast('i32').cast('f32').data(), Float32Array.of(1, -1, 3));
  assert.is(x.cast('f32'), x);
});

/** What adapters like to get wrong: NaN, infinities, both zeros, the smallest numbers, edges of domains. */
const EDGES = [Number.NaN, Infinity, -Infinity, 0, -0, 1e-40, -1e-40, 1e-30, -1e-30, 1, -1, 2, -2, 0.5, -0.5, 2.5, 3];
/** Where exponentials overflow and vanish. */
const LARGE = [88, 89, -104, 3e38, -3e38];

/** Whether f32 may say so; adapters may take what is smaller than normal numbers for zero, in and out. */
function agrees(actual: number, f: (...x: number[]) => number, x: readonly number[], tolerance: number): boolean {
  const flushed = (v: number) => (Math.abs(v) < 2 ** -126 ? v * 0 : v);
  return [x, x.map(flushed)].some((arguments_) => {
    const expected = Math.fround(f(...arguments_));
    if (!Number.isFinite(expected)) return Object.is(actual, expected);
    return Math.abs(actual - expected) <= Math.max(tolerance * Math.abs(expected), 2 ** -126);
  });
}

for (const [name, op] of entries<keyof typeof unaryOps, TableOp>(unaryOps)) {
  const f = reference(op);
  test(`${name} of what is not finite, and at the edges`, async () => {
    // Beyond thousands they are as coarse as WGSL allows.
    const x = name === 'sin' || name === 'cos' ? [...EDGES, 8000, -8000] : [...EDGES, ...LARGE];
    const y = [...(await unary[name](engine.tensor(x)).data())];
    const wrong = x.flatMap((v, i) => (agrees(y[i]!, f, [v], 2e-5) ? [] : [`${name}(${v}) = ${y[i]}, not ${f(v)}`]));
    assert.equal(wrong, []);
  });
}

for (const [name, op] of entries<keyof typeof binaryOps, TableOp>(binaryOps)) {
  const f = reference(op);
  test(`${name} of what is not finite, and at the edges`, async () => {
    // Of the smallest numbers WGSL promises no powers.
    const edges = name === 'pow' ? EDGES.filter((x) => Math.abs(x) !== 1e-40) : EDGES;
    const a = edges.flatMap((x) => edges.map(() => x));
    const b = edges.flatMap(() => edges);
    const y = [...(await engine.tensor(a)[name](engine.tensor(b)).data())];
    const wrong = y.flatMap((v, i) =>
      agrees(v, f, [a[i]!, b[i]!], 2e-5) ? [] : [`${name}(${a[i]}, ${b[i]}) = ${v}, not ${f(a[i]!, b[i]!)}`],
    );
    assert.equal(wrong, []);
  });
}

test('clamp keeps NaN, and infinities on a side without a bound', async () => {
  const x = engine.tensor([Number.NaN, Infinity, -Infinity, 0.5]);
  assert.equal([...(await x.clamp(0, 1).data())], [Number.NaN, 1, 0, 0.5]);
  assert.equal([...(await x.clamp(0).data())], [Number.NaN, Infinity, 0, 0.5]);
  assert.equal([...(await x.clamp(undefined, 1).data())], [Number.NaN, 1, -Infinity, 0.5]);
  const bounds = engine.tensor([0, 0, Number.NaN, Number.NaN]);
  assert.equal([...(await x.clamp(bounds, 1).data())], [Number.NaN, 1, Number.NaN, Number.NaN]);
  assert.equal([...(await engine.tensor(Int32Array.of(-7, 7)).clamp(0).data())], [0, 7]);
  assert.equal([...(await engine.tensor(Uint32Array.of(1, 4e9)).clamp(3).data())], [3, 4e9]);
});

test("gradients at NaN are PyTorch's", async () => {
  const { NaN: nan } = Number;
  const gradientAt = async (values: number[], fn: (x: Tensor) => Tensor) => {
    const x = leaf(values, [values.length]);
    backward(fn(x), engine.full([values.length], 3));
    return [...(await x.grad!.data())];
  };
  assert.equal(await gradientAt([nan, 1, -1, 0], (x) => x.relu()), [3, 3, 0, 0]);
  assert.equal(await gradientAt([nan, 1, -1, 0], (x) => x.abs()), [0, 3, -3, 0]);
  assert.equal(await gradientAt([nan, 0.5, 2, -2], (x) => x.clamp(0, 1)), [0, 3, 0, 0]);
  assert.equal(await gradientAt([nan, Infinity, 0], (x) => x.exp()), [nan, Infinity, 3]);
  assert.equal(await gradientAt([0, 0, nan], (x) => x.pow(engine.tensor([0, 1, 0]))), [0, 3, 0]);
  assert.equal(await gradientAt([0, 1, -1], (x) => engine.tensor([0, 0, -2]).pow(x)), [0, 0, nan]);
  for (const name of ['maximum', 'minimum'] as const) {
    const other = engine.tensor([1, nan, nan, 5]);
    assert.equal(await gradientAt([nan, 1, nan, 5], (x) => x[name](other)), [3, 3, 3, 1.5], name);
    assert.equal(await gradientAt([nan, 1, nan, 5], (x) => other[name](x)), [3, 3, 3, 1.5], name);
  }
});

test('slopes of a quotient whose divisor has a square beyond f32', async () => {
  const [a, b] = [leaf([1e25, 3e-25], [2]), leaf([1e25, 3e-25], [2])];
  a.div(b).sum().backward();
  await near(a.grad!.mul(b), [1, 1], 1e-6);
  await near(b.grad!.mul(b), [-1, -1], 1e-6);
});

test('small and large arguments keep their accuracy', async () => {
  const tiny = Float32Array.of(1e-7, -1e-7, 1e-4, -3e-3, 0.02, -0.049, 0.06);
  for (const name of ['expm1', 'log1p', 'tanh', 'erf', 'sin'] as const) {
    const y = await unary[name](engine.tensor(tiny)).data();
    tiny.forEach((x, i) => {
      const expected = Number(unaryOps[name].reference(x));
      assert.ok(Math.abs(y[i]! - expected) <= errorNearZero(name, x), `${name}(${x}) is ${y[i]}, not ${expected}`);
    });
  }
  const large = engine.tensor([100, -100, 3e4, -3e4]);
  await near(large.sigmoid(), [1, Math.exp(-100), 1, 0], 1e-6, 'sigmoid');
  await near(large.softplus(), [100, Math.exp(-100), 3e4, 0], 1e-6, 'softplus');
  await near(large.tanh(), [1, -1, 1, -1], 0, 'tanh');
  await near(large.gelu(), [100, 0, 3e4, 0], 1e-6, 'gelu');
  await near(large.silu(), [100, -100 * Math.exp(-100), 3e4, 0], 1e-6, 'silu');
});

test('powers of negative numbers keep their sign, as in C', async () => {
  const a = engine.tensor([-2, -2, -2, 0, 0, 3]);
  const b = engine.tensor([3, 2, 0.5, 2, 0, 0]);
  const y = [...(await a.pow(b).data())];
  await near(a.pow(b), [-8, 4, Number.NaN, 0, 1, 1], 1e-6);
  assert.ok(Number.isNaN(y[2]));
  const x = leaf([-2, 0, 3], [3]);
  x.pow(2).sum().backward();
  await near(x.grad, [-4, 0, 6], 1e-6);
});

test('equal operands share the gradient of an extremum', async () => {
  for (const name of ['maximum', 'minimum'] as const) {
    const a = leaf([1, 2], [2]);
    const b = leaf([1, 2], [2]);
    a[name](b).sum().backward();
    await near(a.grad, [0.5, 0.5], 0);
    await near(b.grad, [0.5, 0.5], 0);
  }
});

test('clamp limits by numbers and by tensors; outside there is no gradient', async () => {
  const values = uniform(24, 5, -2, 2);
  const limit = (low: number, high: number) => (p: Float64Array) => p.map((v) => Math.min(high, Math.max(low, v)));
  const x = engine.tensor(values, [4, 6]);
  await gradcheck((t) => clamp(t, -0.7, 1.1), limit(-0.7, 1.1), [x]);
  await gradcheck((t) => t.clamp(0), limit(0, Infinity), [x]);
  const low = engine.tensor([-1, -1, 0, 0, 0.5, 1]);
  const high = engine.full([4, 1], 1);
  await near(
    x.clamp(low, high),
    values.map((v, i) => Math.min(1, Math.max([-1, -1, 0, 0, 0.5, 1][i % 6]!, v))),
    0,
  );
});

test('where chooses, broadcasts, and passes gradients to what was chosen', async () => {
  const condition = engine.tensor(Uint32Array.of(1, 0, 1), [3, 1]);
  const choose = (p: Float64Array, q: Float64Array) =>
    Float64Array.from({ length: 12 }, (_, i) => (Math.floor(i / 4) === 1 ? q[0]! : p[i]!));
  const a = engine.tensor(uniform(12, 6), [3, 4]);
  await gradcheck((s, t) => where(condition, s, t), choose, [a, engine.tensor([5])]);
  await gradcheck(
    (s) => where(condition, s, 2),
    (p) => choose(p, Float64Array.of(2)),
    [a],
  );
  assert.equal(await where(condition, 1, engine.tensor(Int32Array.of(7))).data(), Int32Array.of(1, 7, 1));
});

test('an operand that is wanted twice gets both gradients', async () => {
  const x = leaf([3, -2], [2]);
  const y = x.mul(x);
  backward(y, engine.tensor([1, 10]));
  await near(x.grad, [6, -40], 0);
});

test('what does not fit is refused by the name of the operation', () => {
  const x = engine.zeros([2, 3]);
  const message = (fn: () => unknown) => errorOf(fn).message;
  assert.match(
    message(() => x.add(engine.zeros([2]))),
    /add: shapes \[2, 3\] and \[2\] do not broadcast/,
  );
  assert.match(
    message(() => x.mul(engine.zeros([3], 'i32'))),
    /mul: takes operands of one dtype.*f32\[2, 3\], i32\[3\]/,
  );
  assert.match(
    message(() => engine.zeros([2], 'i32').exp()),
    /exp: takes operands of one dtype among f32/,
  );
  assert.match(
    message(() => engine.zeros([2], 'u32').neg()),
    /neg: takes .* f32, f16, i32/,
  );
  const whole = engine.zeros([2], 'i32');
  assert.match(
    message(() => whole.mul(0.5)),
    /mul: the element is 0\.5, but i32 holds whole numbers from -2147483648 to 2147483647/,
  );
  assert.match(
    message(() => where(whole.greater(0), whole, 2 ** 31)),
    /where: the element is 2147483648, but i32/,
  );
  assert.match(
    message(() => x.add(undefined as unknown as number)),
    /add: the element is undefined, not a number/,
  );
  assert.match(
    message(() => where(x, x, x)),
    /where: the condition must be u32.*not f32/,
  );
  assert.match(
    message(() => where(x.greater(0), x, engine.zeros([1], 'i32'))),
    /where: both choices must have one dtype/,
  );
});

test.run();
