/** What a sweep costs over the sum of its runs: the same short runs one after the other by `engram train`, and as a sweep. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ProcessCase } from '../bench-case.ts';
import { summarize } from '../bench-timing.ts';

/** Runs of a sample. */
const RUNS = 10;

const settings = {
  data: 'fashion-mini',
  method: 'replay',
  classOrder: [1, 8, 5, 2],
  tasks: 2,
  trainPerClass: 64,
  testPerClass: 20,
  width: 8,
  epochs: 4,
  batch: 16,
  memory: 40,
};

const engram = (...args: string[]) => promisify(execFile)(process.execPath, ['dist/cli.js', ...args]);

/** Milliseconds of `RUNS` runs; what they need to know is written before the clock starts. */
async function timed(work: (folder: string) => Promise<() => Promise<void>>) {
  const folder = await mkdtemp(join(tmpdir(), 'engram-bench-'));
  try {
    const run = await work(folder);
    const began = performance.now();
    await run();
    // Processor time is the children's, and not told here.
    return { wall: performance.now() - began, cpu: Number.NaN };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const alone = () =>
  timed(async (folder) => {
    const config = join(folder, 'config.json');
    await writeFile(config, JSON.stringify(settings));
    return async () => {
      for (let seed = 0; seed < RUNS; seed++) {
        await engram('train', '--config', config, '--set', `seed=${seed}`, '--out', join(folder, `${seed}`));
      }
    };
  });

const swept = () =>
  timed(async (folder) => {
    const file = join(folder, 'sweep.json');
    await writeFile(file, JSON.stringify({ settings, seeds: Array.from({ length: RUNS }, (_, seed) => seed) }));
    return async () => {
      await engram('sweep', file, '--out', join(folder, 'out'));
      const done = await readdir(join(folder, 'out', 'runs'));
      if (done.length !== RUNS) throw new Error(`${done.length} of ${RUNS} runs were made.`);
    };
  });

const measure =
  (once: typeof alone): ProcessCase['measure'] =>
  async ({ samples = 3 }) => {
    const taken: Awaited<ReturnType<typeof alone>>[] = [];
    for (let i = 0; i < samples; i++) taken.push(await once());
    return summarize(taken);
  };

export const sweepCases: readonly ProcessCase[] = [
  { name: 'sweep/runs-alone', onlyNamed: true, measure: measure(alone) },
  { name: 'sweep/as-a-sweep', versus: 'sweep/runs-alone', onlyNamed: true, measure: measure(swept) },
];
