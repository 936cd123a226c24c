/**
 * Random dense distillation (RDKD): instead of every group of the pool, the mean over m random ones, drawn on the GPU.
 * Its expectation is the dense loss. With the closed form a drawn group costs no gather: only its tasks are looked at.
 */
import { ArgumentError } from '../errors.ts';
import { checkReduction } from '../ops/reduction.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { GroupDraw } from './group-draw.ts';
import { checkLogits, DEFAULT_TEMPERATURE, distilGroups, type GroupKDOptions } from './group-kd.ts';
import { resolveWeights, type TaskWeights, type WeightSource } from './group-weights.ts';

/** Temperature, weights and reduction of {@link randomKD}. */
export interface RandomKDOptions extends Pick<GroupKDOptions, 'temperature' | 'reduction'> {
  /**
   * Weights of the groups made from numbers a task, for a draw without weights of its own; a drawn group then counts by its weight over
   * its chance to be drawn.
   */
  weights?: TaskWeights;
}

/**
 * The loss of the next m groups of `draw`, with a gradient to the student: an unbiased estimate of `groupKD` over the
 * pool with the draw's weights. Nothing is read back.
 * @throws {ShapeError} when logits or weights do not fit each other or the pool.
 * @throws {DTypeError} when the logits are not f32.
 * @throws {ArgumentError} when the temperature is out of range, the draw leaves out sizes that weigh something or has weights
 * of its own beside those that were given, or the reduction is none.
 * @throws {EngineMismatchError} when the logits belong to several engines.
 */
export function randomKD(student: Tensor, teacher: Tensor, draw: GroupDraw, options: RandomKDOptions = {}): Tensor {
  const { temperature = DEFAULT_TEMPERATURE, weights, reduction = 'mean' } = options;
  const { engine, batch } = checkLogits('randomKD', student, teacher, draw.pool, temperature);
  checkReduction('randomKD', reduction, ['mean', 'none']);
  // First what may be refused: nothing is drawn then.
  const source = sourceOf(engine, draw, weights);
  const groups = draw.next(batch);
  // By sizes, the chances are part of the weights.
  const scale = weights ? (source.perSize ? 1 : draw.pool.size) / groups.groups : 1;
  const loss = distilGroups('randomKD', student, teacher, draw.pool, groups, source, temperature, reduction, scale);
  groups.masks.dispose();
  groups.chosen.dispose();
  return loss;
}

/** What a drawn group counts: without weights 1/m, otherwise its weight, over its share in the draw where that goes by size. */
function sourceOf(
  engine: Tensor['engine'],
  { pool, perSize, groups, isWeighted }: GroupDraw,
  weights?: TaskWeights,
): WeightSource {
  if (!weights) return { source: 'uniform', value: 1 / groups };
  if (isWeighted) {
    throw new ArgumentError({
      where: 'randomKD',
      message:
        "weights were given for groups that are drawn by weights of the draw's own: the loss would weigh them by both.",
      fix: 'Draw uniformly or by sizes, or leave out these weights, or the weighting that has them.',
    });
  }
  const source = resolveWeights('randomKD', engine, pool, weights, false);
  const wanted = source.perSize;
  if (!wanted && !perSize) return source;
  const left = pool.groupsBySize.findIndex((count, i) => count > 0 && perSize?.[i] === 0 && (wanted?.[i] ?? 1) > 0);
  if (left >= 0) {
    throw new ArgumentError({
      where: 'randomKD',
      message: `groups of ${left + 1} tasks weigh ${wanted?.[left] ?? 'as much as others'}, but the draw's sizes leave them out: the loss would not be the one of all groups.`,
      fix: 'Give weighting() the sizes of the draw.',
    });
  }
  const share = (i: number) => (perSize ? (perSize[i] as number) : 1 / pool.size);
  return { ...source, perSize: pool.taskSizes.map((_, i) => (share(i) > 0 ? (wanted?.[i] ?? 1) / share(i) : 0)) };
}
