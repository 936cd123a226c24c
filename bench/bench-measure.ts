/** The result of one benchmark on an engine that is there. */
import type { Engine } from '../src/index.ts';
import type { TimingOptions, WorkCase } from './bench-case.ts';
import type { Result } from './bench-line.ts';
import { time, withWork } from './bench-timing.ts';

export const measureWork = (engine: Engine, bench: WorkCase, options: TimingOptions): Promise<Result> =>
  withWork(engine, bench, async (work) => {
    const { flops, bytes, groups, samples } = work;
    const known = Object.entries({ flops, bytes, groups, samples }).filter(([, value]) => value !== undefined);
    return { name: bench.name, ...(await time(engine, work, options)), ...Object.fromEntries(known) };
  });

/** A result as a multiple of the one that its case names, if that was measured. */
export function compared(
  result: Result,
  { versus }: { readonly versus?: string },
  results: ReadonlyMap<string, Result>,
): Result {
  const base = versus === undefined ? undefined : results.get(versus);
  return versus && base ? { ...result, versus, ratio: result.ms / base.ms } : result;
}
