/** The command that learns a run again. */
import { commonSettings, settingsOf } from '../continual/benchmark/config.ts';
import type { RunRecord } from '../continual/benchmark/run-record.ts';
import { methods } from '../continual/methods/index.ts';

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const textOf = (value: unknown): string =>
  Array.isArray(value) ? value.join(',') : typeof value === 'object' ? JSON.stringify(value) : String(value);

/** As shells take it for one word. */
const quoted = (word: string): string => (/^[\w./:,=+@%-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** Where the files of a method of one's own were; what it held is no setting. */
const ORIGIN = ['methodFile', 'methodFingerprint'];

/** `engram train` with all that the run has and defaults have not, in words of the command line. */
export function commandWords({ config, method }: Pick<RunRecord, 'config' | 'method'>): string[] {
  const builtIn = Object.entries(methods).find(([name]) => name === method)?.[1];
  const presets = builtIn ? settingsOf(builtIn) : commonSettings;
  const { methodFile } = config;
  const set = Object.entries(config).flatMap(([key, value]) => {
    if (key === 'method' || ORIGIN.includes(key) || value === undefined || value === null) return [];
    const preset = (presets as Readonly<Record<string, { readonly preset: unknown }>>)[key]?.preset;
    return same(value, preset) ? [] : ['--set', `${key}=${textOf(value)}`];
  });
  return ['train', '--method', typeof methodFile === 'string' ? methodFile : method, ...set];
}

export const runCommand = (record: Pick<RunRecord, 'config' | 'method'>): string =>
  ['engram', ...commandWords(record).map(quoted)].join(' ');
