/** Analysed runs put together: those that differ by their seeds and the order of classes alone are one group. */
import type { AnalysisRecord } from '../analysis/run/analysis-record.ts';
import { mean, standardDeviation } from './statistics.ts';

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

/** A figure of a group. */
export interface Spread {
  readonly mean: number;
  /** Sample standard deviation; `null` of a single run. */
  readonly deviation: number | null;
  /** How many runs have it. */
  readonly runs: number;
}

/** Over the runs that have the figure; `null` where none has. */
export function spreadOf(values: readonly (number | null | undefined)[]): Spread | null {
  const there = values.filter((value): value is number => value !== null && value !== undefined);
  if (there.length === 0) return null;
  return {
    mean: mean(there),
    deviation: there.length > 1 ? standardDeviation(there) : null,
    runs: there.length,
  };
}

/** The mean, and behind ± the standard deviation over several runs. */
export function spreadText(spread: Spread | null, text: (value: number) => string): string {
  if (!spread) return '–';
  return spread.deviation === null ? text(spread.mean) : `${text(spread.mean)} ± ${text(spread.deviation)}`;
}
