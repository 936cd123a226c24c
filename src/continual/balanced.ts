/** As many images of every class: what a second phase is trained on that is to favour no task. */
import type { IncrementalModel, Task } from './method.ts';
import { herding } from './selection.ts';

/**
 * Of every old class its first exemplars, of every class with fresh images those that herding chooses by the model as it is;
 * as many of each as the old class with the fewest exemplars has, or, without exemplars, the class with the fewest images.
 */
export async function balancedImages(
  task: Pick<Task, 'labels' | 'exemplars' | 'fresh' | 'features'>,
  model: IncrementalModel,
): Promise<number[]> {
  const { labels } = task;
  const byClass = (images: readonly number[]) => {
    const found = new Map<number, number[]>();
    for (const image of images) {
      const label = labels[image] as number;
      const list = found.get(label) ?? [];
      list.push(image);
      found.set(label, list);
    }
    return found;
  };
  const [old, fresh] = [byClass(task.exemplars), byClass(task.fresh)];
  const counts = [...old.values(), ...(old.size > 0 ? [] : fresh.values())].map(({ length }) => length);
  const each = Math.min(...counts);
  const chosen: number[] = [];
  for (const [label, images] of old) if (!fresh.has(label)) chosen.push(...images.slice(0, each));
  for (const images of fresh.values()) {
    const rows = herding(await task.features(model, images), model.featureSize, each);
    chosen.push(...rows.map((row) => images[row] as number));
  }
  return chosen;
}
