/** Tensors that were freed, as operands: the operation says so in its own name, and leaves nothing behind. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as engram from '../src/index.ts';
import { type DType, FreedTensorError, GroupDraw, Linear, SGD, TaskPool, type Tensor } from '../src/index.ts';
import { engine, errorOf } from './support/engine.ts';

/** An operand: its shape, and its dtype where it is not f32. */
type Described = readonly [shape: readonly number[], dtype?: DType];
interface Call {
  readonly operands: readonly Described[];
  readonly run: (...operands: Tensor[]) => unknown;
  /** What the error names, where it is not the operation itself. */
  readonly where?: string;
}

const matrix: Described = [[4, 6]];
const images: Described = [[2, 8, 8, 4]];
const ids: Described = [[4], 'i32'];
const logits: Described = [[4, 6]];
const taskSizes = [2, 2];
const pool = TaskPool.of('dense', taskSizes);
const draw = new GroupDraw(engine, pool, { groups: 2, seed: 1 });
const vectors = (n: number): Described[] => Array.from({ length: n }, () => [[4]]);

const of = (operands: readonly Described[], run: Call['run'], where?: string): Call => ({
  operands,
  run,
  ...(where === undefined ? {} : { where }),
});

/** Every exported operation. */
const calls: Record<string, Call | readonly Call[]> = {
  argmax: of([matrix], (x) => engram.argmax(x)),
  argmin: of([matrix], (x) => engram.argmin(x)),
  argsort: of([matrix], (x) => engram.argsort(x)),
  avgPool2d: of([images], (x) => engram.avgPool2d(x, { kernel: 2 })),
  batchNorm: of([images, ...vectors(4), images], (x, weight, bias, runningMean, runningVar, residual) =>
    engram.batchNorm(x, { weight, bias, runningMean, runningVar, residual, training: true }),
  ),
  binaryCrossEntropyWithLogits: of([logits, logits, logits, [[6]]], (x, t, weight, posWeight) =>
    engram.binaryCrossEntropyWithLogits(x, t, { weight, posWeight }),
  ),
  cast: [of([matrix], (x) => engram.cast(x, 'i32')), of([matrix], (x) => engram.cast(x, 'f32'))],
  clamp: of([matrix, matrix, matrix], engram.clamp),
  concat: of([matrix, matrix, matrix], (...all) => engram.concat(all)),
  conv1d: of([[[2, 8, 4]], [[3, 4, 5]], [[5]]], (x, weight, bias) => engram.conv1d(x, weight, { bias })),
  conv2d: [
    of([images, [[3, 3, 4, 5]], [[5]]], (x, weight, bias) => engram.conv2d(x, weight, { bias })),
    of([images, [[1, 1, 4, 5]], [[5]]], (x, weight, bias) => engram.conv2d(x, weight, { bias })),
  ],
  convTranspose2d: of([images, [[3, 3, 5, 4]], [[5]]], (x, weight, bias) =>
    engram.convTranspose2d(x, weight, { bias }),
  ),
  cosineEmbeddingLoss: of([matrix, matrix, ids], (a, b, target) => engram.cosineEmbeddingLoss(a, b, target)),
  cosineSimilarity: of([matrix, matrix], (a, b) => engram.cosineSimilarity(a, b)),
  countEqual: of([ids, ids], engram.countEqual),
  crossEntropy: of([logits, ids], (x, t) => engram.crossEntropy(x, t)),
  cumsum: of([matrix], (x) => engram.cumsum(x)),
  denseKD: [
    of([logits, logits], (student, teacher) => engram.denseKD(student, teacher, { taskSizes })),
    of([[[pool.size]]], (groupWeights) => engram.denseKD(kept, kept, { taskSizes, groupWeights })),
    of([[[]], [[4]], [[6]], ids], (lambda, classes, samples, labels) =>
      engram.denseKD(kept, kept, { taskSizes, labels, weighting: { lambda, classes, samples } }),
    ),
  ],
  dropout: of([matrix], (x) => engram.dropout(x, 0.5)),
  einsum: of([matrix, [[6, 3]]], (a, b) => engram.einsum('ij,jk->ik', a, b)),
  elu: of([matrix], (x) => engram.elu(x)),
  flatten: of([images], (x) => engram.flatten(x)),
  flip: of([matrix], (x) => engram.flip(x, [0])),
  gather: of([matrix, ids], (x, index) => engram.gather(x, index)),
  gatherGroups: of([logits, logits, [[1, 2, 2], 'u32']], (student, teacher, masks) =>
    engram.gatherGroups(student, teacher, masks, pool),
  ),
  geluTanh: of([matrix], engram.geluTanh),
  globalAvgPool: of([images], engram.globalAvgPool),
  globalKD: of([logits, logits], (student, teacher) => engram.globalKD(student, teacher, { taskSizes }), 'denseKD'),
  groupKD: [
    of([logits, logits], (student, teacher) => engram.groupKD(student, teacher, pool)),
    of([[[pool.size]]], (weights) => engram.groupKD(kept, kept, pool, { weights })),
    of([[[2, 2]]], (perTask) => engram.groupKD(kept, kept, pool, { weights: { perTask } })),
  ],
  groupLosses: of([logits, logits], (student, teacher) => engram.groupLosses(student, teacher, pool)),
  groupNorm: of([images, ...vectors(2)], (x, weight, bias) => engram.groupNorm(x, 2, { weight, bias })),
  hardSigmoid: of([matrix], engram.hardSigmoid),
  hardSwish: of([matrix], engram.hardSwish),
  huberLoss: of([matrix, matrix], (a, b) => engram.huberLoss(a, b)),
  interpolate: of([images], (x) => engram.interpolate(x, { size: 3 })),
  klDiv: of([matrix, matrix], (a, b) => engram.klDiv(a, b)),
  l1Loss: of([matrix, matrix], (a, b) => engram.l1Loss(a, b)),
  layerNorm: of([matrix, [[6]], [[6]]], (x, weight, bias) => engram.layerNorm(x, [6], { weight, bias })),
  leakyRelu: of([matrix], (x) => engram.leakyRelu(x)),
  linear: of([matrix, [[6, 3]], [[3]]], engram.linear),
  logSigmoid: of([matrix], engram.logSigmoid),
  logSoftmax: of([matrix], (x) => engram.logSoftmax(x)),
  logSumExp: of([matrix], (x) => engram.logSumExp(x)),
  logicalAnd: of(
    [
      [[4], 'u32'],
      [[4], 'u32'],
    ],
    engram.logicalAnd,
  ),
  logicalNot: of([[[4], 'u32']], engram.logicalNot),
  logicalOr: of(
    [
      [[4], 'u32'],
      [[4], 'u32'],
    ],
    engram.logicalOr,
  ),
  logicalXor: of(
    [
      [[4], 'u32'],
      [[4], 'u32'],
    ],
    engram.logicalXor,
  ),
  matmul: of([matrix, [[6, 3]]], (a, b) => engram.matmul(a, b)),
  max: of([matrix], (x) => engram.max(x)),
  maxPool2d: of([images], (x) => engram.maxPool2d(x, { kernel: 2 })),
  mean: of([matrix], (x) => engram.mean(x)),
  min: of([matrix], (x) => engram.min(x, 1)),
  mish: of([matrix], engram.mish),
  mseLoss: of([matrix, matrix], (a, b) => engram.mseLoss(a, b)),
  nllLoss: of([logits, ids, [[6]]], (p, t, weight) => engram.nllLoss(p, t, { weight })),
  norm: of([matrix], (x) => engram.norm(x)),
  normalize: of([matrix], (x) => engram.normalize(x)),
  oneHot: of([ids], (index) => engram.oneHot(index, 3)),
  pad: of([[[4]]], (x) => engram.pad(x, [[1, 1]])),
  prelu: of([matrix, [[6]]], engram.prelu),
  prod: of([matrix], (x) => engram.prod(x)),
  randomKD: [
    of([logits, logits], (student, teacher) => engram.randomKD(student, teacher, draw)),
    of([[[2, 2]]], (perTask) => engram.randomKD(kept, kept, draw, { weights: { perTask } })),
  ],
  relu6: of([matrix], engram.relu6),
  reshape: of([matrix], (x) => engram.reshape(x, [-1])),
  scaledDotProductAttention: of(
    [[[2, 3, 4]], [[2, 3, 4]], [[2, 3, 4]], [[3, 3]]],
    (query, key, value, mask) => engram.scaledDotProductAttention(query, key, value, { mask, isCausal: true }),
    'attention',
  ),
  scatterAdd: of([matrix, ids, matrix], (x, index, source) => engram.scatterAdd(x, index, source)),
  selu: of([matrix], engram.selu),
  slice: of([matrix], (x) => engram.slice(x, [[1, 2]])),
  smoothL1Loss: of([matrix, matrix], (a, b) => engram.smoothL1Loss(a, b)),
  softmax: [of([matrix], (x) => engram.softmax(x)), of([matrix], (x) => engram.softmax(x, 0))],
  sort: of([matrix], (x) => engram.sort(x)),
  split: of([matrix], (x) => engram.split(x, 2)),
  squeeze: of([[[4, 1]]], (x) => engram.squeeze(x)),
  stack: of([matrix, matrix], (...all) => engram.stack(all)),
  std: of([matrix], (x) => engram.std(x), 'variance'),
  sum: [of([matrix], (x) => engram.sum(x)), of([[[1, 1]]], (x) => engram.sum(x))],
  taskwiseKD: of([logits, logits], (student, teacher) => engram.taskwiseKD(student, teacher, { taskSizes }), 'denseKD'),
  tile: of([matrix], (x) => engram.tile(x, [2, 1])),
  topk: of([matrix], (x) => engram.topk(x, 2)),
  transpose: of([matrix], (x) => engram.transpose(x)),
  tril: of([matrix], (x) => engram.tril(x)),
  triu: of([matrix], (x) => engram.triu(x)),
  unsqueeze: of([matrix], (x) => engram.unsqueeze(x, 0)),
  variance: of([matrix], (x) => engram.variance(x)),
  vectorNorm: of([matrix], (x) => engram.vectorNorm(x)),
  weightedLoss: of([matrix, [[6]], [[4]]], (losses, groupWeights, sampleWeights) =>
    engram.weightedLoss(losses, { groupWeights, sampleWeights }),
  ),
  where: of([[[4, 6], 'u32'], matrix, matrix], engram.where),
};

