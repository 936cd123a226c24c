/** Images of a second phase that favours no task: as many of every class. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { balancedImages } from '../src/continual/balanced.ts';
import type { IncrementalModel, Task } from '../src/continual/method.ts';

/** Two features an image; only their size is asked of a model. */
const model = { featureSize: 2 } as IncrementalModel;

/** @param features by image. */
const task = (
  labels: readonly number[],
  fresh: readonly number[],
  exemplars: readonly number[],
  features: (image: number) => [number, number],
): Pick<Task, 'labels' | 'exemplars' | 'fresh' | 'features'> => ({
  labels: Int32Array.from(labels),
  fresh,
  exemplars,
  features: async (_, images) => Float32Array.from(images.flatMap(features)),
});

test('each class has as many as the smallest old one: its first exemplars, and new images that herding chooses', async () => {
  // Four images of new class 2, the last two of which lie by the mean; three exemplars of class 0, two of class 1.
  const labels = [2, 2, 2, 2, 0, 0, 0, 1, 1];
  const angles = [0, 1.5, 0.75, 0.8];
  const given = task(labels, [0, 1, 2, 3], [4, 5, 6, 7, 8], (image) => [
    Math.cos(angles[image] ?? 0),
    Math.sin(angles[image] ?? 0),
  ]);
  const chosen = await balancedImages(given, model);
  const of = (label: number) => chosen.filter((image) => labels[image] === label);
  assert.equal(of(0), [4, 5]);
  assert.equal(of(1), [7, 8]);
  assert.is(of(2).length, 2);
  assert.is(of(2)[0], 2, 'the one nearest to the mean is the first');
});

test('a class that is known and given again is chosen from what is given', async () => {
  const chosen = await balancedImages(
    task([0, 0, 1, 0, 1], [0, 1, 2], [3, 4], (image) => [1, image]),
    model,
  );
  assert.is(chosen.length, 2);
  assert.ok(chosen.every((image) => image < 3));
});

test('without exemplars the smallest class that is given decides', async () => {
  const chosen = await balancedImages(
    task([0, 0, 0, 1, 1], [0, 1, 2, 3, 4], [], (image) => [1, image]),
    model,
  );
  assert.is(chosen.length, 4);
});

test.run();
