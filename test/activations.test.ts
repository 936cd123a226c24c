import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import {
  elu,
  geluTanh,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  logSigmoid,
  mish,
  prelu,
  relu6,
  selu,
  supportsF16,
  type Tensor,
} from '../src/index.ts';
import { engine, errorOf, leaf, near, uniform } from './support/engine.ts';
import { HALF_EPSILON, halves, rounded } from './support/half.ts';

const limited = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** What is smooth everywhere but at its kinks, which no number drawn here comes near. */
const activations: Record<string, { of: (x: Tensor) => Tensor; reference: (x: number) => number }> = {
  leakyRelu: { of: (x) => leakyRelu(x, 0.2), reference: (x) => (x > 0 ? x : 0.2 * x) },
  elu: { of: (x) => elu(x, 1.5), reference: (x) => (x > 0 ? x : 1.5 * Math.expm1(x)) },
  selu: {
    of: selu,
    reference: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
  },
  relu6: { of: relu6, reference: (x) => limited(x, 0, 6) },
  hardSigmoid: { of: hardSigmoid, reference: (x) => limited(x + 3, 0, 6) / 6 },
  hardSwish: { of: hardSwish, reference: (x) => (x * limited(x + 3, 0, 6)) / 6 },
  mish: { of: mish, reference: (x) => x * Math.tanh(softplus(x)) },
  logSigmoid: { of: logSigmoid, reference: (x) => -softplus(-x) },
  geluTanh: {
    of: geluTanh,
    reference: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  },
};

for (const [name, { of, reference }] of Object.entries(activations)) {
  test(`${name} and its slope`, async () => {
    const values = uniform(64, 3, -8, 8);
    // Adapters' tanh may be 1e-5 off.
    await gradcheck(of, (t) => t!.map(reference), [engine.tensor(values)], { tolerance: 4e-5 });
    if (supportsF16(engine)) {
      const y = of(halves(values, [64]));
      assert.is(y.dtype, 'f16');
      await near(y, Array.from(rounded(values), reference), 2 * HALF_EPSILON);
    }
  });
}

test('slopes that are learnt have a gradient, one for all channels or one each', async () => {
  const x = engine.tensor(uniform(12, 5, -2, 2), [4, 3]);
  for (const count of [1, 3]) {
    const weight = engine.tensor(uniform(count, 6, 0.1, 0.5));
    await gradcheck(prelu, (t, w) => t!.map((v, i) => (v > 0 ? v : v * w![i % count]!)), [x, weight]);
  }
});

test('far from zero activations neither overflow nor lose NaN', async () => {
  const far = [1e4, -1e4, Number.NaN];
  const of = async (fn: (x: Tensor) => Tensor) => [...(await fn(engine.tensor(far)).data())];
  assert.equal(await of(relu6), [6, 0, Number.NaN]);
  assert.equal(await of(elu), [1e4, -1, Number.NaN]);
  assert.equal(
    await of(logSigmoid),
    [0, -1e4, Number.NaN].map((v, i) => (i === 0 ? -0 : v)),
  );
  assert.equal(await of(hardSwish), [1e4, -0, Number.NaN]);
  const x = leaf([1e4, -1e4], [2]);
  mish(x).sum().backward();
  await near(x.grad, [1, 0], 1e-6);
});

test('slopes at the kinks are PyTorch’s', async () => {
  const at = async (fn: (x: Tensor) => Tensor, values: number[]) => {
    const x = leaf(values, [values.length]);
    fn(x).sum().backward();
    return [...(await x.grad!.data())].map((value) => Math.round(value * 100) / 100);
  };
  assert.equal(await at((x) => leakyRelu(x, 0.25), [0]), [0.25]);
  assert.equal(await at((x) => elu(x, 0.5), [0]), [0.5]);
  assert.equal(await at(relu6, [0, 6, Number.NaN]), [0, 0, 1]);
  assert.equal(await at(hardSigmoid, [-3, 3]), [0, 0]);
});

test('logical operations take what is not 0 as true', async () => {
  const a = engine.tensor([0, 0, 2, Number.NaN, -0]);
  const b = engine.tensor([0, -1, 0, 5, 1]);
  const bits = async (t: Tensor) => {
    assert.is(t.dtype, 'u32');
    return [...(await t.data())];
  };
  assert.equal(await bits(logicalAnd(a, b)), [0, 0, 0, 1, 0]);
  assert.equal(await bits(logicalOr(a, b)), [0, 1, 1, 1, 1]);
  assert.equal(await bits(logicalXor(a, b)), [0, 1, 1, 0, 1]);
  assert.equal(await bits(logicalNot(a)), [1, 1, 0, 0, 1]);
  assert.equal(await bits(logicalOr(a.greater(1), b.less(0))), [0, 1, 1, 0, 0]);
  assert.equal(logicalAnd(engine.ones([2, 1], 'i32'), engine.ones([3], 'i32')).shape, [2, 3]);
  assert.match(
    errorOf(() => logicalAnd(a, engine.ones([5], 'i32'))).message,
    /logicalAnd: takes operands of one dtype/,
  );
});

test.run();