/** Exported functions that take no tensors, or are no operations. */
const OTHERS = new Set(
  'arange backward borrow capture channelMoments checkImages checkpointed classGroups classIndices classSimilarity clipGradNorm clipGradValue \
clusterClasses constantSchedule copyModule copyTo cosineSchedule countWeight createBackbone createResNet customOp deviceRequirements \
elementwise enableGrad encode eye finiteLoss firstPerClass flopsPerImage growLinear identityTransforms imagesByClass indicesOfClasses \
kaimingNormal kaimingUniform linkWgsl linspace loadStateDict loadTraining loadWeights missing noGrad parameter plane randomBrightness randomTransforms \
readSafetensors readState record recordInto recomputed recordedGradients resizeImages saveTraining saveWeights stateDict stepSchedule submitted subset \
summary supportsF16 toImageBytes tune warmUp weighting wgsl wrap writeSafetensors writeState'.split(/\s+/),
);

const make = ([shape, dtype = 'f32']: Described): Tensor => engine.ones([...shape], dtype);
/** What other operands are, where one of them is of interest. */
const kept = make(logits);

/** Each of the operands freed in turn. */
function refuses(name: string, { operands, run, where = name }: Call): void {
  for (const at of operands.keys()) {
    const given = operands.map(make);
    given[at]?.dispose();
    const before = engine.memory().liveBuffers;
    const error = errorOf(() => run(...given));
    const what = `${name}, operand ${at}`;
    assert.instance(error, FreedTensorError, `${what}: ${error.message}`);
    assert.ok(error.message.startsWith(`${where}: its operand, ones [`), `${what}: ${error.message}`);
    assert.match(error.message, /was freed\. Keep it until then: dispose of it later, return it from the scope/);
    assert.is(engine.memory().liveBuffers, before, `${what}: something is left`);
    for (const tensor of given) tensor.dispose();
  }
}

