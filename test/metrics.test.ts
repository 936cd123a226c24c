import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  accuracyCurve,
  averageIncremental,
  confusionAccuracies,
  lastAccuracy,
  taskAccuracies,
} from '../src/continual/benchmark/metrics/accuracy.ts';
import { expectedCalibrationError, joinedCalibration } from '../src/continual/benchmark/metrics/calibration-error.ts';
import {
  accuracyMatrix,
  countedTaskSizes,
  headMatrix,
  partSizes,
  type SparseCounts,
  sparseCounts,
  type TestedPart,
  taskIncrementalMatrix,
} from '../src/continual/benchmark/metrics/counts.ts';
import { firstLastForgetting, forgetting, incrementForgetting } from '../src/continual/benchmark/metrics/forgetting.ts';
import { harmonicMean, oldNewSplit } from '../src/continual/benchmark/metrics/old-new.ts';
import { summarize } from '../src/continual/benchmark/metrics/summary.ts';
import { taskConfusion } from '../src/continual/benchmark/metrics/task-confusion.ts';
import { backwardTransfer, forwardTransfer } from '../src/continual/benchmark/metrics/transfer.ts';
import { calibrationOf } from '../src/continual/calibration.ts';

const near = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

test('published curves give their averages and last accuracies', () => {
  const wa = [90.8, 79.5, 75.1, 69.95, 67.5, 63.38, 61.44, 57.08, 53.81, 52.3];
  const icarl = [90.8, 78.35, 73.97, 67.65, 63.94, 59.88, 57.77, 52.8, 51.04, 49.52];
  // Printed: 67.09, and 64.42 for iCaRL, whose published curve has another mean.
  near(averageIncremental(wa), 67.086);
  near(averageIncremental(icarl), 64.572);
  assert.is(lastAccuracy(wa), 52.3);
  assert.is(lastAccuracy(icarl), 49.52);
});

const matrix = [[90], [60, 80], [70, 50, 100]];

test('accuracy over all classes seen weighs tasks by their size', () => {
  assert.equal(accuracyCurve(matrix, [1, 1, 1]), [90, 70, 220 / 3]);
  assert.equal(accuracyCurve(matrix, [50, 10, 40]), [
    90,
    (60 * 50 + 80 * 10) / 60,
    (70 * 50 + 50 * 10 + 100 * 40) / 100,
  ]);
  assert.throws(() => accuracyCurve(matrix, [1, 1]), /3 tasks were learnt, but only 2 have a weight/);
});

test('forgetting compares with the best there was, backward transfer with the first', () => {
  near(forgetting(matrix), (90 - 70 + (80 - 50)) / 2);
  near(backwardTransfer(matrix), (70 - 90 + (50 - 80)) / 2);
  // A task that got better before it got worse: the two differ in more than sign.
  const risen = [[50], [70, 60], [65, 60, 90]];
  near(forgetting(risen), (70 - 65 + 0) / 2);
  near(backwardTransfer(risen), (65 - 50 + 0) / 2);
  // A task at its best after the last one: the maximum is over earlier rows only, so forgetting is negative.
  near(forgetting([[50], [60, 90]]), -10);
  assert.is(forgetting([[50]]), 0);
  near(firstLastForgetting(matrix), (90 - 70 + (80 - 50)) / 2);
  near(firstLastForgetting(risen), (50 - 65 + 0) / 2);
  assert.is(firstLastForgetting([[50]]), 0);
  assert.is(backwardTransfer([[50]]), 0);
});

test('a matrix of the wrong form is refused', () => {
  assert.throws(() => forgetting([[50, 60]]), /row 0 should hold 1 accuracies/);
  assert.throws(() => forgetting([[50], [Number.NaN, 60]]), /row 1 should hold 2 accuracies.*NaN, 60/);
  assert.throws(() => accuracyCurve([], []), /it has no rows/);
});

test('a row of the matrix counts each task alone and leaves later tasks out', () => {
  const taskOf = [0, 1, 0, 2];
  const expected = [0, 2, 1, 1, 3, 0];
  const predicted = [0, 0, 1, 3, 3, 0];
  const row = taskAccuracies(predicted, expected, taskOf, 2);
  near(row[0]!, (100 * 2) / 3);
  near(row[1]!, 50);
  assert.is(row.length, 2);
  assert.throws(() => taskAccuracies([0], [0], [0, 1], 2), /task 1 has no test image/);
  assert.throws(() => taskAccuracies([0, 1], [0], [0], 1), /2 predictions for 1 labels/);
});

