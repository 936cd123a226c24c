/** Tuning a step: its kernels' variants are measured once, and the fastest run from then on. */
import type { Runtime } from '../gpu/runtime.ts';
import { type TuneOptions, Tuner, type Tuning } from '../gpu/tuning/tuner.ts';
import { setTuner, tunerOf } from '../gpu/tuning/tuners.ts';
import { addWideVariants } from './matmul/wide-variants.ts';

/**
 * Runs a step, and measures the variants of the kernels that matrix products and convolutions in it can be run by: once for
 * each adapter and shape. From then on the fastest are launched. What was measured before is taken from the cache (in
 * Node a file in the user's cache folder, in the browser IndexedDB), so that usually nothing is measured.
 *
 * Different variants add up in different orders: results before and after tuning agree up to rounding. A step that was
 * recorded by `capture` keeps the variants it was recorded with, so tune its first call.
 *
 * A variant that does not compile or run, or a cache that cannot be read or written, is a warning. What `step` throws is
 * thrown again, and so is the first error since the last wait for the GPU, if anything is measured.
 * @param step Launches what is to be tuned, a whole training step for example. It runs once, and counts.
 * @example
 * const train = capture(engine, step);
 * const { result: loss } = await tune(engine, () => train(images, labels));
 */
export function tune<T>(engine: Runtime, step: () => T, options: TuneOptions = {}): Promise<Tuning<T>> {
  addWideVariants(engine);
  let tuner = tunerOf(engine);
  if (!tuner) {
    tuner = new Tuner(engine);
    setTuner(engine, tuner);
  }
  return tuner.tune(step, options);
}
