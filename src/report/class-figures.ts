/** What a run's counts say of each class after its last task. */
import { imagesOf, rightOf, type SparseCounts } from '../continual/benchmark/metrics/counts.ts';
import type { RunRecord } from '../continual/benchmark/run-record.ts';

/** Classes by their logits. */
export interface ClassConfusion {
  /** Row c: of the images of class c, the share in percent that is taken for each class. */
  readonly shares: readonly (readonly number[])[];
  /** Test images of each class. */
  readonly images: readonly number[];
}

/** All that was tested after the last task; `null` of a run that was not counted. */
const lastCounts = ({ tests = [] }: RunRecord): SparseCounts | null =>
  tests.at(-1)?.flatMap(({ counts }) => [...counts]) ?? null;

/** Which class images are taken for, after the last task; `null` of a run that was not counted. */
export function classConfusion(record: RunRecord): ClassConfusion | null {
  const counts = lastCounts(record);
  if (!counts) return null;
  const classes = counts.reduce((most, [label, predicted]) => Math.max(most, label + 1, predicted + 1), 0);
  const images = new Array<number>(classes).fill(0);
  const shares = images.map(() => new Array<number>(classes).fill(0));
  for (const [label, , count] of counts) images[label]! += count;
  for (const [label, predicted, count] of counts) shares[label]![predicted]! += (100 * count) / images[label]!;
  return { shares, images };
}

/** One class. */
export interface ClassFigures {
  readonly name: string;
  /** The task that brought it, from 0. */
  readonly task: number;
  /** Tested on. */
  readonly images: number;
  /** In percent, when it was just learnt and after the last task. */
  readonly first: number;
  readonly last: number;
  /** The other class that most of its images are taken for, and the share of them in percent; `null` where all are right. */
  readonly mistaken: { readonly name: string; readonly share: number } | null;
}

/** Names of the classes by their logits: numbers where the record has none. */
export function classNames(record: RunRecord, classes: number): string[] {
  const names = (record.tasks ?? []).flatMap(({ newClasses }) => newClasses);
  return Array.from({ length: classes }, (_, label) => names[label] ?? `class ${record.classOrder[label] ?? label}`);
}

/** A line a class in the order of arrival; `null` of a run that was not counted, after some task. */
export function classFigures(record: RunRecord): ClassFigures[] | null {
  const confusion = classConfusion(record);
  const stages = (record.tests ?? []).filter((parts) => parts !== null);
  if (!confusion || stages.length < record.matrix.length) return null;
  const names = classNames(record, confusion.images.length);
  return names.map((name, label) => {
    const own = stages.map((parts) => parts.flatMap(({ counts }) => counts.filter(([of]) => of === label)));
    const task = own.findIndex((counts) => counts.length > 0);
    const first = own[task] ?? [];
    const row = confusion.shares[label]!;
    const other = row.reduce((best, share, to) => (to !== label && share > (row[best] ?? 0) ? to : best), -1);
    return {
      name,
      task,
      images: confusion.images[label]!,
      first: first.length > 0 ? (100 * rightOf(first)) / imagesOf(first) : 0,
      last: row[label]!,
      mistaken: other < 0 ? null : { name: names[other]!, share: row[other]! },
    };
  });
}
