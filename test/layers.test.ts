import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import {
  ELU,
  Embedding,
  GELU,
  Hardsigmoid,
  Hardswish,
  Identity,
  LeakyReLU,
  Linear,
  LogSigmoid,
  LogSoftmax,
  Mish,
  type Module,
  PReLU,
  ReLU6,
  SELU,
  Sequential,
  SGD,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  stateDict,
  Tanh,
} from '../src/index.ts';
import { engine, errorOf, near, uniform } from './support/engine.ts';
import { logSoftmax, softmax } from './support/rows.ts';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.log1p(Math.exp(x));

const activations: [Module, (x: number) => number][] = [
  [new Identity(engine), (x) => x],
  [new Sigmoid(engine), sigmoid],
  [new Tanh(engine), Math.tanh],
  [new SiLU(engine), (x) => x * sigmoid(x)],
  [new Softplus(engine), softplus],
  [new LeakyReLU(engine), (x) => (x > 0 ? x : 0.01 * x)],
  [new LeakyReLU(engine, 0.3), (x) => (x > 0 ? x : 0.3 * x)],
  [new ELU(engine, 2), (x) => (x > 0 ? x : 2 * Math.expm1(x))],
  [new SELU(engine), (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x))],
  [new PReLU(engine), (x) => (x > 0 ? x : 0.25 * x)],
  [new ReLU6(engine), (x) => Math.min(Math.max(x, 0), 6)],
  [new Hardsigmoid(engine), (x) => Math.min(Math.max(x + 3, 0), 6) / 6],
  [new Hardswish(engine), (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6],
  [new Mish(engine), (x) => x * Math.tanh(softplus(x))],
  [new LogSigmoid(engine), (x) => -softplus(-x)],
  [new GELU(engine, 'tanh'), (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))],
];

test('activations are modules', async () => {
  const values = uniform(20, 1, -8, 8);
  for (const [module, reference] of activations) {
    await near(module.forward(engine.tensor(values)), Array.from(values, reference), 4e-5, module.constructor.name);
  }
  const row = [1, -2, 0.5];
  await near(new Softmax(engine).forward(engine.tensor([row])), softmax(row), 1e-6);
  await near(new LogSoftmax(engine, 0).forward(engine.tensor([row]).transpose()), logSoftmax(row), 1e-6);
  await near(new GELU(engine).forward(engine.tensor(row)), await engine.tensor(row).gelu().data(), 0);
});

test('learnt slopes are parameters, in a chain of modules', async () => {
  const model = new Sequential(engine, new Linear(engine, 3, 4), new PReLU(engine, 4), new Linear(engine, 4, 1));
  assert.equal([...(await stateDict(model)).keys()], ['0.weight', '0.bias', '1.weight', '2.weight', '2.bias']);
  const optimizer = new SGD(model, { lr: 0.1 });
  const before = await (model.modules[1] as PReLU).weight.data();
  model
    .forward(engine.tensor(uniform(30, 2, -2, 2), [10, 3]))
    .sum()
    .backward();
  optimizer.step();
  assert.not.equal(await (model.modules[1] as PReLU).weight.data(), before);
  assert.match(errorOf(() => new PReLU(engine, 0)).message, /PReLU: count must be a whole number/);
});

test('numbers have vectors; the one of padding is zeros and stays so', async () => {
  const plain = new Embedding(engine, 5, 3);
  const index = engine.tensor(Int32Array.of(4, 0, 4, 1), [2, 2]);
  const rows = await plain.weight.data();
  const y = plain.forward(index);
  assert.equal(y.shape, [2, 2, 3]);
  await near(
    y,
    [4, 0, 4, 1].flatMap((at) => [...rows.slice(at * 3, at * 3 + 3)]),
    0,
  );
  await gradcheck(
    (weight) => {
      plain.weight = weight;
      return plain.forward(index);
    },
    (weight) => [4, 0, 4, 1].flatMap((at) => [...weight!.slice(at * 3, at * 3 + 3)]),
    [engine.tensor(rows, [5, 3])],
  );
  const padded = new Embedding(engine, 5, 3, { paddingIndex: 4 });
  assert.equal([...(await padded.weight.data()).slice(12)], [0, 0, 0]);
  padded.forward(index).sum().backward();
  assert.equal([...(await padded.weight.grad!.data())], [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.match(errorOf(() => plain.forward(engine.zeros([2]))).message, /Embedding: takes i32, not f32/);
  assert.match(errorOf(() => new Embedding(engine, 5, 3, { paddingIndex: 5 })).message, /from 0 to 4, not 5/);
});

test('numbers without a vector give zeros and train nothing, negative ones too', async () => {
  const embedding = new Embedding(engine, 2, 2);
  const y = embedding.forward(engine.tensor(Int32Array.of(-1, 2, 0)));
  y.sum().backward();
  await near(y, [0, 0, 0, 0, ...(await embedding.weight.data()).slice(0, 2)], 0);
  await near(embedding.weight.grad, [1, 1, 0, 0], 0);
});

test.run();
