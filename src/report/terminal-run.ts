/** One run for a terminal: what its page says, in lines of a given width. */
import { stripVTControlCharacters } from 'node:util';
import picocolors from 'picocolors';
import { classesSeen, type LossRecord, type RunRecord, summaryOf } from '../continual/benchmark/run-record.ts';
import { printable } from '../gpu/printable.ts';
import { epochsText } from './epochs-text.ts';
import { figureRows } from './figures.ts';
import { oldNewNames } from './old-new-names.ts';
import { runCommand } from './run-command.ts';
import { byteText, duration, runFacts, settingsOf } from './run-facts.ts';
import { matrixTable, tableOf } from './table.ts';
import { type ChartLine, terminalChart } from './terminal-chart.ts';
import { wrap } from './wrap.ts';

export interface TerminalOptions {
  /** Characters a line. */
  readonly columns: number;
  /** Leaves tables tables that are wider than that: for a pager that scrolls, or a file. */
  readonly wholeTables?: boolean;
  readonly colour: boolean;
}

type Colours = ReturnType<typeof picocolors.createColors>;

const one = (value: number | null | undefined): string =>
  typeof value === 'number' ? value.toFixed(1).replace('-', '−') : '';

export const widthOf = (text: string): number =>
  Math.max(
    ...stripVTControlCharacters(text)
      .split('\n')
      .map(({ length }) => length),
  );

/** Names in front, and what is said of them in lines beside. */
export function facts(pairs: readonly (readonly [string, string])[], { columns, colour }: TerminalOptions): string[] {
  const colours = picocolors.createColors(colour);
  const indent = Math.min(26, Math.max(...pairs.map(([name]) => name.length)) + 2);
  return pairs.flatMap(([name, value]) =>
    wrap(printable(value), columns - indent)
      .flatMap((line) => line.match(new RegExp(`.{1,${columns - indent}}`, 'gu')) ?? [''])
      .map((line, at) => `${colours.dim((at === 0 ? name : '').padEnd(indent))}${line}`),
  );
}

/** A table where it is narrow enough, and otherwise its rows as lines of names and values. */
export function tableOrLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: TerminalOptions,
): string {
  const colours = picocolors.createColors(options.colour);
  // What no row has is no column.
  const kept = head.map((_, column) => column === 0 || rows.some((row) => row[column] !== ''));
  const pick = (cells: readonly string[]) => cells.filter((_, column) => kept[column]);
  const names = pick(head);
  const table = tableOf(names.map(colours.bold), 'left');
  table.push(...rows.map((row) => pick(row)));
  const text = table.toString();
  if (options.wholeTables || widthOf(text) <= options.columns) return text;
  return rows
    .flatMap((row) => {
      const [first = '', ...cells] = pick(row);
      const told = cells.flatMap((cell, at) => (cell === '' ? [] : [`${names[at + 1]!.replace('\n', ' ')} ${cell}`]));
      return wrap(`${names[0]} ${first}: ${told.join(', ')}`, options.columns);
    })
    .join('\n');
}

/** What is drawn: all that one curve is not without. */
function curves(record: RunRecord, colours: Colours): ChartLine[] {
  const { curve, counted } = summaryOf(record);
  const old = counted?.split.map((part) => part.old ?? part.new);
  return [
    { label: 'all seen', values: curve, marker: 'o', paint: colours.cyan },
    { label: 'first task', values: record.matrix.map((row) => row[0]!), marker: 'x', paint: colours.yellow },
    ...(old
      ? [{ label: 'new', values: counted!.split.map((part) => part.new), marker: '+', paint: colours.green }]
      : []),
  ];
}

export function chart(title: string, ticks: readonly string[], lines: readonly ChartLine[], columns: number): string {
  const rows = terminalChart({
    title,
    ticks,
    lines,
    width: Math.min(columns, 100),
    height: Math.max(10, lines.length),
  });
  return rows.map((row) => row.trimEnd()).join('\n');
}

