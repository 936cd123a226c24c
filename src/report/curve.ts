/** A run's curves. */
import * as Plot from '@observablehq/plot';
import { classesSeen, type RunRecord, summaryOf } from '../continual/benchmark/run-record.ts';
import type { Html } from './html.ts';
import { draw } from './svg-plot.ts';

/** How many colours the page defines as `--line-0`, `--line-1` …; further lines are dashed. */
export const lineColours = 8;

const dashes = ['', '6 3', '2 3', '8 3 2 3'];
const symbols: readonly Plot.SymbolType[] = ['circle', 'square', 'triangle', 'diamond'];

export interface LineStyle {
  label: string;
  colour: string;
  dash: string;
  /** Of its points. */
  symbol: Plot.SymbolType;
}

/** What runs of one method that are to be one line have in common: all but seeds and the order of classes. */
function settingOf({ config, dataset, classesPerTask }: RunRecord): string {
  const { seed: _, classSeed: __, classOrder: ___, ...settings } = config;
  return JSON.stringify([dataset, classesPerTask, settings]);
}

/** What distinguishes these runs: the method, or the name where the method is the same, and where one was run in several ways. */
export function lineLabels(records: readonly RunRecord[]): string[] {
  const methods = new Set(records.map((record) => record.method));
  return records.map((record) => {
    const ways = new Set(records.filter(({ method }) => method === record.method).map(settingOf));
    return ways.size === 1 && (methods.size > 1 || records.length === 1) ? record.method : record.name;
  });
}

/** One style a label, in order of appearance. */
export function lineStyles(labels: readonly string[]): LineStyle[] {
  return [...new Set(labels)].map((label, index) => ({
    label,
    colour: `var(--line-${index % lineColours})`,
    dash: dashes[Math.floor(index / lineColours) % dashes.length]!,
    symbol: symbols[index % symbols.length]!,
  }));
}

const styleOf = (styles: readonly LineStyle[], label: string): LineStyle =>
  styles.find((style) => style.label === label)!;

interface AccuracyPoint {
  run: string;
  task: number;
  /** Seen so far. */
  classes: number;
  /** Where it is drawn: at the classes, or the tasks. */
  at: number;
  accuracy: number;
}

/** Accuracy on all classes seen, over the number of classes seen: a line a run. Percent. */
export function accuracyFigure(records: readonly RunRecord[]): Html {
  return percentFigure(records, 'Accuracy over classes seen', {
    label: 'accuracy on all of them, %',
    curveOf: (record) => summaryOf(record).curve,
    title: ({ run, accuracy, classes, task }) =>
      `${run}: ${accuracy.toFixed(1)} % of ${classes} classes, after task ${task + 1}`,
  });
}

/** The forgetting curve: accuracy on the first task's classes while others are learnt, a line a run. Percent. */
export function firstTaskFigure(records: readonly RunRecord[]): Html {
  return percentFigure(records, 'Accuracy on the first task over classes seen', {
    label: 'accuracy on the first task, %',
    curveOf: ({ matrix }) => matrix.map((row) => row[0]!),
    title: ({ run, accuracy, task }) => `${run}: ${accuracy.toFixed(1)} % of the first task, after task ${task + 1}`,
  });
}

interface PercentCurves {
  label: string;
  curveOf: (record: RunRecord) => readonly number[];
  title: (point: AccuracyPoint) => string;
}

