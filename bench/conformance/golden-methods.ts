/** The golden cases of published methods' own losses and rules: what a user calls, on the file's inputs. */

import { Hessian, linearCKA } from '../../src/entries/analysis.ts';
import {
  accuracyCurve,
  averageIncremental,
  backwardTransfer,
  forgetting,
  lastAccuracy,
} from '../../src/entries/benchmark.ts';
import { alignWeights } from '../../src/entries/continual.ts';
import {
  adjustedCrossEntropy,
  auxiliaryTargets,
  balancedDistillationLoss,
  CosineLinear,
  classBalancedWeights,
  correctBias,
  darkExperienceLoss,
  decoupledKD,
  decoupledKDParts,
  herding,
  lessForgetLoss,
  marginRankingLoss,
  nearestMean,
  ProxyClassifier,
  podFlatLoss,
  podSpatialLoss,
  proxyNCALoss,
  separatedCrossEntropy,
  softTargetLoss,
  taskDistillationLoss,
} from '../../src/entries/methods.ts';
import {
  Adam,
  AdamW,
  countWeight,
  crossEntropy,
  Linear,
  loadStateDict,
  Module,
  Prototypes,
  SGD,
  type Tensor,
} from '../../src/index.ts';
import type { GoldenCase, Layout } from './golden-case.ts';

const TOLERANCE = 1e-5;
/** Of choices, which are right or wrong. */
const EQUAL = 0;

/** Runs the loss backwards; compares it and the gradients of its leaves. */
async function compareLoss(
  given: GoldenCase,
  loss: Tensor,
  leaves: Record<string, Tensor | readonly [Tensor, Layout]>,
): Promise<void> {
  loss.backward();
  await given.compare('loss', loss, TOLERANCE);
  for (const [name, leaf] of Object.entries(leaves)) {
    const [tensor, layout] = 'grad' in leaf ? [leaf, 'same' as const] : leaf;
    await given.compare(`d${name}`, tensor.grad, TOLERANCE, layout);
  }
}

async function kdCase(given: GoldenCase): Promise<void> {
  const [student, teacher] = [given.leaf('student'), given.tensor('teacher')];
  const old = teacher.slice([null, [0, given.number('old', teacher.shape[1])]]);
  const loss = softTargetLoss(student, old, { temperature: given.number('temperature', 2) });
  await compareLoss(given, loss, { student });
}

/** A layer with the file's weights. */
function loaded<T extends Module>(given: GoldenCase, layer: T, name: string): T {
  const data = Float32Array.from(given.numbers('weight'));
  loadStateDict(layer, new Map([[name, { shape: given.shape('weight'), data }]]), { strict: false });
  return layer;
}

async function weightAlignCase(given: GoldenCase): Promise<void> {
  const [classes, features] = given.shape('weight') as [number, number];
  const layer = loaded(given, new Linear(given.engine, features, classes, { bias: false }), 'weight');
  given.compareNumbers('gamma', [await alignWeights(layer, given.number('old'))], TOLERANCE);
  await given.compare('aligned', layer.weight, TOLERANCE, 'linear');
}

async function biasCorrectionCase(given: GoldenCase): Promise<void> {
  const [logits, alpha, beta] = ['logits', 'alpha', 'beta'].map((name) => given.leaf(name)) as [Tensor, Tensor, Tensor];
  const corrected = correctBias(logits, alpha, beta, given.list('task_sizes'));
  await given.compare('corrected', corrected, TOLERANCE);
  await compareLoss(given, crossEntropy(corrected, given.integers('targets')), { logits, alpha, beta });
}

async function cosineClassifierCase(given: GoldenCase): Promise<void> {
  const [classes, size] = given.shape('weight') as [number, number];
  const scale = given.number('scale');
  const head = loaded(given, new CosineLinear(given.engine, size, classes, { scale }), 'weights.0');
  const features = given.leaf('features');
  const logits = head.forward(features);
  await given.compare('logits', logits, TOLERANCE);
  await compareLoss(given, crossEntropy(logits, given.integers('targets')), {
    features,
    scale: head.scale,
    weight: [head.weights[0] as Tensor, 'linear'],
  });
}

async function lucirCase(given: GoldenCase): Promise<void> {
  const [features, cosines] = [given.leaf('features'), given.leaf('cosines')];
  const oldClasses = given.number('old');
  const lessForget = lessForgetLoss(features, given.tensor('old_features'));
  const margin = marginRankingLoss(cosines, given.integers('targets'), {
    oldClasses,
    margin: given.number('margin', 0.5),
    top: given.number('top', 2),
  });
  await given.compare('less_forget', lessForget, TOLERANCE);
  await given.compare('margin', margin, TOLERANCE);
  const weight = countWeight('count', oldClasses, given.number('new'), 5);
  await compareLoss(given, lessForget.mul(weight).add(margin), { features, cosines });
}