test('every operation refuses what was freed in its own name, and leaves nothing behind', () => {
  for (const [name, call] of Object.entries(calls)) for (const one of [call].flat() as Call[]) refuses(name, one);
  for (const [name, run] of Object.entries(engram.unary)) refuses(name, of([matrix], run));
  for (const [name, run] of Object.entries(engram.binary)) refuses(name, of([matrix, matrix], run));
});

test('no operation is left out', () => {
  const operations = Object.entries(engram).flatMap(([name, value]) =>
    typeof value === 'function' && /^[a-z]/.test(name) && !OTHERS.has(name) ? [name] : [],
  );
  assert.equal(Object.keys(calls).sort(), operations.sort());
});

test('what is refused again and again takes no memory', () => {
  const x = engine.ones([3, 2]);
  x.dispose();
  const before = engine.memory().liveBuffers;
  for (let i = 0; i < 20; i++) errorOf(() => x.mul(2));
  assert.is(engine.memory().liveBuffers, before);
});

test('modules, optimizers and reads name what they would do', async () => {
  const layer = new Linear(engine, 2, 3);
  const x = engine.ones([4, 2]);
  x.dispose();
  assert.match(errorOf(() => layer.forward(x)).message, /^linear: its operand, ones \[4, 2\], was freed\./);
  const reason = await x.data().catch((error: Error) => error);
  assert.match((reason as Error).message, /^data: this tensor, ones \[4, 2\], was freed\./);
  assert.match(errorOf(() => engram.borrow(x)).message, /^borrow: this tensor, ones \[4, 2\], was freed\./);
  const step = engram.capture(engine, (given: Tensor) => given.mul(2));
  assert.match(errorOf(() => step(x)).message, /^capture: input 0, ones \[4, 2\], was freed\./);

  const optimizer = new SGD(layer, { lr: 1 });
  layer
    .forward(engine.ones([4, 2]))
    .sum()
    .backward();
  layer.weight.grad?.dispose();
  const refused = errorOf(() => optimizer.step());
  assert.instance(refused, FreedTensorError);
  assert.match(refused.message, /^SGD\.step: the gradient of "weight", \w+ \[2, 3\], was freed\./);
  assert.is(optimizer.steps, 0);
  layer.weight.grad = null;
  layer.bias?.dispose();
  assert.match(errorOf(() => optimizer.step()).message, /^SGD\.step: the parameter "bias", \w+ \[3\], was freed\./);
  optimizer.dispose();
});

test.run();
