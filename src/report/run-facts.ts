/** What is said of a run in a line each: beside its figures in the terminal, on its page and in other programs. */
import type { RunRecord } from '../continual/benchmark/run-record.ts';

/** `75 s`, `1 min 15 s`, `2 h 5 min`. */
export const duration = (seconds: number): string => {
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds.toFixed(0)} s`;
  return minutes < 60
    ? `${minutes} min ${Math.floor(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

/** `1.5 MB` and the like, by powers of 1000. */
export function byteText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

/** Nested settings as dotted names, in the order they stand. */
export function settingsOf(config: Readonly<Record<string, unknown>>, prefix = ''): [string, string][] {
  return Object.entries(config).flatMap(([key, value]): [string, string][] => {
    const name = `${prefix}${key}`;
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return settingsOf(value as Record<string, unknown>, `${name}.`);
    return [[name, typeof value === 'string' ? value : (JSON.stringify(value) ?? '')]];
  });
}

/** Epochs of a task that is not finished. */
export const epochsBegun = ({ matrix, losses }: RunRecord): number =>
  losses.filter(({ task }) => task >= matrix.length).length;

/** How far a run is that has tasks left; `null` of one that is done. */
export function unfinished(record: RunRecord): string | null {
  const { matrix, classesPerTask } = record;
  const epochs = epochsBegun(record);
  const planned = Math.max(classesPerTask.length, matrix.length);
  if (matrix.length > 0 && matrix.length === planned) return null;
  const done = planned > 0 ? `${matrix.length} of ${planned} tasks` : 'no task yet';
  return `unfinished: ${done}${epochs > 0 ? `, and ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'} of task ${matrix.length + 1}` : ''}`;
}

type Fact = [name: string, value: string];

/** What a run is from its beginning on. */
export const originFacts = (record: RunRecord): Fact[] => [
  ['run', record.name],
  ['method', record.method],
  ['data', record.dataset],
  ...(record.classesPerTask.length > 0 ? [['classes a task', record.classesPerTask.join(', ')] as Fact] : []),
  ...(record.classOrder.length > 0 ? [['class order', record.classOrder.join(' ')] as Fact] : []),
  ...(record.adapter === '' ? [] : [['adapter', record.adapter] as Fact]),
  ['began', record.date],
  ['version', record.version === undefined ? 'not recorded' : `engram ${record.version}`],
];

/** Whether reading pictures or learning from them set the pace, of runs whose pictures stayed in their files. */
function waitFacts({ losses }: RunRecord): Fact[] {
  const waits = losses.flatMap(({ waited }) => (waited === undefined ? [] : [waited]));
  if (waits.length === 0) return [];
  const [waited, all] = [waits, losses.map(({ seconds = 0 }) => seconds)].map((own) => own.reduce((a, b) => a + b, 0));
  const share = all ? ` (${((100 * (waited as number)) / all).toFixed(0)} % of training)` : '';
  return [['waited for pictures', `${duration(waited as number)}${share}`]];
}

/** The same, and how far it is. */
export function runFacts(record: RunRecord): Fact[] {
  const left = unfinished(record);
  return [
    ...originFacts(record),
    ['took', duration(record.seconds)],
    ...waitFacts(record),
    ...(left === null ? [] : [['state', left] as Fact]),
  ];
}
