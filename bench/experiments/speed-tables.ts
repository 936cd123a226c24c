/** What was measured of speed, as tables of `bench/results/README.md` and a line of the README. Made of the records, never typed. */
import { readFile, writeFile } from 'node:fs/promises';
import * as v from 'valibot';
import { markdownTable } from '../../src/report/statistics-text.ts';
import { betweenMarks, marksOf } from './between-marks.ts';
import { jsonLines } from './json-lines.ts';

const FOLDER = 'bench/results';
const PAGE = `${FOLDER}/README.md`;
const README = 'README.md';

const lineSchema = v.object({
  name: v.string(),
  /** The median, in milliseconds. */
  ms: v.number(),
  gflops: v.exactOptional(v.number()),
  /** To what `versus` names, by medians. */
  ratio: v.exactOptional(v.number()),
  versus: v.exactOptional(v.string()),
  /** Of the engine. */
  version: v.exactOptional(v.string()),
  adapter: v.string(),
  date: v.string(),
});

/** A benchmark's line. */
export type Measured = v.InferOutput<typeof lineSchema>;

/** What is recorded under a name. @throws {ValiError} for a line that is no benchmark's. */
export const measuredIn = async (name: string): Promise<Measured[]> =>
  v.parse(v.array(lineSchema), await jsonLines(`${FOLDER}/${name}.jsonl`));

const PEERS = { tfjs: 'TensorFlow.js', 'jax-js': 'jax-js' } as const;

const times = (ratio: number): string => `${ratio.toFixed(1)} ×`;
const milliseconds = (ms: number): string => `${ms < 100 ? Number(ms.toPrecision(3)) : ms.toFixed(0)} ms`;
const gigaflops = (value: number): string => `${value.toFixed(0)} GFLOP/s`;
const range = (values: readonly number[], text: (value: number) => string): string => {
  const ends = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(0));
  return ends[0] === ends[1] ? text(values[0]!) : `${ends[0]} to ${text(Math.max(...values))}`;
};

const measuredOn = (lines: readonly Measured[]): string => {
  const dates = [...new Set(lines.map(({ date }) => date))].sort();
  return `${[...new Set(lines.map(({ adapter }) => adapter))].join(', ')}, ${[dates[0], ...dates.slice(1).slice(-1)].join(' to ')}`;
};

/** The same work in Engram and its peers: a line of the table each. */
export function peerTable(lines: readonly Measured[]): string {
  const rows = lines.flatMap(({ name, ms, gflops }) => {
    const [, work] = /^peers\/(.*)\/engram$/.exec(name) ?? [];
    if (work === undefined) return [];
    const ratios = Object.keys(PEERS).map((peer) => lines.find((one) => one.name === `peers/${work}/${peer}`)?.ratio);
    const speed = gflops === undefined ? milliseconds(ms) : `${milliseconds(ms)}, ${gigaflops(gflops)}`;
    return [[work, speed, ...ratios.map((ratio) => (ratio === undefined ? '' : times(ratio)))]];
  });
  const titles = Object.entries(PEERS).map(([peer, title]) => {
    const version = lines.find(({ name }) => name.endsWith(`/${peer}`))?.version;
    return version === undefined ? title : `${title} ${version}`;
  });
  return `${markdownTable(['', 'Engram', ...titles], rows)}\n\nMedians, and how many times as long the others take: ${measuredOn(lines)}.`;
}

/** Kernels by their kind: how fast the slowest and the fastest shape are. */
export function kernelTable(lines: readonly Measured[]): string {
  const kinds = new Map<string, number[]>();
  for (const { name, gflops } of lines) {
    if (gflops === undefined) continue;
    const kind = name.split('/').slice(0, -1).join(' ');
    kinds.set(kind, [...(kinds.get(kind) ?? []), gflops]);
  }
  const rows = [...kinds].map(([kind, all]) => [kind, `${all.length}`, range(all, gigaflops)]);
  return `${markdownTable(['kernel', 'shapes', 'speed'], rows)}\n\n${measuredOn(lines)}.`;
}

/** What a task costs by each method, next to `kd`. */
export function costTable(lines: readonly Measured[]): string {
  const rows = lines
    .flatMap(({ name, ratio }) => (ratio === undefined ? [] : [{ name: name.replace('methods/', ''), ratio }]))
    .sort((a, b) => a.ratio - b.ratio)
    .map(({ name, ratio }) => [`\`${name}\``, `${ratio.toFixed(2)} ×`]);
  return `${markdownTable(['method', 'next to `kd`'], rows)}\n\n${measuredOn(lines)}.`;
}

/** The README's line. @param lines of the peers' training steps. */
export function speedLine(lines: readonly Measured[]): string {
  const of = (engine: string) => lines.find(({ name }) => name === `peers/resnet20/${engine}`);
  const [own, ...others] = ['engram', ...Object.keys(PEERS)].map(of);
  const told = Object.values(PEERS).map((title, at) => `${title} takes ${others[at]?.ratio?.toFixed(0)} times`);
  return `A ResNet-20 training step takes ${own?.ms.toFixed(0)} ms on two CPU cores (llvmpipe): ${told.join(', ')} as long on the same adapter.`;
}

/** The page of results with its tables replaced. */
export async function withSpeedTables(page: string): Promise<string> {
  const tables = {
    steps: peerTable(await measuredIn('peers-lavapipe')),
    kernels: kernelTable(await measuredIn('kernels-lavapipe')),
    peers: peerTable(await measuredIn('peers-kernels-lavapipe')),
    costs: costTable(await measuredIn('methods-lavapipe')),
  };
  return Object.entries(tables).reduce((text, [name, table]) => betweenMarks(text, marksOf(name), table), page);
}

/** The README with its line of speed replaced. */
export const withSpeedLine = async (readme: string): Promise<string> =>
  betweenMarks(readme, marksOf('speed'), speedLine(await measuredIn('peers-lavapipe')));

/** Makes both of what is recorded. */
export async function writeSpeedTables(): Promise<void> {
  await writeFile(PAGE, await withSpeedTables(await readFile(PAGE, 'utf8')));
  await writeFile(README, await withSpeedLine(await readFile(README, 'utf8')));
}
