/** What is inside a module: fields, lists and dictionaries; what is shared, circular or frozen. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BatchNorm2d,
  checkpointed,
  Dropout,
  Linear,
  loadStateDict,
  loadWeights,
  Module,
  noGrad,
  parameter,
  readSafetensors,
  Sequential,
  SGD,
  saveWeights,
  stateDict,
  type Tensor,
} from '../src/index.ts';
import { engine, errorOf, near, uniform } from './support/engine.ts';

const linear = () => new Linear(engine, 2, 2, { bias: false });
const names = (module: Module) => [...module.namedTensors()].map(({ name }) => name);

/** A chain of whatever is inside. */
class Chain extends Module {
  constructor(fields: Readonly<Record<string, unknown>>) {
    super(engine);
    Object.assign(this, fields);
  }

  forward(x: Tensor): Tensor {
    return [...this.children()].reduce((y, [, child]) => child.forward(y), x);
  }
}

/** A module of lists and dictionaries, as people write them. */
class Nested extends Module {
  readonly blocks = [linear(), new Sequential(engine, linear())];
  readonly grid = [[linear()], [linear(), linear()]];
  readonly heads = new Map<string | number, Module>([
    ['left', linear()],
    [7, linear()],
  ]);
  readonly branches = { near: linear(), far: { deep: linear() } };
  readonly scaleFactors = [parameter(engine, [1], () => 2), parameter(engine, [1], () => 3)];
  readonly sizes = [1, 2, 3];
  readonly nothing = null;

  constructor() {
    super(engine);
  }

  forward(x: Tensor): Tensor {
    let y = x;
    for (const [, child] of this.children()) y = child.forward(y);
    for (const scale of this.scaleFactors) y = y.mul(scale);
    return y;
  }
}

test('modules and tensors in lists, maps and plain objects have PyTorch’s names', () => {
  assert.equal(names(new Nested()), [
    'scale_factors.0',
    'scale_factors.1',
    'blocks.0.weight',
    'blocks.1.0.weight',
    'grid.0.0.weight',
    'grid.1.0.weight',
    'grid.1.1.weight',
    'heads.left.weight',
    'heads.7.weight',
    'branches.near.weight',
    'branches.far.deep.weight',
  ]);
});

test('what is in lists is trained, saved, loaded, put to rest and freed', async () => {
  const live = engine.memory().liveBuffers;
  const model = new Nested();
  const x = engine.tensor(uniform(6, 1), [3, 2]);
  const before = await stateDict(model);
  const optimizer = new SGD(model, { lr: 0.1 });
  engine.scope(() => model.forward(x).square().sum().backward());
  optimizer.step();
  optimizer.zeroGrad();
  for (const [name, { data }] of await stateDict(model)) assert.not.equal(data, before.get(name)?.data, name);

  const other = new Nested();
  loadWeights(other, await saveWeights(model));
  const [expected, actual] = [model, other].map((module) =>
    noGrad(engine, () => engine.scope(() => module.forward(x))),
  );
  await near(actual, await expected!.data(), 0);
  model.eval();
  assert.ok([...model.namedModules()].every(([, { training }]) => !training));
  for (const module of [model, other]) module.dispose();
  for (const tensor of [expected, actual, x]) tensor!.dispose();
  optimizer.dispose();
  assert.is(engine.memory().liveBuffers, live);
});

test('what several paths lead to is listed and trained once', async () => {
  const shared = linear();
  const tied = new Chain({ first: shared, last: new Chain({ again: shared, list: [shared] }), alias: shared.weight });
  assert.equal(names(tied), ['alias']);
  assert.is(tied.parameterCount, 4);
  assert.equal(
    [...tied.namedModules()].map(([path]) => path),
    ['', 'first', 'last'],
  );
  const before = await shared.weight.data();
  shared.weight.sum().backward();
  new SGD(tied, { lr: 0.5 }).step();
  await near(
    shared.weight,
    before.map((w) => w - 0.5),
    1e-6,
  );
});

