/** A run as files, the same wherever they are written: a command line writes them into a folder, a page into an archive. */
import { readSafetensors } from '../../nn/safetensors.ts';
import type { AnyMethod } from '../method.ts';
import type { Benchmark } from './benchmark.ts';
import { type MetricsLine, readBenchmarkState } from './benchmark-state.ts';
import { type Config, parseConfig } from './config.ts';
import { recordOf } from './record-of.ts';
import type { RunRecord } from './run-record.ts';

/** The state after the last finished task. The other files follow from it. */
export const CHECKPOINT = 'checkpoint.safetensors';
export const CONFIG = 'config.json';
/** One line for every epoch and every task. */
export const METRICS = 'metrics.jsonl';
/** The run's record after its last finished task. */
export const RECORD = 'run.json';

export const configText = (config: Config): string => `${JSON.stringify(config, null, 2)}\n`;
export const metricsText = (lines: readonly MetricsLine[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join('');
export const recordText = (record: RunRecord): string => `${JSON.stringify(record)}\n`;

/**
 * Everything of a run that has finished a task, by file name: what `engram train --out` writes. Put into a folder, `engram train
 * --resume --out FOLDER` goes on with it, and `engram report FOLDER` makes its page.
 * @param name the run's own.
 * @throws {ArgumentError} before the first task is finished, and after `dispose`.
 */
export async function runFiles(benchmark: Benchmark, name: string): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const { config, finishedLines } = benchmark;
  const record = recordText(recordOf(benchmark, name));
  const texts = { [CONFIG]: configText(config), [METRICS]: metricsText(finishedLines), [RECORD]: record };
  const encoder = new TextEncoder();
  return new Map([
    [CHECKPOINT, await benchmark.save()],
    ...Object.entries(texts).map(([file, text]) => [file, encoder.encode(text)] as const),
  ]);
}

/**
 * The configuration of a run, from its checkpoint alone: what the data are to be cut by before it is gone on with.
 * @param method the run's, where it is not a built-in one.
 * @throws {CheckpointError} when the file is damaged or not that of a run.
 * @throws {ConfigError} for a configuration that is none, or of another method.
 */
export function savedConfig(checkpoint: Uint8Array, where: string, method?: AnyMethod): Config {
  const { config } = readBenchmarkState(readSafetensors(checkpoint, where).metadata, where);
  return parseConfig(config, where, method);
}
