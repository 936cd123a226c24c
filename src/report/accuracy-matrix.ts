/** Accuracy of each task's classes after each task, of a run; each cell as green as it is accurate. */
import { type RunRecord, summaryOf } from '../continual/benchmark/run-record.ts';
import { type HeatCell, heatTable } from './heat-table.ts';
import type { Html } from './html.ts';

const one = (value: number): string => value.toFixed(1);

/** The row after a task: cells of those learnt so far, nothing of later ones, and all of them together. */
const stageRow = (after: number, tasks: number, cells: readonly HeatCell[], all: string) => ({
  name: `after ${after + 1}`,
  cells: [...cells, ...new Array<null>(tasks - cells.length).fill(null), { text: all, isTotal: true }],
});

const headsOf = (tasks: number): string[] => [...Array.from({ length: tasks }, (_, task) => `${task + 1}`), 'all seen'];

/** Below it how well calibrated predictions on each task are, where that was counted. Percent and points. */
export function accuracyMatrix(record: RunRecord): Html {
  const { curve, counted } = summaryOf(record);
  const tasks = record.matrix.length;
  const rows = record.matrix.map((row, after) => {
    const cells = row.map((accuracy) => ({ text: one(accuracy), share: accuracy / 100 }));
    return stageRow(after, tasks, cells, one(curve[after]!));
  });
  const foot = counted && {
    name: 'calibration error',
    cells: [
      ...counted.calibrationErrorOf.map((error) => ({ text: one(error) })),
      { text: one(counted.calibrationErrors.at(-1)!), isTotal: true },
    ],
  };
  return heatTable({ corner: 'task', heads: headsOf(tasks), rows, ...(foot ? { foot } : {}) });
}
