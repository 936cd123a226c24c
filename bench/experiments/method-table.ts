/** The comparison of the methods as Markdown: `bench/results/methods.md`, and the README's table. Both are made, never typed. */
import { readFile, writeFile } from 'node:fs/promises';
import type { AnyMethod } from '../../src/continual/method.ts';
import { METHOD_NAMES, methods } from '../../src/continual/methods/index.ts';
import { mean, meanOf } from '../../src/report/statistics.ts';
import { meanText, signed } from '../../src/report/statistics-text.ts';
import { plannedCounts } from '../../src/sweep/plan.ts';
import type { SweepResult } from '../../src/sweep/results.ts';
import { betweenMarks, marksOf } from './between-marks.ts';
import { PROTOCOLS, type Protocol, protocols, pytorch, titles } from './method-protocols.ts';
import { type BesidePyTorch, besidePyTorch, type PyTorchRun, pytorchRuns } from './pytorch-runs.ts';
import { type RecordedSweep, recordedSweep } from './recorded-sweep.ts';

const NOTES = 'bench/results/methods-notes.md';
const PAGE = 'bench/results/methods.md';
const README = 'README.md';
const COMMAND = 'npm run -s evidence -- methods';
const MARKS = marksOf('methods', COMMAND);
const PYTORCH_MARKS = marksOf('pytorch', COMMAND);

/** Of each protocol, the comparison or the search for settings. */
export type ByProtocol = Readonly<Record<Protocol, Pick<RecordedSweep, 'runs' | 'results'>>>;

/** Results of a method under a protocol, in the order of the class orders. */
interface Row {
  readonly method: AnyMethod;
  readonly results: readonly SweepResult[];
  /** In how many of them it is to be run. */
  readonly planned: number;
}

const one = (value: number): string => value.toFixed(1);
const DASH = '–';

/** `75.5 ± 2.1`; without the spread for a single run, and a dash for none. */
const spread = (values: readonly number[]): string => meanText(meanOf(values)) || DASH;

const pair = (results: readonly SweepResult[]): string =>
  results.length === 0
    ? DASH
    : `${one(mean(results.map(({ average }) => average)))} / ${one(mean(results.map(({ last }) => last)))}`;

/** Orders of the classes in which every method is to be run. */
const plannedOrders = (compared: ByProtocol): string[] => [
  ...new Set(PROTOCOLS.flatMap((protocol) => compared[protocol].runs.map(({ pair: order }) => order))),
];

const rowsOf = (protocol: Protocol, compared: ByProtocol): Row[] => {
  const { runs, results } = compared[protocol];
  const planned = plannedCounts(runs);
  return METHOD_NAMES.map((name) => ({
    method: methods[name],
    results: results.filter(({ label }) => label === name),
    planned: planned.get(name) ?? 0,
  }));
};

/** What PyTorch gave, beside ours in the same two orders. */
function besidePytorch(protocol: Protocol, { method, results }: Row): string {
  const theirs = pytorch[`${protocol}/${method.name}`];
  if (!theirs) return DASH;
  const same = results.filter(({ pair: order }) => order === 'order 0' || order === 'order 1');
  const [average, last] = theirs;
  return `${average === null ? DASH : one(average)} / ${one(last)} (here ${same.length === 2 ? pair(same) : DASH})`;
}

const markdown = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

function protocolTable(protocol: Protocol, compared: ByProtocol): string {
  const rows = rowsOf(protocol, compared);
  const seconds = (row: Row) => row.results.flatMap(({ cpuSeconds }) => cpuSeconds ?? []);
  return markdown(
    ['method', 'average, %', 'last, %', 'forgetting', 'processor s', 'orders', 'PyTorch, average / last'],
    rows.map((row) => [
      `\`${row.method.name}\``,
      spread(row.results.map(({ average }) => average)),
      spread(row.results.map(({ last }) => last)),
      spread(row.results.map(({ forgetting }) => forgetting)),
      seconds(row).length === 0 ? DASH : Math.min(...seconds(row)).toFixed(0),
      `${row.results.length}`,
      besidePytorch(protocol, row),
    ]),
  );
}

/** How a protocol is called in a heading. */
const short: Readonly<Record<Protocol, string>> = { fashion: 'Fashion-MNIST', glyphs: 'glyphs' };

