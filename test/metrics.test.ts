import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  accuracyCurve,
  averageIncremental,
  backwardTransfer,
  confusionAccuracies,
  forgetting,
  lastAccuracy,
  taskAccuracies,
} from '../src/continual/benchmark/metrics.ts';

const near = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

test('published curves give their averages and last accuracies', () => {
  const wa = [90.8, 79.5, 75.1, 69.95, 67.5, 63.38, 61.44, 57.08, 53.81, 52.3];
  const icarl = [90.8, 78.35, 73.97, 67.65, 63.94, 59.88, 57.77, 52.8, 51.04, 49.52];
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

test.run();
