/** The comparison of the methods as Markdown: `bench/results/methods.md`, and the README's table. Both are made, never typed. */
import { readFile, writeFile } from 'node:fs/promises';
import type { AnyMethod } from '../../src/continual/method.ts';
import { METHOD_NAMES, methods } from '../../src/continual/methods/index.ts';
import { mean, standardDeviation } from '../../src/report/statistics.ts';
import { methodRuns, ORDERS, PROTOCOLS, type Protocol, protocols, pytorch, titles } from './method-protocols.ts';
import { type MethodResult, readMethodResults, recorded, resultOf } from './method-results.ts';

/** Results of the search for settings. */
export const SEARCHED = 'bench/results/methods-search.jsonl';
const NOTES = 'bench/results/methods-notes.md';
const PAGE = 'bench/results/methods.md';
const README = 'README.md';
const [BEGIN, END] = ['<!-- methods: made by `npm run -s methods` -->', '<!-- methods: end -->'];

/** Results of a method under a protocol, in the order of the class orders. */
interface Row {
  readonly method: AnyMethod;
  readonly results: readonly MethodResult[];
}

const one = (value: number): string => value.toFixed(1);
const DASH = '–';

/** `75.5 ± 2.1`; without the spread for a single run, and a dash for none. */
function spread(values: readonly number[]): string {
  if (values.length === 0) return DASH;
  return values.length === 1 ? one(values[0]!) : `${one(mean(values))} ± ${one(standardDeviation(values))}`;
}

const pair = (results: readonly MethodResult[]): string =>
  results.length === 0
    ? DASH
    : `${one(mean(results.map(({ average }) => average)))} / ${one(mean(results.map(({ last }) => last)))}`;

function rowsOf(protocol: Protocol, results: readonly MethodResult[]): Row[] {
  const runs = methodRuns('');
  return METHOD_NAMES.map((name) => ({
    method: methods[name],
    results: runs
      .filter((run) => run.protocol === protocol && run.method === name)
      .flatMap((run) => resultOf(results, run) ?? []),
  }));
}

/** What PyTorch gave, beside ours in the same two orders. */
function besidePytorch(protocol: Protocol, { method, results }: Row): string {
  const theirs = pytorch[`${protocol}/${method.name}`];
  if (!theirs) return DASH;
  const same = results.filter(({ run }) => run.endsWith('/0') || run.endsWith('/1'));
  const [average, last] = theirs;
  return `${average === null ? DASH : one(average)} / ${one(last)} (here ${same.length === 2 ? pair(same) : DASH})`;
}

const markdown = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

