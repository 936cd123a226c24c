/** Which task's classes images are taken for. */
import type { TestedStages } from './counts.ts';

/**
 * Row i: of the images of the classes of task i, the share in percent that is taken for a class of each task. The diagonal is the
 * accuracy of telling the task; the recency bias of a classifier shows in the last column. A row of zeros has no images.
 * @param parts all that were tested after a task.
 * @param taskSizes classes that each task brought; those that brought none are left out.
 */
export function taskConfusion(parts: TestedStages[number], taskSizes: readonly number[]): number[][] {
  const sizes = taskSizes.filter((size) => size > 0);
  const taskOf = sizes.flatMap((size, task) => new Array<number>(size).fill(task));
  const images = sizes.map(() => sizes.map(() => 0));
  for (const [label, predicted, count] of parts.flatMap(({ counts }) => counts)) {
    const row = images[taskOf[label]!]!;
    row[taskOf[predicted]!]! += count;
  }
  return images.map((row) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count) => (total > 0 ? (100 * count) / total : 0));
  });
}
