/** Analysed runs put together: those that differ by their seeds and the order of classes alone are one group. */
import type { AnalysisRecord } from '../analysis/run/analysis-record.ts';
import { type Mean, meanOf } from './statistics.ts';
import { meanText } from './statistics-text.ts';

/** Runs of one configuration. */
export interface AnalysisGroup {
  readonly label: string;
  readonly records: readonly AnalysisRecord[];
}

/** All that is recorded of a run's settings but its seeds and the order of classes. */
function settingOf({ method, config, tasks }: AnalysisRecord): string {
  const { seed: _, classSeed: __, classOrder: ___, ...settings } = config;
  return JSON.stringify([method, tasks, settings]);
}

/** In order of appearance; called by the method, or by the run where one method was run in several ways. */
export function groupRecords(records: readonly AnalysisRecord[]): AnalysisGroup[] {
  const groups = new Map<string, AnalysisRecord[]>();
  for (const record of records) {
    const key = settingOf(record);
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  const all = [...groups.values()] as [AnalysisRecord, ...AnalysisRecord[]][];
  return all.map((own) => {
    const [{ method, name }] = own;
    const ways = all.filter(([first]) => first.method === method).length;
    return { label: ways === 1 ? method : `${method}: ${name}`, records: own };
  });
}

/** Over the runs that have the figure; `null` where none has. */
export function spreadOf(values: readonly (number | null | undefined)[]): Mean | null {
  const there = values.filter((value): value is number => value !== null && value !== undefined);
  return there.length === 0 ? null : meanOf(there);
}

/** The mean, and behind ± the standard deviation over several runs. */
export const spreadText = (spread: Mean | null, text: (value: number) => string): string =>
  spread ? meanText(spread, text) : '–';
