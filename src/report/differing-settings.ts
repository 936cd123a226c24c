/** What runs that stand side by side do not have in common. */
import type { RunRecord } from '../continual/benchmark/run-record.ts';
import { settingsOf } from './run-facts.ts';

/** A setting with its value in each run; an empty text where a run has none. */
export interface DifferingSetting {
  readonly name: string;
  readonly values: readonly string[];
}

/** What one is not to be told a better one by: chance, and how steps come to the same results. */
const CHANCE: readonly string[] = ['seed', 'classSeed', 'classOrder'];
const EXECUTION: readonly string[] = ['capture', 'tune', 'lossEvery', 'gradientCheckpointing', 'methodFile'];

/** What is to be alike for accuracies to be compared: the data, how they are dealt out and tested, what is kept, network and length. */
const PROTOCOL: readonly string[] = [
  ...['data', 'classes a task', 'baseClasses', 'domains', 'angles', 'blurry', 'trainPerClass', 'testPerClass'],
  ...['imageSize', 'imageResize', 'testPart', 'testList', 'testFraction', 'splitSeed', 'labels', 'stream'],
  ...['memory', 'memoryPerClass', 'memoryBytes', 'model', 'width', 'stem', 'epochs', 'baseEpochs', 'tasks learnt'],
];

const allOf = (record: RunRecord): Map<string, string> =>
  new Map([
    ...settingsOf(record.config),
    ['data', record.dataset],
    ['method', record.method],
    ['classes a task', record.classesPerTask.join(', ')],
    ['tasks learnt', `${record.matrix.length}`],
    ['engram', record.version ?? ''],
    ['adapter', record.adapter],
  ]);

/** In the order of the first run that has them. */
export function differingSettings(records: readonly RunRecord[]): DifferingSetting[] {
  const all = records.map(allOf);
  const names = new Set(all.flatMap((one) => [...one.keys()]));
  return [...names]
    .map((name) => ({ name, values: all.map((one) => one.get(name) ?? '') }))
    .filter(({ values }) => new Set(values).size > 1);
}

/** Names of what makes the protocols of runs unlike, of those that have learnt a task: where there is any, none of them is the best. */
export const unlikeProtocols = (records: readonly RunRecord[]): string[] =>
  differingSettings(records.filter(({ matrix }) => matrix.length > 0))
    .map(({ name }) => name)
    .filter((name) => PROTOCOL.includes(name));

/** Whether it makes no other way of learning: what is left to chance, how steps are done, and where. */
export const isChance = (name: string): boolean =>
  [...CHANCE, ...EXECUTION, 'engram', 'adapter', 'tasks learnt'].includes(name);

/** What runs that differ by chance alone have in common, as one text. */
export function wayOf(record: RunRecord): string {
  const settings = [...allOf(record)].filter(([name]) => !isChance(name));
  return JSON.stringify(settings.sort(([a], [b]) => (a < b ? -1 : 1)));
}
