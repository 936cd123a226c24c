/** `engram profile`: a training step's kernels on this adapter, from timestamp queries, as a table and as a trace. */

import picocolors from 'picocolors';
import { files } from '#files';
import { printable } from '../gpu/printable.ts';
import type { Profile } from '../gpu/profiler.ts';
import { kernelTimes } from '../report/kernel-times.ts';
import { kernelTable } from '../report/table.ts';
import { traceEvents } from '../report/trace.ts';
import { capture } from '../tensor/capture.ts';
import type { Engine } from '../tensor/engine.ts';
import type { StepOptions } from './step-flags.ts';
import { trainingStep } from './training-step.ts';
import { withEngine } from './with-engine.ts';
import { assertWritableFile } from './writable.ts';

export interface ProfileOptions extends StepOptions {
  steps: number;
  trace?: string;
  json?: boolean;
}

const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value);

interface Measured {
  readonly profiles: readonly Profile[];
  /** One step run anew instead of replayed. */
  readonly anew: Profile;
}

async function measure(engine: Engine, options: ProfileOptions): Promise<Measured> {
  const step = trainingStep(engine, options);
  const replayed = capture(engine, step);
  const once = () => engine.scope(() => void replayed());
  // The first call compiles, the second records.
  for (let i = 0; i < 3; i++) {
    once();
    await engine.sync();
  }
  const profiles: Profile[] = [];
  for (let i = 0; i < options.steps; i++) profiles.push(await engine.profile(once));
  return { profiles, anew: await engine.profile(() => engine.scope(() => void step())) };
}

/**
 * @throws {ConfigError}
 * @throws {AdapterError} without timestamp queries.
 * @throws {DataError} before anything is measured, for a trace that cannot be written.
 */
export async function profile(options: ProfileOptions): Promise<void> {
  if (options.trace) await assertWritableFile(options.trace);
  await withEngine(
    async (engine) => {
      const { profiles, anew } = await measure(engine, options);
      const kernels = kernelTimes(profiles.map(({ launches }) => launches));
      const ms = kernels.reduce((sum, kernel) => sum + kernel.ms, 0);
      const gflops = anew.launches.reduce((sum, { flops }) => sum + (flops ?? 0), 0) / ms / 1e6;
      const javascript = Math.min(...profiles.map((p) => p.javascript));
      const launches = anew.launches.length;
      if (options.trace) await files.write(options.trace, traceEvents(profiles, engine.adapterDescription));
      if (options.json) {
        for (const kernel of kernels) console.log(JSON.stringify(kernel, rounded));
        const step = { ms, launches, gflops, javascript, javascriptAnew: anew.javascript };
        console.log(JSON.stringify({ step, adapter: engine.adapterDescription }, rounded));
        return;
      }
      console.log(kernelTable(kernels));
      console.log(
        `a step    ${picocolors.bold(`${ms.toFixed(2)} ms`)} of kernels in ${launches} launches, ${gflops.toFixed(1)} GFLOP/s; ` +
          `JavaScript ${javascript.toFixed(2)} ms replayed, ${anew.javascript.toFixed(2)} ms run anew`,
      );
      if (options.trace) console.log(`trace     ${printable(options.trace)} (ui.perfetto.dev opens it)`);
    },
    { quiet: options.json ?? false },
  );
}