/** A run's order of the classes. */
const orderOf = ({ pair: order }: SweepResult): number => Number(/order (\d+)/.exec(order)?.[1]);

/**
 * What PyTorch came to, beside what is recorded here.
 * @param seeds further seeds of some methods, which may have runs of the comparison as well.
 */
export const besideOurs = (compared: ByProtocol, seeds: ByProtocol, theirs: readonly PyTorchRun[]): BesidePyTorch[] =>
  besidePyTorch(theirs, (protocol, method) => {
    const own = [...compared[protocol].results, ...seeds[protocol].results].filter(({ label }) => label === method);
    return [...new Map(own.map((result) => [result.run, { ...result, order: orderOf(result) }])).values()];
  });

const both = (values: readonly number[]): string => values.map(one).join(' / ');

const difference = ({ ours, theirs }: BesidePyTorch): string =>
  [0, 1].map((i) => signed((ours[i] as number) - (theirs[i] as number))).join(' / ');

/** Every method that PyTorch ran too, over the orders that both had; nothing where it ran none. */
function pytorchSection(rows: readonly BesidePyTorch[]): string {
  if (rows.length === 0) return '';
  return `
## Next to PyTorch, seed by seed

\`bench/reference/protocols.py\` is an implementation of the same protocols of its own, in plain PyTorch (${[...new Set(rows.flatMap(({ torch }) => torch))].join(', ')}).
Average / last accuracy, means over the orders of the classes that both ran; chance: the standard deviation of PyTorch's runs that differ in their
seed alone, which ours would be expected to have as well.

${markdown(
  ['protocol', 'method', 'orders', 'PyTorch', 'runs', 'here', 'runs', 'difference', 'chance, one run'],
  rows.map((row) => [
    short[row.protocol],
    `\`${row.method}\``,
    row.orders.join(', '),
    both(row.theirs),
    `${row.theirRuns}`,
    both(row.ours),
    `${row.ourRuns}`,
    difference(row),
    row.chance.some(Number.isNaN) ? DASH : both(row.chance),
  ]),
)}
`;
}

/** The README's: a row a method that PyTorch ran too. */
const readmePyTorchTable = (rows: readonly BesidePyTorch[]): string =>
  markdown(
    ['protocol', 'method', 'Engram', 'PyTorch', 'difference', 'runs'],
    rows.map((row) => [
      short[row.protocol],
      `\`${row.method}\``,
      both(row.ours),
      both(row.theirs),
      difference(row),
      `${row.ourRuns} and ${row.theirRuns}`,
    ]),
  );

const settingsTable = (): string =>
  markdown(
    ['method', 'source', 'verified'],
    METHOD_NAMES.map((name) => {
      const { source = DASH, verified = 'not yet' } = methods[name];
      return [`\`${name}\``, source, verified];
    }),
  );

const isShort = ({ results, planned }: Row): boolean => results.length < planned;

/** Mean accuracies; with the number of orders where some are missing, since orders differ by many points. */
const meansText = (row: Row): string => {
  const { length } = row.results;
  return `${pair(row.results)}${length > 0 && isShort(row) ? ` (${length})` : ''}`;
};

/** The README's: a row a method, a column for each protocol that has results, and what they are. */
function readmeTable(compared: ByProtocol): string {
  const run = PROTOCOLS.map((protocol) => ({ protocol, rows: rowsOf(protocol, compared) })).filter(({ rows }) =>
    rows.some((row) => row.results.length > 0),
  );
  const table = markdown(
    ['method', 'what it does', ...run.map(({ protocol }) => short[protocol]), 'verified'],
    METHOD_NAMES.map((name, at) => {
      const { summary, verified } = methods[name];
      return [`\`${name}\``, summary, ...run.map(({ rows }) => meansText(rows[at]!)), verified ? '✓' : ''];
    }),
  );
  if (run.length === 0) return table;
  const missing = run.some(({ rows }) => rows.some(isShort))
    ? ',\nin brackets over how many where some are not run yet, a dash where none is: orders differ by many points, so a mean over fewer ranks nothing'
    : '';
  return `${table}

Average incremental / last accuracy in percent on ${run.map(({ protocol }) => protocols[protocol]).join(' and ')}; means over ${plannedOrders(compared).length} class orders${missing}.`;
}

