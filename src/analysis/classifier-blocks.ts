/**
 * How a classifier weighs old and new classes: what class-incremental learning is biased by (Wu et al. 2019, Large Scale
 * Incremental Learning; Zhao et al. 2020, Maintaining Discrimination and Fairness in Class Incremental Learning).
 */
import type { IncrementalModel } from '../continual/method.ts';
import { ArgumentError } from '../errors.ts';
import { Linear } from '../nn/layers.ts';

/** The classes that one task brought. */
export interface ClassifierBlock {
  /** Mean length of its classes' weights. */
  readonly norm: number;
  /** Mean of its classes' biases; `null` where there are none. */
  readonly bias: number | null;
}

/** The layer that gives a class's logit each; `null` where another kind of layer does. */
const linearOf = (model: IncrementalModel): Linear | null => {
  for (const [, module] of model.namedModules()) {
    if (module instanceof Linear && module.outFeatures === model.classes && module.inFeatures === model.featureSize)
      return module;
  }
  return null;
};

/**
 * Lengths of a linear classifier's weights and its biases, a block a task.
 * @param taskSizes classes that each task brought, in the order of the logits.
 * @returns `null` for a classifier by cosines, in which lengths take no part.
 * @throws {ArgumentError} when the tasks have not as many classes as the model.
 */
export async function classifierBlocks(
  model: IncrementalModel,
  taskSizes: readonly number[],
): Promise<ClassifierBlock[] | null> {
  const total = taskSizes.reduce((sum, size) => sum + size, 0);
  if (total !== model.classes) {
    throw new ArgumentError({
      where: 'classifierBlocks',
      message: `the tasks brought ${total} classes, but the model tells ${model.classes} apart.`,
    });
  }
  const linear = linearOf(model);
  if (!linear) return null;
  const weights = await linear.weight.data();
  const biases = linear.bias ? await linear.bias.data() : null;
  const lengthOf = (label: number) => {
    let square = 0;
    for (let i = label; i < weights.length; i += total) square += (weights[i] as number) ** 2;
    return Math.sqrt(square);
  };
  let first = 0;
  return taskSizes.map((size) => {
    const labels = Array.from({ length: size }, (_, i) => first + i);
    first += size;
    const mean = (of: (label: number) => number) => labels.reduce((sum, label) => sum + of(label), 0) / size;
    return { norm: mean(lengthOf), bias: biases && mean((label) => biases[label] as number) };
  });
}