function percentFigure(
  records: readonly RunRecord[],
  description: string,
  { label, curveOf, title }: PercentCurves,
): Html {
  const labels = lineLabels(records);
  const styles = lineStyles(labels);
  const seen = records.map(classesSeen);
  // Domains bring no classes: tasks are what goes on there.
  const isGrowing = seen.every((counts) => counts.every((classes, task) => classes > (counts[task - 1] ?? 0)));
  const places = seen.map((counts) => counts.map((classes, task) => (isGrowing ? classes : task + 1)));
  const curves = records.map((record, run) =>
    curveOf(record).map((accuracy, task): AccuracyPoint => {
      const [classes, at] = [seen[run]![task]!, places[run]![task]!];
      return { run: record.name, task, classes, at, accuracy };
    }),
  );
  const marks = curves.flatMap((points, index) => {
    const { colour, dash, symbol } = styleOf(styles, labels[index]!);
    const at = { x: 'at', y: 'accuracy', stroke: colour } as const;
    return [
      Plot.line(points, { ...at, strokeWidth: 2, strokeDasharray: dash }),
      Plot.dot(points, { ...at, fill: 'var(--page)', strokeWidth: 1.75, r: 3.5, symbol, title }),
    ];
  });
  const ticks = [...new Set(places.flat())].sort((a, b) => a - b);
  const named = labels.length <= MOST_NAMED && styles.length === labels.length;
  return draw(
    {
      ...(named ? { marginRight: 24 + 8 * Math.max(...labels.map(({ length }) => length)) } : {}),
      x: {
        label: isGrowing ? 'classes seen' : 'tasks learnt',
        ticks: ticks.length <= 20 ? ticks : 10,
        tickFormat: 'd',
        inset: 12,
      },
      y: { label, domain: [0, 100], grid: true },
      marks: [Plot.ruleY([0]), ...marks, ...(named ? endNames(curves, labels, styles) : [])],
    },
    description,
  );
}

/** More lines than these are labelled by the legend alone. */
const MOST_NAMED = 5;
/** Points of percent between two names. */
const NAME_HEIGHT = 6;

/** Each line's name at its end, moved up where two would lie on each other. */
function endNames(
  curves: readonly (readonly AccuracyPoint[])[],
  labels: readonly string[],
  styles: readonly LineStyle[],
): Plot.Markish[] {
  const ends = curves.map((points, index) => ({ ...points.at(-1)!, label: labels[index]! }));
  let lowest = Number.NEGATIVE_INFINITY;
  return ends
    .sort((a, b) => a.accuracy - b.accuracy)
    .map((end) => {
      lowest = Math.max(end.accuracy, lowest + NAME_HEIGHT);
      return Plot.text([{ ...end, accuracy: lowest }], {
        x: 'at',
        y: 'accuracy',
        text: 'label',
        textAnchor: 'start',
        dx: 12,
        fontSize: 13,
        fontWeight: 600,
        fill: styleOf(styles, end.label).colour,
      });
    });
}

/** The training loss of one run, epoch by epoch through all tasks; a rule marks where each task begins. */
export function lossFigure(record: RunRecord): Html {
  const points = record.losses.map((entry, epoch) => ({ ...entry, at: epoch + 1, loss: entry.loss ?? Number.NaN }));
  const starts = points.filter((point, index) => point.task !== points[index - 1]?.task);
  // Task names want room: with many tasks only some are written.
  const step = Math.ceil(starts.length / 10);
  const named = starts.filter((_, index) => index % step === 0);
  return draw(
    {
      height: 240,
      x: { label: 'epoch, through all tasks', tickFormat: 'd', ticks: Math.min(10, points.length) },
      y: { label: 'loss', zero: true, grid: true, nice: true },
      marks: [
        Plot.ruleY([0]),
        Plot.ruleX(starts, { x: 'at', stroke: 'currentColor', strokeOpacity: 0.25, strokeDasharray: '3 3' }),
        Plot.text(named, {
          x: 'at',
          text: (point) => `task ${point.task + 1}`,
          frameAnchor: 'top',
          textAnchor: 'start',
          dx: 4,
          fillOpacity: 0.7,
        }),
        Plot.line(points, { x: 'at', y: 'loss', z: null, stroke: 'var(--line-0)', strokeWidth: 1.75 }),
        Plot.dot(points, {
          x: 'at',
          y: 'loss',
          r: 2,
          fill: 'var(--line-0)',
          title: (point) => `task ${point.task + 1}, epoch ${point.epoch + 1}: ${point.loss.toPrecision(4)}`,
        }),
      ],
    },
    `Training loss of ${record.name}`,
  );
}
