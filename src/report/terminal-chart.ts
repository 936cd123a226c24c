/** Curves of percentages for a terminal, with the name of each line at its end: readable without colours too. */
import { BrailleCanvas } from './braille-canvas.ts';

export interface ChartLine {
  readonly label: string;
  /** One a tick, 0 to 100. */
  readonly values: readonly number[];
  /** One character, at every value. */
  readonly marker: string;
  readonly paint: (text: string) => string;
}

export interface ChartOptions {
  readonly title: string;
  /** What stands under the axis, one a value. */
  readonly ticks: readonly string[];
  readonly lines: readonly ChartLine[];
  /** Characters a row, axis and names included. */
  readonly width: number;
  /** Rows between 0 and 100. */
  readonly height: number;
}

/** Columns of the numbers beside the vertical axis, and of the axis. */
const GUTTER = 5;

/** The chart's rows, each `width` wide, colours aside: title, curves, axis, ticks. */
export function terminalChart({ title, ticks, lines, width, height }: ChartOptions): string[] {
  const names = Math.max(...lines.map(({ label }) => label.length)) + 3;
  const columns = width - GUTTER - names;
  const canvas = new BrailleCanvas(columns, height);
  const across = (index: number) => Math.round((index / Math.max(1, ticks.length - 1)) * (2 * columns - 1));
  const down = (value: number) => Math.round((1 - Math.min(100, Math.max(0, value)) / 100) * (4 * height - 1));
  const markers = new Map<number, string>();
  lines.forEach(({ values, marker, paint }, pen) => {
    const points = values.map((value, index) => [across(index), down(value)] as const);
    points.forEach((point, index) => {
      canvas.line(points[index - 1] ?? point, point, pen);
      markers.set((point[1] >> 2) * columns + (point[0] >> 1), paint(marker));
    });
  });
  const ends = endLabels(lines, (line) => down(line.values.at(-1) ?? 0) >> 2, height);
  const rows = Array.from({ length: height }, (_, row) => {
    const cells = Array.from({ length: columns }, (_, column) => {
      const { character, pen } = canvas.cell(column, row);
      return markers.get(row * columns + column) ?? lines[pen]?.paint(character) ?? character;
    });
    const line = ends[row];
    const name = line ? line.paint(` ${line.marker} ${line.label}`.padEnd(names)) : ' '.repeat(names);
    return `${axisNumber(row, height)}${cells.join('')}${name}`;
  });
  const below = `${' '.repeat(GUTTER - 1)}└${'─'.repeat(columns)}`.padEnd(width);
  return [title.padEnd(width), ...rows, below, tickRow(ticks, (index) => GUTTER + (across(index) >> 1), width)];
}

/** Charts of one height next to each other. */
export const besides = (charts: readonly (readonly string[])[], gap: string): string[] =>
  (charts[0] ?? []).map((_, row) => charts.map((rows) => rows[row]).join(gap));

/** 100, 50 and 0 where they belong. */
function axisNumber(row: number, height: number): string {
  const number = { 0: '100', [Math.round((height - 1) / 2)]: '50', [height - 1]: '0' }[row];
  return number === undefined ? '    │' : `${number.padStart(3)} ┤`;
}

/** The line that is named in each row: at its end, or in the nearest row that is free, in the order of their heights. */
function endLabels(lines: readonly ChartLine[], rowOf: (line: ChartLine) => number, height: number): ChartLine[] {
  const sorted = [...lines].sort((a, b) => (b.values.at(-1) ?? 0) - (a.values.at(-1) ?? 0));
  const rows: ChartLine[] = [];
  let free = 0;
  sorted.forEach((line, index) => {
    const last = height - (sorted.length - index);
    const row = Math.min(Math.max(rowOf(line), free), last);
    rows[row] = line;
    free = row + 1;
  });
  return rows;
}

/** Ticks under their points; one that would touch the one before is left out. */
function tickRow(ticks: readonly string[], columnOf: (index: number) => number, width: number): string {
  let text = '';
  ticks.forEach((tick, index) => {
    const start = Math.min(columnOf(index) - (tick.length >> 1), width - tick.length);
    if (text === '' || start > text.length) text = text.padEnd(start) + tick;
  });
  return text.padEnd(width);
}