test('a state that has a shared tensor under all its names loads, if they agree', async () => {
  const shared = linear();
  const tied = new Chain({ encoder: shared, decoder: new Chain({ inner: shared }) });
  const bytes = await saveWeights(tied);
  assert.equal([...readSafetensors(bytes).tensors.keys()], ['encoder.weight']);
  const entry = (start: number) => ({ shape: [2, 2], data: Float32Array.of(start, 2, 3, 4) });
  const both = (first: number, second: number) =>
    new Map([
      ['encoder.weight', entry(first)],
      ['decoder.inner.weight', entry(second)],
    ]);
  loadStateDict(tied, both(1, 1));
  await near(shared.weight, [1, 3, 2, 4], 0);
  loadStateDict(tied, new Map([['decoder.inner.weight', entry(5)]]));
  await near(shared.weight, [5, 3, 2, 4], 0);
  const error = errorOf(() => loadStateDict(tied, both(1, 2)));
  assert.is(error.name, 'CheckpointError');
  assert.match(
    error.message,
    /"decoder\.inner\.weight" and "encoder\.weight" differ; in the model they are one tensor/,
  );
  await near(shared.weight, [5, 3, 2, 4], 0);
});

test('modules that know each other, and lists that hold themselves, are walked once', async () => {
  const ring = Array.from({ length: 12 }, () => new Chain({ own: linear() }));
  for (const module of ring) Object.assign(module, { all: ring, next: ring[0] });
  const list: unknown[] = [linear()];
  list.push(list, { list });
  const root = new Chain({ ring: ring[3], list });
  assert.is(names(root).length, 13);
  assert.is(root.train().eval().freeze().unfreeze().parameters().length, 13);
  loadWeights(root, await saveWeights(root));
  root.dispose();
});

test('a checkpointed part that knows its parent moves its statistics once', async () => {
  const norm = new BatchNorm2d(engine, 2);
  const part = new Chain({ norm });
  const x = engine.tensor([
    [1, 2],
    [3, 4],
  ]);
  x.requiresGrad = true;
  checkpointed(part, x).sum().backward();
  await near(norm.runningMean, [0.2, 0.3], 1e-6);
});

test('what is frozen stays in inference until it is unfrozen', async () => {
  const backbone = new Chain({
    norm: new BatchNorm2d(engine, 2),
    rest: new Sequential(engine, new Dropout(engine, 0.5)),
  });
  const head = linear();
  const model = new Chain({ backbone, head });
  const x = engine.tensor(uniform(8, 2), [4, 2]);
  const statistics = async () => [...(await (backbone as unknown as { norm: BatchNorm2d }).norm.runningMean.data())];
  backbone.freeze();
  assert.ok(backbone.isFrozen && !model.isFrozen);
  model.train();
  assert.ok(model.training && head.training);
  assert.not(backbone.training);
  for (const [, inner] of backbone.namedModules()) assert.not(inner.train().training);
  assert.equal(model.parameters(), [head.weight]);
  model.forward(x);
  assert.equal(await statistics(), [0, 0]);

  backbone.unfreeze();
  assert.ok([...model.namedModules()].every(([, { training, isFrozen }]) => training && !isFrozen));
  assert.equal(
    model.namedParameters().map(({ name }) => name),
    ['backbone.norm.weight', 'backbone.norm.bias', 'head.weight'],
  );
  model.forward(x);
  assert.not.equal(await statistics(), [0, 0]);
});

test('unfreezing wakes what freezing stopped, in a part alone too, and leaves the mode that was asked for', () => {
  const still = parameter(engine, [1], () => 1);
  still.requiresGrad = false;
  const head = linear();
  const model = new Chain({ still, head, norm: new BatchNorm2d(engine, 2) });
  model.freeze().freeze();
  assert.equal(model.parameters(), []);
  head.unfreeze();
  assert.equal(model.parameters(), [head.weight]);
  assert.ok(head.training && !model.training);
  model.eval().unfreeze();
  assert.is(model.parameters().length, 3);
  assert.not(still.requiresGrad);
  assert.not(model.training);
});

test.run();
