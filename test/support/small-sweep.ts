/** A sweep of runs that take a second or two each, and what is equal in their results wherever they were learnt. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { parseResults, type SweepResult } from '../../src/sweep/results.ts';

/** Two tasks of two classes on a narrow network. */
export const smallSettings = {
  data: 'fashion-mini',
  classOrder: [1, 8, 5, 2],
  tasks: 2,
  trainPerClass: 8,
  testPerClass: 5,
  width: 4,
  epochs: 3,
  batch: 8,
  memory: 8,
};

/** One that learns, and one that hardly does: half of its runs are hopeless after two of three tasks. */
export const halfHopeless = {
  settings: { ...smallSettings, classOrder: [1, 8, 5, 2, 9, 6], tasks: 3, trainPerClass: 12, epochs: 6 },
  configurations: [
    { name: 'learns', method: 'replay' },
    { name: 'hardly', method: 'replay', lr: 1e-6 },
  ],
  seeds: [0, 1, 2],
  earlyStop: { minTasks: 2, margin: 2 },
};

/** Writes a sweep's file. @returns its path. */
export async function writeSweep(folder: string, file: object, name = 'my.json'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, JSON.stringify({ settings: smallSettings, ...file }));
  return path;
}

/** What a sweep's folder has of a run, without anything learnt. @param more what is otherwise. */
export const resultLine = (run: string, label: string, order: number, more: object = {}) => ({
  ...{
    run,
    label,
    pair: `order ${order}`,
    average: 70,
    last: 60,
    forgetting: 20,
    curve: [90, 60],
    matrix: [[90], [50, 70]],
  },
  ...{ seconds: 10, cpuSeconds: 15, adapter: 'an adapter', date: '2026-01-01', version: '1.0.0', config: {}, ...more },
});

/** A sweep's folder with these results; what its runs left is laid below it by the test. */
export function writeSweepFolder(folder: string, results: readonly object[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'sweep.json'), '{"name":"made"}');
  writeFileSync(join(folder, 'results.jsonl'), results.map((one) => `${JSON.stringify(one)}\n`).join(''));
}

/** Those in a sweep's folder, by their runs. */
export function resultsIn(folder: string): SweepResult[] {
  const path = join(folder, 'results.jsonl');
  if (!existsSync(path)) return [];
  return parseResults(readFileSync(path, 'utf8'), path).sort((a, b) => (a.run < b.run ? -1 : 1));
}

/** Without what differs from machine to machine and from day to day. */
export const learnt = (results: readonly SweepResult[]) =>
  results.map(({ run, label, pair, average, last, forgetting, curve, matrix, stopped, config }) => ({
    ...{ run, label, pair, average, last, forgetting, curve, matrix, config },
    stopped: stopped ?? null,
  }));

/** What was stopped, after how many tasks: checked to be of what hardly learns alone, with no figures of tasks that it never had. */
export function stoppedEarly(results: readonly SweepResult[]): SweepResult[] {
  const stopped = results.filter((result) => result.stopped !== undefined);
  assert.equal([...new Set(stopped.map(({ label }) => label))], ['hardly']);
  for (const { matrix, curve, stopped: after } of stopped) assert.equal([matrix.length, curve.length], [after, after]);
  return stopped;
}
