/** The targets of DER's auxiliary classifier, which sees the new extractor's features alone (Yan et al. 2021). */
import { where } from '../../ops/elementwise/elementwise.ts';
import { expectShapes } from '../../ops/expect-shapes.ts';
import '../../ops/methods.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/**
 * All old classes are class 0, new class j is j + 1: the classifier has n + 1 outputs. Targets below 0, which count for nothing,
 * stay as they are.
 * @param targets i32 [n].
 * @param oldClasses K.
 * @returns i32 [n].
 * @throws {ShapeError} unless the targets are one list.
 * @throws {DTypeError} unless they are i32.
 */
export function auxiliaryTargets(targets: Tensor, oldClasses: number): Tensor {
  expectShapes('auxiliaryTargets', { targets: [targets, 'i32', ['n']] });
  return where(targets.less(0), targets, targets.sub(oldClasses - 1).maximum(0));
}
