/** What a network holds. */
import type { Module } from '../../nn/module.ts';
import { bytesOf } from '../../tensor/dtype.ts';

/** How much a network holds. */
export interface WeightCount {
  /** Numbers that are, or were, trained. */
  readonly parameters: number;
  /** Of parameters and buffers, as they are stored. */
  readonly bytes: number;
}

/** Running statistics; what is frozen counts as the parameters that it is. */
const isBuffer = (name: string): boolean => /(^|\.)running_(mean|var)$/.test(name);

/** Parameters of a model, frozen ones too, and the bytes of all that it holds. */
export function countWeights(model: Module): WeightCount {
  let [parameters, bytes] = [0, 0];
  for (const { name, tensor } of model.namedTensors()) {
    if (!isBuffer(name)) parameters += tensor.size;
    bytes += bytesOf(tensor.dtype, tensor.size);
  }
  return { parameters, bytes };
}
