/** What learns the runs of sweeps. */
import { availableParallelism } from 'node:os';
import type { RunProgram } from '../sweep/run-process.ts';

/** The program of a run: this one. Adapters that run on the CPU share its cores among the runs at once. */
export function runProgram(jobs: number): RunProgram {
  const threads = Math.max(1, Math.floor(availableParallelism() / jobs));
  return {
    script: process.argv[1] ?? '',
    args: ['sweep-run'],
    ...(jobs > 1 && !process.env.LP_NUM_THREADS ? { env: { LP_NUM_THREADS: String(threads) } } : {}),
  };
}
