/** Accuracy of each task's classes after each task, of a run and of several together; each cell as green as it is accurate. */
import { type RunRecord, summaryOf } from '../continual/benchmark/run-record.ts';
import { type HeatCell, heatTable } from './heat-table.ts';
import { type Html, html } from './html.ts';
import { groupRuns, meanCurve, meanMatrix, type RunGroup } from './run-groups.ts';
import { meanText } from './statistics-text.ts';

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

function meanFigure({ label, records }: RunGroup): Html {
  const matrix = meanMatrix(records);
  const curve = meanCurve(records, (record) => summaryOf(record).curve);
  const rows = matrix.map((row, after) => {
    const cells = row.map((mean) => ({ text: meanText(mean), share: mean.mean / 100 }));
    return stageRow(after, matrix.length, cells, meanText(curve[after]!));
  });
  const most = Math.max(...records.map((record) => record.matrix.length));
  const left = most > matrix.length ? ' As far as all of them have learnt.' : '';
  const orders = new Set(records.map(({ classOrder }) => classOrder.join()));
  const places =
    orders.size > 1
      ? ' Their class orders differ: a column is the task in this place of each order, whatever its classes are.'
      : '';
  return html`<figure class="mean-matrix"><figcaption>${label}: means of ${records.length} runs ± standard deviations. Accuracy in percent on the classes of
each task (columns), after each task (rows).${left}${places}</figcaption>
${heatTable({ corner: 'task', heads: headsOf(matrix.length), rows })}</figure>`;
}

/** Runs that differ by seed and class order alone, taken together: a matrix a group of several that have learnt a task. */
export const meanMatrices = (records: readonly RunRecord[]): Html => {
  const groups = groupRuns(records.filter(({ matrix }) => matrix.length > 0));
  return html`${groups.filter((group) => group.records.length > 1).map(meanFigure)}`;
};
