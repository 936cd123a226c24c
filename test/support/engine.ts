/** What the stories that need a device share: one engine a process, seeded numbers, and the distance to a reference. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Engine, type Tensor } from '../../src/index.ts';
import { given } from './given.ts';

/** The engine of this process; destroyed after the file's last test. */
export const engine: Engine = await Engine.create();

test.after(() => engine.destroy());

/** Defines tests for adapters with a feature; with others they are skipped. */
export const needs = (feature: GPUFeatureName) => given(engine.device.features.has(feature), feature);

/**
 * ‖actual − expected‖ / ‖expected‖ over all elements, in float64; absolute when the reference is all zeros. Infinite
 * when the lengths differ, or when something is not a number in one and not in the other.
 */
export function relativeL2(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i] as number, expected[i] as number];
    if (Object.is(a, e) || a === e) {
      if (Number.isFinite(e)) norm += e * e;
      continue;
    }
    if (!Number.isFinite(a) || !Number.isFinite(e)) return Infinity;
    difference += (a - e) ** 2;
    norm += e * e;
  }
  return Math.sqrt(norm > 0 ? difference / norm : difference);
}

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
