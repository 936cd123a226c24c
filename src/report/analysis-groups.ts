/** Analysed runs put together: those that differ by their seeds and the order of classes alone are one group. */
import { ANALYSES, type AnalysisName, type AnalysisRecord } from '../analysis/run/analysis-record.ts';
import { type Mean, meanOf } from './statistics.ts';
import { meanText } from './statistics-text.ts';
import { toldApart } from './told-apart.ts';

/** Runs of one configuration. */
export interface AnalysisGroup {
  readonly label: string;
  /** With what was measured alike in them. */
  readonly records: readonly AnalysisRecord[];
}

/** All that is recorded of a run's settings but its seeds and the order of classes. */
function settingOf({ method, config, tasks }: AnalysisRecord): string {
  const { seed: _, classSeed: __, classOrder: ___, ...settings } = config;
  return JSON.stringify([method, tasks, settings]);
}

const partsOf = ({ parts }: AnalysisRecord) =>
  ANALYSES.flatMap((name) => (parts[name] ? [[name, parts[name]] as const] : []));

/** Without what was measured by other settings than the first run's that has it: a mean over both is one of neither. */
function measuredAlike(records: readonly AnalysisRecord[]): AnalysisRecord[] {
  const settings = new Map<AnalysisName, string>();
  return records.map((record) => {
    const alike = partsOf(record).filter(([name, part]) => {
      const own = JSON.stringify(part.settings);
      if (!settings.has(name)) settings.set(name, own);
      return settings.get(name) === own;
    });
    return { ...record, parts: Object.fromEntries(alike) as AnalysisRecord['parts'] };
  });
}

/** What was not measured by the same settings in all of these runs, in words; nothing where all was. */
export function unlikeNote(records: readonly AnalysisRecord[]): string | null {
  const unlike = ANALYSES.filter((name) => {
    const settings = records.flatMap(({ parts }) => (parts[name] ? [JSON.stringify(parts[name].settings)] : []));
    return new Set(settings).size > 1;
  });
  if (unlike.length === 0) return null;
  return (
    `Not measured by the same settings in all runs: ${unlike.join(', ')}. Figures of these are not to be compared, and means are over runs ` +
    'that were measured as the first of their configuration.'
  );
}

/** In order of appearance; called by the method, or by the run where one method was run in several ways. */
export function groupRecords(records: readonly AnalysisRecord[]): AnalysisGroup[] {
  const groups = new Map<string, AnalysisRecord[]>();
  for (const record of records) {
    const key = settingOf(record);
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  const all = [...groups.values()] as [AnalysisRecord, ...AnalysisRecord[]][];
  const labels = all.map(([{ method, name }]) => {
    const ways = all.filter(([first]) => first.method === method).length;
    return ways === 1 ? method : `${method}: ${name}`;
  });
  return toldApart(labels).map((label, at) => ({ label, records: measuredAlike(all[at]!) }));
}

/** Over the runs that have the figure; `null` where none has. */
export function spreadOf(values: readonly (number | null | undefined)[]): Mean | null {
  const there = values.filter((value): value is number => value !== null && value !== undefined);
  return there.length === 0 ? null : meanOf(there);
}

/** The mean, and behind ± the standard deviation over several runs. */
export const spreadText = (spread: Mean | null, text: (value: number) => string): string =>
  spread ? meanText(spread, text) : '–';