async function podSpatialCase(given: GoldenCase): Promise<void> {
  const names = given.names.filter((name) => /^stage\d+$/.test(name));
  const stages = names.map((name) => given.leaf(name, 'images'));
  const old = names.map((name) => given.tensor(`old_${name}`, 'images'));
  const leaves = Object.fromEntries(names.map((name, i) => [name, [stages[i] as Tensor, 'images'] as const]));
  await compareLoss(given, podSpatialLoss(stages, old), leaves);
}

async function podFlatCase(given: GoldenCase): Promise<void> {
  const features = given.leaf('features');
  await compareLoss(given, podFlatLoss(features, given.tensor('old_features')), { features });
}

async function proxyCase(given: GoldenCase): Promise<void> {
  const [rows, size] = given.shape('weight') as [number, number];
  const [proxies, scale] = [given.number('proxies'), given.number('scale')];
  const head = loaded(given, new ProxyClassifier(given.engine, size, rows / proxies, { proxies, scale }), 'weights.0');
  const features = given.leaf('features');
  const scores = head.cosines(features);
  await given.compare('scores', scores, TOLERANCE);
  const options = { scale: head.scale, margin: given.number('margin', 0.6) };
  await compareLoss(given, proxyNCALoss(scores, given.integers('targets'), options), {
    features,
    scale: head.scale,
    weight: [head.weights[0] as Tensor, 'linear'],
  });
}

async function separatedCase(given: GoldenCase): Promise<void> {
  const [student, taskSizes] = [given.leaf('student'), given.list('task_sizes')];
  const oldClasses = taskSizes.reduce((sum, size) => sum + size, 0);
  const separated = separatedCrossEntropy(student, given.integers('targets'), oldClasses);
  const temperature = given.number('temperature', 2);
  const distilled = taskDistillationLoss(student, given.tensor('teacher'), { taskSizes, temperature });
  await given.compare('cross_entropy', separated, TOLERANCE);
  await given.compare('distillation', distilled, TOLERANCE);
  await compareLoss(given, separated.add(distilled), { student });
}

async function darkExperienceCase(given: GoldenCase): Promise<void> {
  const [logits, memoryLogits, otherLogits] = ['new_logits', 'memory_logits', 'memory_logits2'].map((name) =>
    given.leaf(name),
  ) as [Tensor, Tensor, Tensor];
  const batches = {
    logits,
    targets: given.integers('new_targets'),
    memoryLogits,
    storedLogits: given.tensor('stored_logits'),
    otherLogits,
    otherTargets: given.integers('memory_targets2'),
  };
  const loss = darkExperienceLoss(batches, { alpha: given.number('alpha'), beta: given.number('beta') });
  await compareLoss(given, loss, { new_logits: logits, memory_logits: memoryLogits, memory_logits2: otherLogits });
}

async function auxiliaryCase(given: GoldenCase): Promise<void> {
  const logits = given.leaf('logits');
  const targets = auxiliaryTargets(given.integers('targets'), given.number('old'));
  await given.compare('auxiliary_targets', targets, EQUAL);
  await compareLoss(given, crossEntropy(logits, targets), { logits });
}

async function balancedCase(given: GoldenCase): Promise<void> {
  const student = given.leaf('student');
  const weights = classBalancedWeights(given.numbers('counts'), given.number('beta'));
  given.compareNumbers('weights', weights, TOLERANCE);
  const perClass = given.engine.tensor(weights);
  const adjusted = adjustedCrossEntropy(student, given.integers('targets'), perClass);
  const temperature = given.number('temperature', 2);
  const distilled = balancedDistillationLoss(student, given.tensor('teacher'), perClass, { temperature });
  await given.compare('cross_entropy', adjusted, TOLERANCE);
  await given.compare('distillation', distilled, TOLERANCE);
  await compareLoss(given, adjusted.add(distilled), { student });
}

async function decoupledCase(given: GoldenCase): Promise<void> {
  const [student, teacher, targets] = [given.leaf('student'), given.tensor('teacher'), given.integers('targets')];
  const [alpha, beta, temperature] = ['alpha', 'beta', 'temperature'].map((name) => given.number(name)) as [
    number,
    number,
    number,
  ];
  const { target, other } = decoupledKDParts(student, teacher, targets, { temperature });
  await given.compare('target_part', target, TOLERANCE);
  await given.compare('other_part', other, TOLERANCE);
  await compareLoss(given, decoupledKD(student, teacher, targets, { alpha, beta, temperature }), { student });
}

