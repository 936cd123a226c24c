/** A finished run in the terminal. */
import { stripVTControlCharacters } from 'node:util';
import picocolors from 'picocolors';
import { printable } from '../gpu/printable.ts';
import { type RunRecord, summaryOf } from '../report/run-record.ts';
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
  const curve = summaryOf(record).curve;
  return `on all classes seen, after each task: ${curve.map((accuracy) => accuracy.toFixed(1)).join(' ')}`;
}

export function printResults(record: RunRecord, page: string): void {
  const { average, last, forgetting } = record;
  console.log(
    `\nAccuracy in percent on each task, after each task (${printable(`${record.method}, ${record.dataset}`)})\n${matrix(record)}`,
  );
  const bold = (value: number) => picocolors.bold(value.toFixed(1));
  console.log(`average incremental ${bold(average)} %, last ${bold(last)} %, forgetting ${bold(forgetting)} points`);
  console.log(`report    ${printable(page)}`);
}
