/** Several runs side by side for a terminal. */
import picocolors from 'picocolors';
import { type RunRecord, summaryOf } from '../continual/benchmark/run-record.ts';
import { printable } from '../gpu/printable.ts';
import { differingSettings, unlikeProtocols } from './differing-settings.ts';
import { oldNewNames } from './old-new-names.ts';
import { unfinished } from './run-facts.ts';
import { groupFigures, groupRuns, meanCurve, runsText } from './run-groups.ts';
import { meanText } from './statistics-text.ts';
import { chart, facts, type TerminalOptions, tableOrLines } from './terminal-run.ts';
import { wrap } from './wrap.ts';

/** Lines that can be told apart by their marks. */
const MARKERS = ['o', 'x', '+', '*', '#', '@'];
/** Characters of a name in a table or a chart. */
const MOST_NAME = 22;

const short = (text: string): string => {
  const name = printable(text);
  return name.length <= MOST_NAME ? name : `${name.slice(0, MOST_NAME - 1)}…`;
};

const one = (value: number | null | undefined): string =>
  typeof value === 'number' && Number.isFinite(value) ? value.toFixed(1).replace('-', '−') : '';

/** `5 s`, `12 min`, `3.1 h`: as narrow as a column is. */
const roughly = (seconds: number): string =>
  seconds < 60
    ? `${seconds.toFixed(0)} s`
    : seconds < 3600
      ? `${Math.round(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`;

const runRow = (record: RunRecord): string[] => {
  const summary = record.matrix.length > 0 ? summaryOf(record) : null;
  const split = summary?.counted?.split.at(-1);
  return [
    short(record.name),
    short(record.method),
    `${record.matrix.length}/${Math.max(record.classesPerTask.length, record.matrix.length) || '?'}`,
    one(summary?.average),
    one(summary?.last),
    record.matrix.length > 1 ? one(summary?.forgetting) : '',
    one(split?.old),
    one(split?.new),
    roughly(record.seconds),
  ];
};

function groupTable(records: readonly RunRecord[], options: TerminalOptions): string[] {
  const groups = groupRuns(records).filter((group) => group.records.length > 1);
  if (groups.length === 0) return [];
  const rows = groups.map(({ label, records: own }) => {
    const figures = groupFigures(own);
    const { average, last, forgetting } = figures;
    return [short(label), runsText(figures, own), ...[average, last, forgetting].map((mean) => meanText(mean))];
  });
  const head = ['seeds and orders', 'runs', 'average', 'last', 'forgetting'];
  const title = wrap('Means and standard deviations over seeds and class orders', options.columns);
  return [
    `${title.map(picocolors.createColors(options.colour).bold).join('\n')}\n${tableOrLines(head, rows, options)}`,
  ];
}

/** Runs side by side: figures, curves, and what their settings differ by. None is called the best. */
export function terminalComparison(records: readonly RunRecord[], options: TerminalOptions): string {
  const { columns, colour } = options;
  const colours = picocolors.createColors(colour);
  const paints = [colours.cyan, colours.yellow, colours.green, colours.magenta, colours.blue, colours.red];
  const title = (text: string) => wrap(text, columns).map(colours.bold).join('\n');
  const names = oldNewNames(records);
  const head = ['run', 'method', 'tasks', 'average', 'last', 'forgetting', names.old.split(' ')[0]!, names.new, 'time'];
  const parts = [
    `${title('Accuracies in percent, forgetting in points')}\n${tableOrLines(head, records.map(runRow), options)}`,
    ...groupTable(records, options),
  ];
  const left = records.flatMap((record) => {
    const how = unfinished(record);
    return how === null ? [] : wrap(printable(`${record.name} is ${how}.`), columns);
  });
  if (left.length > 0) parts.push(left.join('\n'));
  const unlike = unlikeProtocols(records);
  if (unlike.length > 0) {
    const told = `These runs are of unlike protocols (${unlike.join(', ')}): their figures say nothing of which is better.`;
    parts.push(wrap(told, columns).map(colours.yellow).join('\n'));
  }
  const groups = groupRuns(records.filter(({ matrix }) => matrix.length > 1)).slice(0, MARKERS.length);
  if (groups.length > 0) {
    const lines = groups.map(({ label, records: own }, at) => ({
      label: short(label),
      values: meanCurve(own, (record) => summaryOf(record).curve).map(({ mean }) => mean),
      marker: MARKERS[at]!,
      paint: paints[at]!,
    }));
    const tasks = Math.max(...lines.map(({ values }) => values.length));
    const ticks = Array.from({ length: tasks }, (_, task) => `${task + 1}`);
    parts.push(chart(colours.bold('% right on all classes seen, after each task'), ticks, lines, columns));
  }
  const differing = differingSettings(records);
  if (differing.length > 0) {
    const pairs = differing.map(
      ({ name, values }) => [name, values.map((value) => value || '–').join('  |  ')] as const,
    );
    parts.push(
      [
        title(`Settings that differ: ${records.map(({ name }) => printable(name)).join('  |  ')}`),
        ...facts(pairs, options),
      ].join('\n'),
    );
  }
  return parts.join('\n\n');
}