test('a row is the same from counts of classes and predictions', () => {
  const [sizes, taskOf] = [
    [2, 1, 3],
    [0, 0, 1, 2, 2, 2],
  ];
  const expected = [0, 0, 1, 2, 2, 2, 3, 4, 4, 5, 5];
  const predicted = [0, 1, 1, 2, 5, 0, 3, 4, 3, 5, 2];
  const confusion = new Uint32Array(36);
  expected.forEach((label, image) => {
    confusion[label * 6 + predicted[image]!]!++;
  });
  assert.equal(confusionAccuracies(confusion, sizes), taskAccuracies(predicted, expected, taskOf, 3));
});

/** Ten images of each class: as many as `right` says are told right, the others are taken for class `other`. */
const told = (right: Readonly<Record<number, number>>, other = 0): SparseCounts =>
  Object.entries(right).flatMap(([name, hits]): [number, number, number][] => {
    const label = Number(name);
    const wrong = label === other ? other + 1 : other;
    return [
      ...(hits > 0 ? [[label, label, hits] as const] : []),
      ...(hits < 10 ? [[label, wrong, 10 - hits] as const] : []),
    ].map(([from, to, images]) => [from, to, images]);
  });

const none = calibrationOf([], () => false);
const part = (counts: SparseCounts, others: Partial<TestedPart> = {}): TestedPart => ({
  counts,
  withinTask: 0,
  calibration: none,
  ...others,
});

/** A base half of four classes, then two steps of two. */
const stages = [
  [part(told({ 0: 8, 1: 6, 2: 9, 3: 9 }))],
  [part(told({ 0: 4, 1: 2, 2: 10, 3: 10 })), part(told({ 4: 9, 5: 9 }))],
  [part(told({ 0: 5, 1: 5, 2: 4, 3: 4 }, 7)), part(told({ 4: 10, 5: 10 }, 7)), part(told({ 6: 7, 7: 7 }))],
];

test('counts hold the accuracies, the parts and the classes of each task', () => {
  assert.equal(accuracyMatrix(stages), [[80], [65, 90], [45, 100, 70]]);
  assert.equal(partSizes(stages), [40, 20, 20]);
  assert.equal(countedTaskSizes(stages), [4, 2, 2]);
  // A second domain brings images of known classes.
  assert.equal(
    countedTaskSizes([[part(told({ 0: 8, 1: 6 }))], [part(told({ 0: 8, 1: 6 })), part(told({ 0: 1, 1: 1 }))]]),
    [2, 0],
  );
  assert.equal(sparseCounts([3, 0, 1, 2]), [
    [0, 0, 3],
    [1, 0, 1],
    [1, 1, 2],
  ]);
});

test('the three forms of forgetting differ on a base half', () => {
  const accuracies = accuracyMatrix(stages);
  near(forgetting(accuracies), (80 - 45 + (90 - 100)) / 2);
  near(firstLastForgetting(accuracies), (80 - 45 + (90 - 100)) / 2);
  // Groups of two: 70 30 50, 90 100 40, – 90 100, – – 70. The third is at its best after the last task, and lost nothing.
  near(incrementForgetting(stages, 2), (70 - 50 + (100 - 40) + 0) / 3);
  // Groups of the base's size, of which there are fewer than tasks: 80 65 45, – 90 85.
  near(incrementForgetting(stages, 4), (80 - 45 + (90 - 85)) / 2);
  assert.is(incrementForgetting(stages.slice(0, 1), 4), 0);
  assert.throws(() => incrementForgetting(stages, 0), /classes cannot be grouped by 0/);
  assert.throws(() => incrementForgetting([], 2), /no task is tested/);
});

test('forgetting by increments is what PyCIL computes, which has no group of a lone last class', () => {
  // From its own code. As many of ten images as these are told right, by class, after each task.
  const byIncrement = (rights: readonly (readonly number[])[], increment: number) =>
    incrementForgetting(
      rights.map((hits) => [part(told(Object.fromEntries(hits.entries()), hits.length))]),
      increment,
    );
  const fourThreeThree = [
    [9, 8, 7, 2],
    [6, 5, 4, 9, 9, 9, 1],
    [3, 3, 3, 6, 8, 7, 0, 9, 9, 9],
  ];
  near(byIncrement(fourThreeThree, 3), (80 - 30 + (90 - 70)) / 2);
  const threeTwo = [
    [9, 7, 2],
    [5, 1, 10, 8, 8],
  ];
  near(byIncrement(threeTwo, 2), 80 - 30);
  const even = [
    [9, 7],
    [5, 3, 9, 8],
    [4, 4, 7, 6, 9, 9],
  ];
  near(byIncrement(even, 2), (80 - 40 + (85 - 65)) / 2);
  // Classes one by one: the newest is never in a group, so that the second is first seen after the third task.
  near(byIncrement([[9], [5, 8], [4, 6, 9]], 1), (50 - 40 + 0) / 2);
});

