/** A model's weights as the bytes of a safetensors file, which PyTorch reads and writes too. */
import type { AnyModule } from './module.ts';
import { readSafetensors, type SafetensorsEntry, type SafetensorsFile, writeSafetensors } from './safetensors.ts';
import {
  type LoadableState,
  type LoadOptions,
  type LoadReport,
  loadStateDict,
  type StateEntry,
  stateDict,
} from './state-dict.ts';

/** As it is written: floats as F32, integers as I32 and U32. */
export function entryOf({ shape, data }: StateEntry): SafetensorsEntry {
  const dtype = data instanceof Int32Array ? 'I32' : data instanceof Uint32Array ? 'U32' : 'F32';
  return { dtype, shape, data };
}

/** A file's tensors as they are loaded. */
export const loadable = (tensors: SafetensorsFile['tensors']): LoadableState =>
  new Map(
    [...tensors].map(([name, { shape, data }]) => [
      name,
      { shape, data: data instanceof BigInt64Array ? Float64Array.from(data, Number) : data },
    ]),
  );

/**
 * Every parameter and buffer under PyTorch's names and in PyTorch's layouts: floats as F32 (which holds an f16 exactly),
 * integers as I32 and U32. A tensor that several names lead to is saved once, as by `save_model` of safetensors' own library.
 */
export async function saveWeights(
  module: AnyModule,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const tensors = [...(await stateDict(module))].map(([name, entry]) => [name, entryOf(entry)] as const);
  return writeSafetensors(tensors, metadata);
}

/**
 * Loads weights of any dtype in place: rounded where the model is narrower, integers only where they fit. Nothing is loaded
 * when it throws.
 * @param where Names the file in errors.
 * @returns what was left out, with `strict: false`.
 * @throws {CheckpointError} when the bytes are damaged or do not fit the model.
 */
export function loadWeights(
  module: AnyModule,
  bytes: Uint8Array,
  where = 'loadWeights',
  options: LoadOptions = {},
): LoadReport {
  return loadStateDict(module, loadable(readSafetensors(bytes, where).tensors), options, where);
}