function stages(record: RunRecord, options: TerminalOptions): string {
  const { curve, counted } = summaryOf(record);
  const seen = classesSeen(record);
  const rows = curve.map((all, task) => {
    const split = counted?.split[task];
    return [
      `${task + 1}`,
      `${seen[task]}`,
      one(all),
      one(split?.old),
      task > 0 ? one(split?.new) : '',
      one(split?.harmonicMean),
      one(counted?.taskIncremental.curve[task]),
      one(counted?.calibrationErrors[task]),
    ];
  });
  const parts = oldNewNames([record]);
  const head = [
    'task',
    'classes',
    'all %',
    `${parts.old.split(' ')[0]} %`,
    `${parts.new} %`,
    'harmonic',
    'task told',
    'calibration',
  ];
  return tableOrLines(head, rows, options);
}

const rateText = (epochs: readonly LossRecord[]): string => {
  const rates = epochs.flatMap(({ lr }) => (lr === undefined ? [] : [lr]));
  if (rates.length === 0) return '';
  const [first, last] = [rates[0]!, rates.at(-1)!].map((rate) => `${Number(rate.toPrecision(2))}`);
  return first === last ? first! : `${first}→${last}`;
};

/** Epochs, losses and costs of each task, that under way too. */
function costs(record: RunRecord, options: TerminalOptions): string {
  const tasks = [...new Set(record.losses.map(({ task }) => task))];
  const names = [...new Set(record.losses.flatMap(({ terms = {} }) => Object.keys(terms)))];
  const rows = tasks.map((task) => {
    const epochs = record.losses.filter((epoch) => epoch.task === task);
    const last = epochs.at(-1);
    const own = record.tasks?.[task];
    return [
      `${task + 1}${task >= record.matrix.length ? ' (begun)' : ''}`,
      epochsText(epochs),
      last?.loss?.toFixed(3) ?? '',
      ...names.map((name) => last?.terms?.[name]?.toFixed(3) ?? ''),
      rateText(epochs),
      own ? `${own.exemplars}` : '',
      own?.peakBytes === undefined ? '' : byteText(own.peakBytes),
      own ? duration(own.seconds) : '',
    ];
  });
  const head = ['task', 'epochs', 'loss', ...names, 'rate', 'kept', 'device', 'time'];
  return tableOrLines(head, rows, options);
}

/** A run as far as it is. */
export function terminalRun(record: RunRecord, options: TerminalOptions): string {
  const { columns, colour } = options;
  const colours = picocolors.createColors(colour);
  const title = (text: string) => wrap(text, columns).map(colours.bold).join('\n');
  const settings = settingsOf(record.config).map(([name, value]) => `${name} ${value}`);
  const head = [
    title(printable(`${record.name}: ${record.method} on ${record.dataset}`)),
    ...facts(
      [...runFacts(record).slice(3), ['settings', settings.join(', ')], ['command', runCommand(record)]],
      options,
    ),
  ].join('\n');
  const ticks = record.matrix.map((_, task) => `${task + 1}`);
  const parts = [head];
  if (record.matrix.length > 0) {
    parts.push(`${title('Accuracy in percent on each task, after each task')}\n${matrixTable(record, options)}`);
    if (record.matrix.length > 1)
      parts.push(`${chart(colours.bold('% right after each task'), ticks, curves(record, colours), columns)}`);
    parts.push(`${title('After each task, among all classes seen')}\n${stages(record, options)}`);
    const rows = figureRows(summaryOf(record)).map(([name, value, how]) => [name, `${value}  (${how})`] as const);
    parts.push([title('Figures, accuracies in percent, differences in points'), ...facts(rows, options)].join('\n'));
  }
  if (record.losses.length > 0)
    parts.push(
      `${title('Of each task: the last epoch’s loss and its terms, the learning rate, exemplars kept, costs')}\n${costs(record, options)}`,
    );
  return parts.join('\n\n');
}
