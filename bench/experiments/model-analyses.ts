/**
 * What the models of compared runs are like beyond accuracy: `engram analyse` of a run's folder, recorded a line a run beside the
 * sweep's results. It wants the weights after each task, which lie where the run was learnt and nowhere else.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { type AnalysisRecord, parseAnalysis } from '../../src/analysis/run/analysis-record.ts';
import type { PlannedRun } from '../../src/sweep/plan.ts';
import type { SweepResult } from '../../src/sweep/results.ts';
import { runId } from '../../src/sweep/run-id.ts';
import { textLines } from './json-lines.ts';
import { runFolderOf } from './recorded-sweep.ts';

/** Of these sweeps the compared runs of these pools are analysed. */
export const ANALYSED: ReadonlyMap<string, readonly string[]> = new Map([
  ['pools-glyphs-10x10', ['whole', 'tasks', 'dense', 'replay']],
]);

/** What is measured, and on how many training images: products with the Hessian cost as much as steps of training, features little. */
export const MEASURES = [
  { only: 'hessian,sharpness', images: 256 },
  { only: 'classifier,drift,stability', images: 1024 },
] as const;

/** A run with what was measured of its model. */
export interface AnalysedResult {
  readonly run: string;
  readonly record: AnalysisRecord;
}

const pathOf = (sweep: string): string => `bench/results/analyses/${sweep}.jsonl`;

/** What is recorded of a sweep's runs; nothing where none was analysed. @throws {DataError} for a line that is no record. */
export async function recordedAnalyses(sweep: string): Promise<AnalysedResult[]> {
  const path = pathOf(sweep);
  return (await textLines(path)).map((line, at) => {
    const record = parseAnalysis(line, `${path}, line ${at + 1}`);
    return { run: runId(record.config), record };
  });
}

/** @returns the record of all measures. */
async function analysed(folder: string): Promise<string> {
  let line = '';
  for (const { only, images } of MEASURES) {
    const args = ['dist/cli.js', 'analyse', folder, '--json', '--only', only, '--images', `${images}`];
    // The second one's record has what the first one measured.
    line = (await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 })).stdout.trim();
  }
  return line;
}

/** Measures what is missing of these runs. @returns how many have no folder here. */
export async function analyseMissing(
  sweep: string,
  runs: readonly PlannedRun[],
  results: readonly SweepResult[],
): Promise<number> {
  const known = new Set((await recordedAnalyses(sweep)).map(({ run }) => run));
  const learnt = new Set(results.map(({ run }) => run));
  const wanted = runs.filter(({ id }) => learnt.has(id) && !known.has(id));
  const here = wanted.filter(({ id }) => existsSync(runFolderOf(sweep, id)));
  await mkdir(dirname(pathOf(sweep)), { recursive: true });
  for (const { id, label, pair } of here) {
    console.log(`analysed: ${label}, ${pair}`);
    await appendFile(pathOf(sweep), `${await analysed(runFolderOf(sweep, id))}\n`);
  }
  return wanted.length - here.length;
}
