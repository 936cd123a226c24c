/** Tables for the terminal: a run's accuracies, a step's kernels. */
import Table from 'cli-table3';
import picocolors from 'picocolors';
import { type RunRecord, summaryOf } from '../continual/benchmark/run-record.ts';
import { printable } from '../gpu/printable.ts';
import type { KernelTimes } from './kernel-times.ts';

export interface TableOptions {
  /** Colour by ANSI codes; by default where the terminal has it. */
  colour?: boolean;
  /** Characters a line; a wider matrix is cut into several tables. Any number by default. */
  columns?: number;
}

/** @param first how the first column is aligned; the others are on the right. */
export const tableOf = (head: string[], first: 'left' | 'right') =>
  new Table({
    head,
    colAligns: head.map((_, column) => (column === 0 ? first : 'right')),
    // Colours are ours, so that they can be switched off.
    style: { head: [], border: [], compact: true },
  });

const one = (value: number): string => (Number.isNaN(value) ? '' : value.toFixed(1));

/**
 * The accuracy matrix, a row after each task, and the accuracy on all classes seen. Percent.
 * Colours say how much of the best accuracy a task ever had is kept: green 90 % or more, yellow 60 %, red less.
 */
export function matrixTable(record: RunRecord, options: TableOptions = {}): string {
  const colours = picocolors.createColors(options.colour ?? picocolors.isColorSupported);
  const seen = summaryOf(record).curve;
  const best = new Array<number>(record.matrix.length).fill(0);
  const rows = record.matrix.map((row) =>
    record.matrix.map((_, task) => {
      const accuracy = row[task];
      if (accuracy === undefined) return '';
      best[task] = Math.max(best[task]!, accuracy);
      const kept = best[task]! === 0 ? 0 : accuracy / best[task]!;
      const paint = kept >= 0.9 ? colours.green : kept >= 0.6 ? colours.yellow : colours.red;
      return paint(one(accuracy));
    }),
  );
  const room = Math.max(1, Math.floor(((options.columns ?? Number.POSITIVE_INFINITY) - BESIDE) / CELL));
  const tables: string[] = [];
  for (let from = 0; from < rows.length; from += room) {
    const to = Math.min(rows.length, from + room);
    const isLast = to === rows.length;
    const heads = rows.slice(from, to).map((_, at) => `on ${from + at + 1}`);
    const table = tableOf(['after task', ...heads, ...(isLast ? ['all seen'] : [])].map(colours.bold), 'left');
    for (const [after, cells] of rows.entries()) {
      // Before them nothing was measured.
      if (after < from) continue;
      const last = isLast ? [colours.bold(one(seen[after]!))] : [];
      table.push([`${after + 1}`, ...cells.slice(from, to), ...last]);
    }
    tables.push(table.toString());
  }
  return tables.join('\n');
}

/** Characters of the first and the last column with their borders, and of one of a task, about. */
const [BESIDE, CELL] = [26, 9];

/** One line a run: method, average incremental accuracy, last accuracy, forgetting, minutes. */
export function summaryTable(records: readonly RunRecord[], options: TableOptions = {}): string {
  const colours = picocolors.createColors(options.colour ?? picocolors.isColorSupported);
  const table = tableOf(['run', 'method', 'average %', 'last %', 'forgetting', 'seconds'].map(colours.bold), 'left');
  for (const { name, method, average, last, forgetting, seconds } of records) {
    table.push([printable(name), printable(method), one(average), one(last), one(forgetting), seconds.toFixed(0)]);
  }
  return table.toString();
}

/** A line a kernel: launches, milliseconds, share of the step, rates. */
export function kernelTable(kernels: readonly KernelTimes[], options: TableOptions = {}): string {
  const colours = picocolors.createColors(options.colour ?? picocolors.isColorSupported);
  const table = tableOf(['kernel', 'launches', 'ms', '%', 'GFLOP/s', 'GB/s'].map(colours.bold), 'left');
  for (const { kernel, launches, ms, share, gflops, gbs } of kernels) {
    table.push([kernel, launches, ms.toFixed(3), one(100 * share), gflops === null ? '' : one(gflops), one(gbs)]);
  }
  return table.toString();
}