async function herdingCase(given: GoldenCase): Promise<void> {
  const size = given.shape('features').at(-1) as number;
  const chosen = herding(Float32Array.from(given.numbers('features')), size, given.number('count'));
  given.compareNumbers('chosen', chosen, EQUAL);
}

async function nearestMeanCase(given: GoldenCase): Promise<void> {
  const [classes, each, size] = given.shape('exemplars') as [number, number, number];
  const labels = Int32Array.from({ length: classes * each }, (_, i) => Math.floor(i / each));
  const means = new Prototypes(given.engine, classes, size);
  means.update(given.tensor('exemplars').reshape([classes * each, size]), given.engine.tensor(labels));
  await given.compare('predicted', nearestMean(given.tensor('queries'), means.means()), EQUAL);
}

/** Rows of the file's matrix are cut to the tasks learnt so far. */
async function metricsCase(given: GoldenCase): Promise<void> {
  const [tasks, columns] = given.shape('matrix') as [number, number];
  const values = Array.from(given.numbers('matrix'));
  const matrix = Array.from({ length: tasks }, (_, t) => values.slice(t * columns, t * columns + t + 1));
  const curve = accuracyCurve(matrix, given.list('test_images'));
  given.compareNumbers('curve', curve, TOLERANCE);
  given.compareNumbers('average', [averageIncremental(curve)], TOLERANCE);
  given.compareNumbers('last', [lastAccuracy(curve)], TOLERANCE);
  given.compareNumbers('forgetting', [forgetting(matrix)], TOLERANCE);
  given.compareNumbers('backward_transfer', [backwardTransfer(matrix)], TOLERANCE);
}

async function linearCKACase(given: GoldenCase): Promise<void> {
  await given.compare('cka', linearCKA(given.tensor('x'), given.tensor('y')), TOLERANCE);
}

async function hessianCase(given: GoldenCase): Promise<void> {
  const [x, weight, targets] = [given.tensor('x'), given.leaf('weight'), given.integers('targets')];
  const hessian = new Hessian([weight], () => crossEntropy(x.matmul(weight), targets));
  const { product } = await hessian.product([given.tensor('vector')]);
  await given.compare('product', product[0] as Tensor, TOLERANCE);
  given.compareNumbers('top_eigenvalue', [await hessian.topEigenvalue()], TOLERANCE);
  given.compareNumbers('trace', [(await hessian.trace({ samples: hessian.size })).trace], TOLERANCE);
}

/** A module that is its only parameter. */
class Parameter extends Module {
  constructor(readonly weight: Tensor) {
    super(weight.engine as Module['engine']);
  }

  forward(x: Tensor): Tensor {
    return x;
  }
}

const OPTIMIZERS = { sgd: SGD, adam: Adam, adamw: AdamW } as const;

async function optimizerCase(given: GoldenCase): Promise<void> {
  const name = given.text('optimizer', 'sgd').toLowerCase();
  if (!Object.hasOwn(OPTIMIZERS, name)) throw new Error(`unknown optimizer ${name}`);
  const weight = given.leaf('parameter');
  const camelCase = (key: string) => key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const settings = Object.entries(given.argumentsBut('optimizer', 'rule'));
  const options = Object.fromEntries(settings.map(([key, value]) => [camelCase(key), value])) as { lr: number };
  const optimizer = new OPTIMIZERS[name as keyof typeof OPTIMIZERS](new Parameter(weight), options);
  const gradients = given.tensor('gradients');
  for (let step = 0; step < (gradients.shape[0] as number); step++) {
    weight.grad = gradients.slice([[step, step + 1]]).reshape(weight.shape);
    optimizer.step();
    weight.grad.dispose();
  }
  await given.compare('result', weight, TOLERANCE);
}

/** How each case is run, by the name in the file. */
export const METHOD_CASES: Readonly<Record<string, (given: GoldenCase) => Promise<void>>> = {
  kd: kdCase,
  weight_align: weightAlignCase,
  bias_correction: biasCorrectionCase,
  cosine_classifier: cosineClassifierCase,
  lucir_losses: lucirCase,
  pod_spatial: podSpatialCase,
  pod_flat: podFlatCase,
  proxy_nca: proxyCase,
  separated_softmax: separatedCase,
  dark_experience: darkExperienceCase,
  expandable_auxiliary: auxiliaryCase,
  balanced_distillation: balancedCase,
  decoupled_kd: decoupledCase,
  herding: herdingCase,
  nearest_mean: nearestMeanCase,
  metrics: metricsCase,
  linear_cka: linearCKACase,
  hessian: hessianCase,
  optimizer: optimizerCase,
};