function protocolTable(protocol: Protocol, results: readonly MethodResult[]): string {
  const rows = rowsOf(protocol, results);
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

const settingsTable = (): string =>
  markdown(
    ['method', 'source', 'verified'],
    METHOD_NAMES.map((name) => {
      const { source = DASH, verified = 'not yet' } = methods[name];
      return [`\`${name}\``, source, verified];
    }),
  );

/** How a protocol is called in a heading. */
const short: Readonly<Record<Protocol, string>> = { fashion: 'Fashion-MNIST', glyphs: 'glyphs' };

/** The README's: a row a method, a column for each protocol that has results, and what they are. */
function readmeTable(results: readonly MethodResult[]): string {
  const run = PROTOCOLS.map((protocol) => ({ protocol, rows: rowsOf(protocol, results) })).filter(({ rows }) =>
    rows.some((row) => row.results.length > 0),
  );
  const table = markdown(
    ['method', 'what it does', ...run.map(({ protocol }) => short[protocol]), 'verified'],
    METHOD_NAMES.map((name, at) => {
      const { summary, verified } = methods[name];
      return [`\`${name}\``, summary, ...run.map(({ rows }) => pair(rows[at]!.results)), verified ? '✓' : ''];
    }),
  );
  if (run.length === 0) return table;
  return `${table}

Average incremental / last accuracy in percent on ${run.map(({ protocol }) => protocols[protocol]).join(' and ')}; means over the class orders run so far,
a dash where none was.`;
}

/** From the first to the last of these days. */
const period = (sorted: readonly string[]): string =>
  sorted[0] === sorted.at(-1) ? `${sorted[0]}` : `${sorted[0]} to ${sorted.at(-1)}`;

/** In what a run departs from the protocol, as `--set` takes it. */
function departuresOf({ run, config }: MethodResult): string {
  const [protocol, method, order] = run.split('/');
  const plain = methodRuns('', { orders: [Number(order)] }).find(
    (one) => one.protocol === protocol && one.method === method,
  );
  const usual = recorded(plain?.config ?? {});
  return Object.entries(config)
    .filter(([key, value]) => JSON.stringify(usual[key]) !== JSON.stringify(value))
    .map(([key, value]) => `\`${key}=${value}\``)
    .join(' ');
}

/** What was tried to find a method's settings, in the order it was; nothing where nothing was. */
function searchSection(searched: readonly MethodResult[]): string {
  if (searched.length === 0) return '';
  const rows = searched.map((result) => {
    const [protocol, method, order] = result.run.split('/') as [Protocol, string, string];
    const { average, last } = result;
    return [
      `\`${method}\``,
      short[protocol],
      order,
      departuresOf(result) || 'as in the table',
      one(average),
      one(last),
    ];
  });
  return `
## The search for settings

On orders of the classes that are none of the table's, a run each: \`npm run -s methods -- fashion/wa --search 7 --set align=false\`.

${markdown(['method', 'protocol', 'order', 'settings', 'average, %', 'last, %'], rows)}
`;
}

/**
 * @param notes what is to be known of the figures, written by hand.
 * @param searched results of the search for settings.
 */
export function methodsPage(
  results: readonly MethodResult[],
  notes: string,
  searched: readonly MethodResult[] = [],
): string {
  const missing = METHOD_NAMES.length * PROTOCOLS.length * ORDERS.length - counted(results);
  const dates = results.map(({ date }) => date).sort();
  const adapters = [...new Set(results.map(({ adapter }) => adapter))];
  return `# All methods under the same protocols

Made by \`npm run -s methods\`, which runs what is missing in \`methods.jsonl\` and writes this page and the README's table; \`-- --table\` only writes
them. Means and sample standard deviations over ${ORDERS.length} orders of the classes (NumPy's of the seeds ${ORDERS.join(', ')}), which differ by many points.
Average: of the accuracies over all classes seen, after each task (Rebuffi et al. 2017). Last: after the last task. Forgetting: Chaudhry et al. 2018.
Processor s: seconds of all threads, the adapter's included, of the cheapest run; other work on the machine hardly disturbs them.
${adapters.length > 0 ? `Run on ${adapters.join(', ')}, ${period(dates)}.` : ''}${missing > 0 ? ` **${missing} runs are missing yet.**` : ''}

${PROTOCOLS.map((protocol) => `## ${titles[protocol]}\n\n${protocolTable(protocol, results)}`).join('\n\n')}

## Sources, and what was verified

${settingsTable()}
${searchSection(searched)}
${notes.trim()}
`;
}

const counted = (results: readonly MethodResult[]): number =>
  methodRuns('').filter((run) => resultOf(results, run)).length;

/** A text with the table between its marks replaced. */
export function withMethodTable(text: string, results: readonly MethodResult[]): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) return text;
  return `${text.slice(0, begin + BEGIN.length)}\n\n${readmeTable(results)}\n\n${text.slice(end)}`;
}

/**
 * Makes the tables of what is there.
 * @param write into the page and the README.
 * @returns the page.
 */
export async function writeMethodTables(file: string, { write }: { readonly write: boolean }): Promise<string> {
  const results = await readMethodResults(file);
  const page = methodsPage(results, await readFile(NOTES, 'utf8'), await readMethodResults(SEARCHED));
  if (write) {
    await writeFile(PAGE, page);
    await writeFile(README, withMethodTable(await readFile(README, 'utf8'), results));
  }
  return page;
}
