import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  Conv1d,
  Conv2d,
  ConvTranspose2d,
  createResNet,
  Dropout,
  Embedding,
  flopsPerImage,
  Linear,
  Module,
  MultiheadAttention,
  Sequential,
  summary,
  type Tensor,
} from '../src/index.ts';
import { engine, errorOf } from './support/engine.ts';

test('a ResNet’s layers, shapes and arithmetic, as counted without running it', async () => {
  const model = createResNet(engine, 'resnet8', { classes: 10, width: 4, inChannels: 1 });
  const runningMean = [...(await model.bn1.runningMean.data())];
  const of = summary(model, [2, 12, 12, 1]);
  assert.is(of.parameters, model.parameterCount);
  assert.is(of.flops, 2 * flopsPerImage(model, { height: 12, width: 12 }));
  const layer = (name: string) => of.layers.find((one) => one.name === name)!;
  assert.equal(layer('conv1').outputShape, [2, 12, 12, 4]);
  assert.is(layer('conv1').parameters, 36);
  assert.equal(layer('layer3.0').outputShape, [2, 3, 3, 16]);
  assert.equal(layer('').outputShape, [2, 10]);
  assert.is(layer('fc').flops, 2 * 2 * 160);
  assert.is(
    of.layers.reduce((total, { parameters }) => total + parameters, 0),
    model.parameterCount,
  );
  assert.is(
    of.buffers,
    model.namedBuffers().reduce((total, { tensor }) => total + tensor.size, 0),
  );
  // It was left as it was.
  assert.ok(model.training && model.conv1.training);
  assert.not.ok(Object.hasOwn(model.conv1, 'forward'));
  assert.equal([...(await model.bn1.runningMean.data())], runningMean);
  model.dispose();
});

test('convolutions in groups, of sequences and transposed ones: twice their multiply-adds', () => {
  const flops = (model: Module, input: readonly number[]) => summary(model, input).flops;
  // 4×4 outputs of 8 channels, each of 3×3 taps of the two channels of its group.
  assert.is(flops(new Conv2d(engine, 4, 8, 3, { padding: 1, groups: 2 }), [1, 4, 4, 4]), 2 * 16 * 8 * 9 * 2);
  assert.is(flops(new Conv1d(engine, 4, 8, 3), [1, 10, 4]), 2 * 8 * 8 * 3 * 4);
  // Each of 3×3 inputs of 4 channels reaches 2×2 outputs of 6.
  assert.is(flops(new ConvTranspose2d(engine, 4, 6, 2, { stride: 2 }), [1, 3, 3, 4]), 2 * 9 * 4 * 4 * 6);
});

test('as text it is a table', () => {
  const model = new Sequential(engine, new Linear(engine, 3, 400), new Dropout(engine), new Linear(engine, 400, 2));
  model.modules[2]!.freeze();
  assert.equal(`${summary(model, [5, 3])}`.split('\n'), [
    'layer    type        output    parameters   FLOPs',
    '─────────────────────────────────────────────────',
    '(model)  Sequential  [5, 2]',
    '0        Linear      [5, 400]       1,600  12.0 k',
    '1        Dropout     [5, 400]',
    '2        Linear      [5, 2]                8.00 k',
    '─────────────────────────────────────────────────',
    '                                    1,600  20.0 k',
    'and 802 values that are not trained',
  ]);
  assert.ok(model.training && !model.modules[2]!.training);
  model.modules[2]!.unfreeze();
  assert.ok(model.modules[2]!.training);
});

test('models of several inputs and of integers; a module that is called twice', () => {
  class Pair extends Module<[words: Tensor, memory: Tensor]> {
    readonly embedding = new Embedding(this.engine, 10, 4);
    readonly attention = new MultiheadAttention(this.engine, 4, 2);
    readonly last = new Linear(this.engine, 4, 4);
    readonly never = new Linear(this.engine, 4, 4);
    forward(words: Tensor, memory: Tensor): Tensor {
      const { output } = this.attention.forward(this.embedding.forward(words), memory);
      return this.last.forward(this.last.forward(output));
    }
  }
  const model = new Pair(engine);
  const before = engine.memory().liveBuffers;
  const of = summary(model, engine.tensor(Int32Array.of(1, 2, 3), [1, 3]), [1, 5, 4]);
  const flops = Object.fromEntries(of.layers.map((layer) => [layer.name, layer.flops]));
  // Projections of 3 queries, 5 keys and 5 values; scores of 3 × 5 and their sums of values.
  assert.is(flops.attention, 2 * (13 * 16 + 2 * 3 * 5 * 4));
  assert.is(flops['attention.out_proj'], 2 * 3 * 16);
  assert.is(flops.last, 2 * (2 * 3 * 16));
  assert.is(flops.never, 0);
  assert.is(of.layers.find(({ name }) => name === 'never')!.outputShape, null);
  assert.equal(of.layers.find(({ name }) => name === 'attention')!.outputShape, [1, 3, 4]);
  // One tensor more: the words.
  assert.is(engine.memory().liveBuffers, before + 1);
});

test('a model that fails is left as it was', () => {
  const model = new Linear(engine, 3, 2);
  assert.match(errorOf(() => summary(model, [2, 4])).message, /linear: x \[2, 4\]/);
  assert.not.ok(Object.hasOwn(model, 'forward'));
  assert.match(errorOf(() => summary(model)).message, /summary: needs what the model takes/);
});

test.run();
