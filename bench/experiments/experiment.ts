/**
 * Runs of continual learning as an experiment: each result is a line of a JSON-lines file, and a run whose line is there
 * is skipped, so that an experiment can be stopped at any time and gone on with.
 */

import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { environmentOptions } from '../../src/cli/environment.ts';
import '../../src/index.ts';
import { Benchmark } from '../../src/continual/benchmark/benchmark.ts';
import { type ConfigInput, parseConfig } from '../../src/continual/benchmark/config.ts';
import { loadDataset } from '../../src/data/load-dataset.ts';
import { silenceDrivers } from '../../src/gpu/adapter/driver-chatter-node.ts';
import { rounded } from '../../src/sweep/results.ts';
import { Engine } from '../../src/tensor/engine.ts';
import { jsonLines } from './json-lines.ts';

export interface Run {
  /** Names the run in the results. */
  readonly name: string;
  readonly config: ConfigInput;
}

/** Percent, to two digits. */
export interface RunResult {
  name: string;
  average: number;
  last: number;
  forgetting: number;
  /** Accuracy over all classes seen after each task. */
  curve: number[];
  /** Accuracy on the first task's classes after each task; not in older lines. */
  firstTask?: number[];
  seconds: number;
  adapter: string;
  date: string;
}

/** The results there are; none when there is no such file. */
export const readResults = async (file: string): Promise<RunResult[]> => (await jsonLines(file)) as RunResult[];

async function learn(engine: Engine, { name, config: input }: Run): Promise<RunResult> {
  const config = parseConfig(input, name);
  const benchmark = new Benchmark(engine, await loadDataset(config.data), config);
  const started = performance.now();
  for await (const event of benchmark.run()) {
    if (event.type === 'task')
      process.stderr.write(
        `${name} task ${event.task + 1}: ${event.accuracy.toFixed(1)} % (${event.seconds.toFixed(0)} s)\n`,
      );
  }
  const { average, last, forgetting, curve, matrix } = benchmark.summary;
  benchmark.dispose();
  return {
    name,
    average: rounded(average),
    last: rounded(last),
    forgetting: rounded(forgetting),
    curve: curve.map(rounded),
    firstTask: matrix.map(([first = 0]) => rounded(first)),
    seconds: Math.round((performance.now() - started) / 1000),
    adapter: engine.adapterDescription,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** Runs what is not in the file yet, adding to it. */
export async function runMissing(runs: readonly Run[], file: string): Promise<void> {
  const done = new Set((await readResults(file)).map(({ name }) => name));
  const wanted = runs.filter(({ name }) => !done.has(name));
  if (wanted.length === 0) return;
  silenceDrivers();
  const engine = await Engine.create(environmentOptions());
  process.stderr.write(`${engine.adapterDescription}: ${wanted.length} runs\n`);
  await mkdir(dirname(file), { recursive: true });
  for (const run of wanted) await appendFile(file, `${JSON.stringify(await learn(engine, run))}\n`);
  await engine.destroy();
}