/** From the first to the last of these days. */
const period = (sorted: readonly string[]): string =>
  sorted[0] === sorted.at(-1) ? `${sorted[0]}` : `${sorted[0]} to ${sorted.at(-1)}`;

/** What was tried to find a method's settings, in the order it was; nothing where nothing was. */
function searchSection(searched: ByProtocol): string {
  const rows = PROTOCOLS.flatMap((protocol) =>
    searched[protocol].results.map(({ label, pair: order, average, last, stopped }) => {
      const [method, ...departures] = label.split(' ');
      const settings = departures.map((one) => `\`${one}\``).join(' ') || "the method's own";
      const until = stopped === undefined ? one(last) : `${one(last)}, stopped after task ${stopped}`;
      return [`\`${method}\``, short[protocol], order.replace('order ', ''), settings, one(average), until];
    }),
  );
  if (rows.length === 0) return '';
  return `
## The search for settings

On orders of the classes that are none of the table's, a run each: \`npm run -s evidence -- search\` runs what \`bench/sweeps/search-*.json\` list.
What is hopeless beside the others is stopped early where the file says so (\`earlyStop\`).

${markdown(['method', 'protocol', 'order', 'settings', 'average, %', 'last, %'], rows)}
`;
}

/**
 * @param notes what is to be known of the figures, written by hand.
 * @param searched the search for settings.
 * @param beside what PyTorch came to.
 */
export function methodsPage(
  compared: ByProtocol,
  notes: string,
  searched: ByProtocol,
  beside: readonly BesidePyTorch[] = [],
): string {
  const all = PROTOCOLS.flatMap((protocol) => compared[protocol].results);
  const missing = PROTOCOLS.reduce((count, protocol) => count + compared[protocol].runs.length, 0) - all.length;
  const orders = plannedOrders(compared);
  const dates = all.map(({ date }) => date).sort();
  const adapters = [...new Set(all.map(({ adapter }) => adapter))];
  return `# All methods under the same protocols

Made by \`npm run -s evidence -- methods\`, which runs what is missing of \`bench/sweeps/methods-*.json\` and writes this page and the README's
table; with \`--table\` it only writes them. Means and sample standard deviations over ${missing > 0 ? 'up to ' : ''}${orders.length} orders of the classes (NumPy's of the seeds
${orders.map((order) => order.replace('order ', '')).join(', ')}), which differ by many points.
Average: of the accuracies over all classes seen, after each task (Rebuffi et al. 2017). Last: after the last task. Forgetting: Chaudhry et al. 2018.
Processor s: seconds of all threads, the adapter's included, of the cheapest run; other work on the machine hardly disturbs them.
${adapters.length > 0 ? `Run on ${adapters.join(', ')}, ${period(dates)}.` : ''}${missing > 0 ? ` **${missing} runs are missing yet.**` : ''}

${PROTOCOLS.map((protocol) => `## ${titles[protocol]}\n\n${protocolTable(protocol, compared)}`).join('\n\n')}

${pytorchSection(beside)}
## Sources, and what was verified

${settingsTable()}
${searchSection(searched)}
${notes.trim()}
`;
}

/** A text with the tables between their marks replaced. @param beside what PyTorch came to. */
export const withMethodTables = (text: string, compared: ByProtocol, beside: readonly BesidePyTorch[] = []): string =>
  betweenMarks(betweenMarks(text, MARKS, readmeTable(compared)), PYTORCH_MARKS, readmePyTorchTable(beside));

/** @param kind the comparison, the search for settings, or further seeds of what PyTorch ran. */
export async function byProtocol(kind: 'methods' | 'search' | 'seeds'): Promise<ByProtocol> {
  const [fashion, glyphs] = await Promise.all(PROTOCOLS.map((protocol) => recordedSweep(`${kind}-${protocol}`)));
  return { fashion: fashion as RecordedSweep, glyphs: glyphs as RecordedSweep };
}

/** Makes the tables of what is recorded: the page, and the README's. */
export async function writeMethodTables(): Promise<void> {
  const compared = await byProtocol('methods');
  const notes = await readFile(NOTES, 'utf8');
  const beside = besideOurs(compared, await byProtocol('seeds'), await pytorchRuns());
  await writeFile(PAGE, methodsPage(compared, notes, await byProtocol('search'), beside));
  await writeFile(README, withMethodTables(await readFile(README, 'utf8'), compared, beside));
}
