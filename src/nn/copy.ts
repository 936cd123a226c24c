/** Copying one model's tensors into another of the same architecture, on the device. */
import { CheckpointError } from '../gpu/errors.ts';
import { sameShape, show } from '../tensor/shape.ts';
import type { Module } from './module.ts';

/** Overwrites the tensors of `to` with those of `from`. @throws CheckpointError when names or shapes differ; nothing is copied then. */
export function copyModule(from: Module, to: Module): void {
  const sources = [...from.namedTensors()];
  const targets = [...to.namedTensors()];
  sources.forEach((source, i) => {
    const target = targets[i];
    if (
      target?.name !== source.name ||
      !sameShape(target.tensor.shape, source.tensor.shape) ||
      sources.length !== targets.length
    ) {
      throw new CheckpointError({
        where: 'copyModule',
        message: `the models differ at "${source.name}" ${show(source.tensor.shape)}.`,
        fix: 'Create both with the same options.',
      });
    }
  });
  sources.forEach(({ tensor }, i) => {
    const target = targets[i]?.tensor;
    if (target) tensor.engine.copy(tensor.storage, target.storage, tensor.size * 4);
  });
}