test('old and new classes are told apart from the whole, and their harmonic mean is low where one is', () => {
  const [first, second, third] = oldNewSplit(stages);
  assert.equal(first, { old: null, new: 80, harmonicMean: null });
  near(second!.harmonicMean!, (2 * 65 * 90) / 155);
  near(third!.old!, (100 * (18 + 20)) / 60);
  assert.is(third!.new, 70);
  assert.is(harmonicMean(0, 90), 0);
  assert.is(harmonicMean(0, 0), 0);
  near(harmonicMean(50, 50), 50);
});

test('confusion between tasks is the share of each task that is taken for another', () => {
  const shares = taskConfusion(stages[2]!, [4, 2, 2]);
  const expected = [45, 0, 55, 0, 100, 0, 30, 0, 70];
  for (const [cell, share] of shares.flat().entries()) near(share, expected[cell]!);
  // A task that brought no class has no row.
  assert.is(taskConfusion(stages[2]!, [4, 2, 0, 2]).length, 3);
});

test('a head that says the same is not written down, one that has no answer leaves no matrix', () => {
  const counts = told({ 0: 5, 1: 5 });
  const both = [[part(counts, { nearestMean: told({ 0: 8, 1: 8 }) })]];
  assert.equal(headMatrix(both, 'classifier'), [[50]]);
  assert.equal(headMatrix(both, 'nearestMean'), [[80]]);
  assert.is(headMatrix([[part(counts, { nearestMean: null })]], 'nearestMean'), null);
  assert.equal(taskIncrementalMatrix([[part(counts, { withinTask: 15 })]]), [[75]]);
});

test('calibration bins are closed above, and their error is that of Guo et al.', () => {
  const sure = [0, 1 / 15, 0.5, 0.55, 0.58, 1, 1];
  const isRight = [false, true, true, false, true, true, false];
  const calibration = calibrationOf(sure, (image) => isRight[image]!);
  assert.equal(calibration.images, [2, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 2]);
  assert.equal(calibration.right, [1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1]);
  const gaps = [2 * Math.abs(1 / 2 - 1 / 30), 1 - 0.5, 2 * Math.abs(1 / 2 - 0.565), 2 * (1 - 1 / 2)];
  near(expectedCalibrationError(calibration), (100 * gaps.reduce((a, b) => a + b)) / 7);
  // Too sure of some and too little of others: together they are not.
  const [low, high] = [calibrationOf([0.5, 0.5], () => true), calibrationOf([0.5, 0.5], () => false)];
  near(expectedCalibrationError(joinedCalibration([low, high])), 0);
  assert.is(expectedCalibrationError(none), 0);
});

test('forward transfer is against an untrained network, from the second task on', () => {
  const shots = [
    { images: 20, before: 12, untrained: 10 },
    { images: 40, before: 10, untrained: 20 },
  ];
  near(forwardTransfer(shots), (10 - 25) / 2);
  assert.is(forwardTransfer([]), 0);
});

test('a run is summed up as far as it was counted', () => {
  const [matrix, weights] = [accuracyMatrix(stages), [1, 1, 1]];
  const shots = [
    { images: 20, before: 12, untrained: 10 },
    { images: 20, before: 10, untrained: 10 },
  ];
  const summary = summarize({ matrix, weights, stages, zeroShots: shots });
  near(summary.last, (100 * (18 + 20 + 14)) / 80);
  near(summary.average, (80 + (100 * 44) / 60 + 65) / 3);
  near(summary.counted!.incrementForgetting!, 80 / 3);
  near(summary.counted!.forwardTransfer!, 5);
  assert.equal(summary.counted!.classifier?.curve, summary.curve);
  assert.is(summarize({ matrix, weights, stages, zeroShots: [null, shots[1]!] }).counted?.forwardTransfer, null);
  // Begun by an older version: the last stage still says how many images each part has.
  const partly = summarize({ matrix, weights, stages: [null, null, stages[2]!], zeroShots: [] });
  assert.is(partly.counted, null);
  assert.is(partly.last, summary.last);
  assert.is(partly.forgetting, summary.forgetting);
  near(summarize({ matrix, weights, stages: [], zeroShots: [] }).last, (45 + 100 + 70) / 3);
});

test.run();
