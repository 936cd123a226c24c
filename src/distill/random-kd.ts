/**
 * Random dense distillation (RDKD): instead of every group of the pool, the mean over m random ones, drawn on the GPU.
 * Its expectation is the dense loss. With the closed form a drawn group costs no gather: only its tasks are looked at.
 */
import type { Tensor } from '../tensor/tensor.ts';
import type { GroupDraw } from './group-draw.ts';
import { checkLogits, DEFAULT_TEMPERATURE, distilGroups, type GroupKDOptions } from './group-kd.ts';
import { resolveWeights, type TaskWeights } from './group-weights.ts';

/** Temperature, weights and reduction of {@link randomKD}. */
export interface RandomKDOptions extends Pick<GroupKDOptions, 'temperature' | 'reduction'> {
  /** Weights of the groups made from numbers a task; a drawn group then counts by its weight over its chance to be drawn. */
  weights?: TaskWeights;
}

/**
 * The loss of the next m groups of `draw`, with a gradient to the student: an unbiased estimate of `groupKD` over the
 * pool with the draw's weights. Nothing is read back.
 * @throws {ShapeError} when logits or weights do not fit each other or the pool.
 * @throws {DTypeError} when the logits are not f32.
 * @throws {ArgumentError} when the temperature is out of range.
 * @throws {EngineMismatchError} when the logits belong to several engines.
 */
export function randomKD(student: Tensor, teacher: Tensor, draw: GroupDraw, options: RandomKDOptions = {}): Tensor {
  const { temperature = DEFAULT_TEMPERATURE, weights, reduction = 'mean' } = options;
  const { engine, batch } = checkLogits('randomKD', student, teacher, draw.pool, temperature);
  const groups = draw.next(batch);
  const source = weights
    ? resolveWeights('randomKD', engine, draw.pool, weights, false)
    : ({ source: 'uniform', value: 1 / groups.groups } as const);
  const scale = weights ? draw.pool.size / groups.groups : 1;
  const loss = distilGroups('randomKD', student, teacher, draw.pool, groups, source, temperature, reduction, scale);
  groups.masks.dispose();
  groups.chosen.dispose();
  return loss;
}
