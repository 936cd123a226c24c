/** What a launch brings, against what its kernel declares. */
import { ArgumentError } from '../errors.ts';
import type { DeviceBuffer } from './device-buffer.ts';
import type { Pipeline } from './pipelines.ts';
import { packParams } from './wgsl/pack-params.ts';
import type { Params } from './wgsl/params.ts';

/**
 * The words of the kernel's uniform; null where it has none.
 * @throws {ArgumentError} for parameters that do not fit it.
 */
export function uniformWords({ params: layout }: Pipeline, where: string, params?: Params): Uint32Array | null {
  if (layout) return packParams(layout, params ?? {}, where);
  const [unknown] = Object.keys(params ?? {});
  if (unknown === undefined) return null;
  throw new ArgumentError({
    where,
    message: `parameter ${unknown} is unknown; the entry point reaches no uniform.`,
    fix: 'Declare `@group(0) @binding(…) var<uniform> params: Params;` in the kernel, and use it.',
  });
}

/**
 * WebGPU would round fractions down without a word, and leave the last rows unwritten.
 * @param most the device's limit along each axis.
 * @throws {ArgumentError} unless these are whole numbers above 0 and within the limit.
 */
export function checkWorkgroups(workgroups: readonly number[], where: string, most: number): void {
  const message = `needs ${workgroups.join('×')} workgroups; `;
  if (!workgroups.every((n) => Number.isInteger(n) && n > 0)) {
    throw new ArgumentError({
      where,
      message: `${message}they must be whole numbers.`,
      fix: 'Round up what does not divide: Math.ceil(rows / 64).',
    });
  }
  if (Math.max(...workgroups) > most) {
    throw new ArgumentError({ where, message: `${message}the device allows ${most} a dimension.` });
  }
}

/** @throws {ArgumentError} unless there is a buffer for every storage binding. */
export function checkBuffers({ bindings, params }: Pipeline, where: string, buffers: readonly DeviceBuffer[]): void {
  const wanted = bindings.length - (params ? 1 : 0);
  if (buffers.length === wanted) return;
  const names = bindings.flatMap(({ name, type }) => (type === 'uniform' || name === '' ? [] : [name]));
  throw new ArgumentError({
    where,
    message: `${buffers.length} buffers were given, and the entry point binds ${wanted}${names.length > 0 ? `: ${names.join(', ')}` : ''}.`,
    fix: 'Give one for each, in the order of the binding numbers.',
  });
}
