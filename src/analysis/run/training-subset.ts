/** Some of the images that a run was learnt on, of all its tasks: drawn once, the same for every run of these data and tasks. */
import type { Benchmark } from '../../continual/benchmark/benchmark.ts';
import type { ImagesByClass } from '../../continual/benchmark/task-stream.ts';
import { labelsOf } from '../../continual/class-images.ts';
import { type ImageBytes, joinImages, pixelsAt } from '../../data/image-bytes.ts';
import { allInMemory, type Images } from '../../data/stored-images.ts';
import { Random } from '../../tensor/random.ts';

/** Images with their right logits. */
export interface LabelledImages {
  readonly images: ImageBytes;
  readonly labels: Int32Array<ArrayBuffer>;
}

/** All images of a lot by class. @param names of the classes, in the order of the logits. */
export const labelled = (lot: ImagesByClass<Images>, names: readonly string[]): LabelledImages => ({
  images: joinImages(allInMemory([...lot.values()], 'analysis'), 'analysis'),
  labels: labelsOf(lot, names),
});

/** Those of some places, in their order. */
function picked({ images, labels }: LabelledImages, places: readonly number[]): LabelledImages {
  return {
    images: { ...images, data: pixelsAt(images, places), count: places.length },
    labels: Int32Array.from(places, (place) => labels[place] as number),
  };
}

/**
 * Training images of the tasks that are learnt, each as its task shows it.
 * @param count how many; all where there are no more.
 */
export function trainingSubset(
  { stream, learner, tasksDone }: Benchmark,
  { count, seed }: { readonly count: number; readonly seed: number },
): LabelledImages {
  const tasks = Array.from({ length: tasksDone }, (_, task) => task);
  const sizes = tasks.map((task) =>
    [...stream.trainIndices(task).values()].reduce((total, { length }) => total + length, 0),
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const drawn = [...Random.of(seed, 'analysis').permutation(total)].slice(0, count).sort((a, b) => a - b);
  let first = 0;
  const lots = tasks.flatMap((task) => {
    const [start, end] = [first, first + (sizes[task] as number)];
    first = end;
    const own = drawn.filter((place) => place >= start && place < end).map((place) => place - start);
    return own.length > 0 ? [picked(labelled(stream.train(task), learner.classes), own)] : [];
  });
  return {
    images: joinImages(
      lots.map(({ images }) => images),
      'analysis',
    ),
    labels: Int32Array.from(lots.flatMap(({ labels }) => [...labels])),
  };
}
