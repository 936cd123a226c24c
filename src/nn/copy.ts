/** Copying one model's tensors into another of the same architecture, on the device. */
import { CheckpointError } from '../errors.ts';
import { copyInto } from '../tensor/copy-into.ts';
import { sameShape } from '../tensor/shape.ts';
import { commonEngine } from '../tensor/tensor.ts';
import type { AnyModule, NamedTensor } from './module.ts';

const shown = (of: NamedTensor | undefined): string => (of ? `"${of.name}" ${of.tensor}` : 'nothing');

/**
 * Overwrites the tensors of `to` with those of `from`.
 * Nothing is copied when it throws.
 * @throws {CheckpointError} when names, shapes or dtypes differ.
 * @throws {EngineMismatchError} when the models belong to two engines.
 */
export function copyModule(from: AnyModule, to: AnyModule): void {
  const sources = [...from.namedTensors()];
  const targets = [...to.namedTensors()];
  const pairs = Array.from({ length: Math.max(sources.length, targets.length) }, (_, i) => {
    const [source, target] = [sources[i], targets[i]];
    const fits =
      source?.name === target?.name &&
      source?.tensor.dtype === target?.tensor.dtype &&
      sameShape(source?.tensor.shape ?? [], target?.tensor.shape ?? []);
    if (!source || !target || !fits) {
      throw new CheckpointError({
        where: 'copyModule',
        message: `the models differ: ${shown(source)} in one, ${shown(target)} in the other.`,
        fix: 'Create both with the same options.',
      });
    }
    commonEngine('copyModule', [source.tensor, target.tensor]);
    return [source.tensor, target.tensor] as const;
  });
  for (const [source, target] of pairs) copyInto(source, target);
}
