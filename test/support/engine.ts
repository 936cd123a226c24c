/** What the stories that need a device share: one engine a process, seeded numbers, and the distance to a reference. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { environmentOptions } from '../../src/cli/environment.ts';
import { Engine, type Tensor } from '../../src/index.ts';
import { relativeL2 } from '../../src/tensor/relative-error.ts';
import { given } from './given.ts';

export { relativeL2 };

/** The engine of this process; destroyed after the file's last test. */
export const engine: Engine = await Engine.create(environmentOptions());

test.after(() => engine.destroy());

// Tensors that a test drops would be freed whenever they are collected, perhaps while a later test counts buffers. That
// they are freed is tested in processes of their own (`dropped`, `device-lifetime`).
FinalizationRegistry.prototype.register = () => {};

/** Defines tests for adapters with a feature; with others they are skipped. */
export const needs = (feature: GPUFeatureName) => given(engine.device.features.has(feature), feature);

/** Fails when the tensor is further than `tolerance` (relative L2) from the reference. Reads the tensor. */
export async function near(
  actual: Tensor | null | undefined,
  expected: ArrayLike<number>,
  tolerance = 1e-5,
  what = 'tensor',
): Promise<void> {
  if (!actual) throw new Error(`${what} is missing`);
  const error = relativeL2(await actual.data(), expected);
  assert.ok(error <= tolerance, `${what}: relative L2 error ${error}, at most ${tolerance} expected`);
}

/** Evenly spread numbers in [low, high) from a seed: the same in every run. Rounded to float32. */
export function uniform(n: number, seed: number, low = -1, high = 1): Float32Array<ArrayBuffer> {
  let state = (seed + 1) * 0x9e3779b9;
  return Float32Array.from({ length: n }, () => {
    // SplitMix32.
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    z ^= z >>> 15;
    return low + (high - low) * ((z >>> 0) / 2 ** 32);
  });
}

/** A leaf whose gradient `backward()` keeps. */
export function leaf(data: ArrayLike<number>, shape: readonly number[]): Tensor {
  const tensor = engine.tensor(Float32Array.from(data), shape);
  tensor.requiresGrad = true;
  return tensor;
}

/** The error `fn` throws, for a look at its class and message. */
export function errorOf(fn: () => unknown): Error {
  try {
    fn();
  } catch (error) {
    return error as Error;
  }
  return assert.unreachable('nothing was thrown') as never;
}
