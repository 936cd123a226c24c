/** A finished run in the terminal. */
import { stripVTControlCharacters } from 'node:util';
import picocolors from 'picocolors';
import { type RunRecord, summaryOf } from '../continual/benchmark/run-record.ts';
import { printable } from '../gpu/printable.ts';
import { oldNewNames } from '../report/old-new-names.ts';
import { matrixTable } from '../report/table.ts';

const widthOf = (text: string): number =>
  Math.max(
    ...stripVTControlCharacters(text)
      .split('\n')
      .map(({ length }) => length),
  );

/** The accuracy matrix, or where the terminal is too narrow for it, its last column. */
function matrix(record: RunRecord): string {
  const table = matrixTable(record);
  if (!process.stdout.isTTY || widthOf(table) <= process.stdout.columns) return table;
  const { curve } = summaryOf(record);
  return `on all classes seen, after each task: ${curve.map((accuracy) => accuracy.toFixed(1)).join(' ')}`;
}

const one = (value: number): string => value.toFixed(1).replace('-', '−');

/** What the counts give beside, in three lines; a run that was not counted has none. */
function otherFigures(record: RunRecord): string[] {
  const { counted, firstLastForgetting, backwardTransfer } = summaryOf(record);
  if (!counted) return [];
  const { incrementForgetting, forwardTransfer, split, taskIncremental, classifier, nearestMean, calibrationErrors } =
    counted;
  const at = split.at(-1);
  const names = oldNewNames([record]);
  const percent = (name: string, value: number | null | undefined) =>
    value === null || value === undefined ? [] : [`${name} ${one(value)} %`];
  const points = (name: string, value: number | null) => (value === null ? [] : [`${name} ${one(value)}`]);
  const now = [
    ...percent(names.old, at?.old),
    ...percent(names.new, at?.new),
    ...percent('harmonic mean', at?.harmonicMean),
    ...percent('with the task told', taskIncremental.last),
  ];
  const ways = [
    ...percent('by the classifier', classifier?.last),
    ...percent('by the nearest mean', nearestMean?.last),
    ...points('calibration error', calibrationErrors.at(-1) ?? null).map((error) => `${error} points`),
  ];
  const changes = [
    ...points('forgetting first − last', firstLastForgetting),
    ...points('by increments', incrementForgetting),
    ...points('transfer backward', backwardTransfer),
    ...points('forward', forwardTransfer),
  ];
  return [now, ways, ...(split.length > 1 ? [changes] : [])].map((parts) => parts.join(', '));
}

export function printResults(record: RunRecord, page: string): void {
  const { average, last, forgetting } = record;
  console.log(
    `\nAccuracy in percent on each task, after each task (${printable(`${record.method}, ${record.dataset}`)})\n${matrix(record)}`,
  );
  const bold = (value: number) => picocolors.bold(value.toFixed(1));
  console.log(`average incremental ${bold(average)} %, last ${bold(last)} %, forgetting ${bold(forgetting)} points`);
  for (const line of otherFigures(record)) console.log(line);
  console.log(`report    ${printable(page)}`);
}
