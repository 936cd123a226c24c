/** Runs that differ by seed and class order alone, taken together: their mean, and how far they spread. */
import { type RunRecord, summaryOf } from '../continual/benchmark/run-record.ts';
import { type DifferingSetting, differingSettings, isChance, wayOf } from './differing-settings.ts';
import { type Mean, meanOf } from './statistics.ts';
import { toldApart } from './told-apart.ts';

export interface RunGroup {
  /** The method, or the name of its only run; with what tells it from other groups of the method. */
  readonly label: string;
  readonly records: readonly RunRecord[];
}

/** In order of appearance. */
export function groupRuns(records: readonly RunRecord[]): RunGroup[] {
  const ways = new Map<string, RunRecord[]>();
  for (const record of records) {
    const way = wayOf(record);
    ways.set(way, [...(ways.get(way) ?? []), record]);
  }
  const groups = [...ways.values()];
  const labels = toldApart(groups.map((own) => labelOf(own, groups)));
  return groups.map((own, at) => ({ label: labels[at]!, records: own }));
}

function labelOf(own: readonly RunRecord[], groups: readonly (readonly RunRecord[])[]): string {
  const [first] = own as readonly [RunRecord];
  const sameMethod = groups.flatMap(([one]) => (one?.method === first.method ? [one] : []));
  if (groups.length > 1 && sameMethod.length === 1) return first.method;
  if (own.length === 1) return first.name;
  const at = sameMethod.indexOf(first);
  return [first.method, ...tellingSettings(sameMethod).map(({ name, values }) => `${name} ${values[at]}`)].join(', ');
}

/** No more settings than tell all of these runs apart. */
function tellingSettings(records: readonly RunRecord[]): DifferingSetting[] {
  const chosen: DifferingSetting[] = [];
  const kinds = (settings: readonly DifferingSetting[]) =>
    new Set(records.map((_, run) => settings.map(({ values }) => values[run]).join('\n'))).size;
  for (const one of differingSettings(records).filter(({ name }) => !isChance(name)))
    if (kinds([...chosen, one]) > kinds(chosen)) chosen.push(one);
  return chosen;
}

/** Accuracy in percent after each task that all runs of the group have learnt. */
export function meanCurve(records: readonly RunRecord[], curveOf: (record: RunRecord) => readonly number[]): Mean[] {
  const curves = records.map(curveOf);
  const tasks = Math.min(...curves.map(({ length }) => length));
  return Array.from({ length: tasks }, (_, task) => meanOf(curves.map((curve) => curve[task]!)));
}

/**
 * Accuracy matrices cell by cell, as far as all runs of the group have learnt: a row a task after which they were tested, a column
 * a task's classes. Percent.
 */
export function meanMatrix(records: readonly RunRecord[]): Mean[][] {
  const tasks = Math.min(...records.map(({ matrix }) => matrix.length));
  return Array.from({ length: tasks }, (_, after) => meanCurve(records, ({ matrix }) => matrix[after]!));
}

/** Figures of a group, each over the runs that have it. */
export interface GroupFigures {
  /** Over which they are: those that have learnt the most tasks, since accuracies after fewer are no estimate of those after more. */
  readonly runs: number;
  readonly average: Mean;
  readonly last: Mean;
  readonly forgetting: Mean;
  /** After the last task. */
  readonly old: Mean;
  readonly new: Mean;
}

/** How many runs figures are over, of how many where some have not come so far. */
export const runsText = ({ runs }: GroupFigures, records: readonly RunRecord[]): string =>
  runs === records.length ? `${runs}` : `${runs} of ${records.length}`;

export function groupFigures(records: readonly RunRecord[]): GroupFigures {
  const most = Math.max(...records.map(({ matrix }) => matrix.length));
  const furthest = records.filter(({ matrix }) => matrix.length > 0 && matrix.length === most);
  const summaries = furthest.map(summaryOf);
  const of = (figure: (summary: (typeof summaries)[number]) => number | null | undefined): Mean =>
    meanOf(summaries.map(figure).filter((value) => typeof value === 'number'));
  return {
    runs: furthest.length,
    average: of(({ average }) => average),
    last: of(({ last }) => last),
    forgetting: of(({ forgetting, matrix }) => (matrix.length > 1 ? forgetting : null)),
    old: of(({ counted }) => counted?.split.at(-1)?.old),
    new: of(({ counted }) => counted?.split.at(-1)?.new),
  };
}
