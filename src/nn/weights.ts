/** A model's weights as the bytes of a safetensors file, which PyTorch reads and writes too. */
import type { Module } from './module.ts';
import { asFloat32, readSafetensors, writeSafetensors } from './safetensors.ts';
import { type LoadOptions, loadStateDict, stateDict } from './state-dict.ts';

/** Every parameter and buffer under PyTorch's names and in PyTorch's layouts. */
export async function saveWeights(
  module: Module,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const tensors = [...(await stateDict(module))].map(([name, entry]) => [name, { dtype: 'F32', ...entry }] as const);
  return writeSafetensors(tensors, metadata);
}

/**
 * Loads weights in place.
 * @param where names the file in errors.
 * @throws CheckpointError when the bytes are damaged or do not fit the model; nothing is loaded then.
 */
export function loadWeights(module: Module, bytes: Uint8Array, where = 'loadWeights', options: LoadOptions = {}): void {
  const { tensors } = readSafetensors(bytes, where);
  const entries = [...tensors].map(([name, entry]) => [name, { shape: entry.shape, data: asFloat32(entry) }] as const);
  loadStateDict(module, new Map(entries), options);
}
