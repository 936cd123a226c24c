/** Runs of several methods on the same tasks, put side by side. */
import picocolors from 'picocolors';
import { type RunRecord, summaryOf } from '../continual/benchmark/run-record.ts';
import { mean } from './statistics.ts';
import { type TableOptions, tableOf } from './table.ts';

/** One method: means over its runs. Accuracies in percent, forgetting in points. */
export interface MethodResult {
  readonly method: string;
  readonly runs: number;
  /** On all classes seen, after each task. */
  readonly seen: readonly number[];
  /** On the first task's classes, after each task. */
  readonly firstTask: readonly number[];
  readonly average: number;
  readonly last: number;
  readonly forgetting: number;
}

/** The methods in order of appearance. @param records with as many tasks learnt in each. */
export function compareMethods(records: readonly RunRecord[]): MethodResult[] {
  return [...new Set(records.map(({ method }) => method))].map((method) => {
    const runs = records.filter((record) => record.method === method);
    const curves = runs.map((run) => summaryOf(run).curve);
    const of = (figure: 'average' | 'last' | 'forgetting') => mean(runs.map((run) => run[figure]));
    const tasks = runs[0]?.matrix ?? [];
    return {
      method,
      runs: runs.length,
      seen: tasks.map((_, task) => mean(curves.map((curve) => curve[task]!))),
      firstTask: tasks.map((_, task) => mean(runs.map(({ matrix }) => matrix[task]![0]!))),
      average: of('average'),
      last: of('last'),
      forgetting: of('forgetting'),
    };
  });
}

const one = (value: number): string => value.toFixed(1);

/** A line a method; at most 80 columns with up to ten tasks. */
export function comparisonTable(results: readonly MethodResult[], options: TableOptions = {}): string {
  const colours = picocolors.createColors(options.colour ?? picocolors.isColorSupported);
  const head = ['method', 'after each task, %', 'first\ntask', 'average', 'last', 'forget-\nting'];
  const table = tableOf(
    head.map((text) => text.split('\n').map(colours.bold).join('\n')),
    'left',
  );
  for (const { method, seen, firstTask, average, last, forgetting } of results) {
    const curve = seen.map((accuracy) => accuracy.toFixed(0).padStart(2)).join(' ');
    table.push([method, curve, one(firstTask.at(-1) ?? 0), one(average), one(last), one(forgetting)]);
  }
  return table.toString();
}
