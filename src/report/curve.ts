/** Curves as SVG text, drawn by Observable Plot on linkedom's document: no browser is needed. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { accuracyCurve } from '../continual/metrics.ts';
import { Html } from './html.ts';
import type { RunRecord } from './run-record.ts';

/** How many colours the page defines as `--line-0`, `--line-1` …; further lines are dashed. */
export const lineColours = 8;

const dashes = ['', '6 3', '2 3', '8 3 2 3'];

export interface LineStyle {
  label: string;
  colour: string;
  dash: string;
}

/** What tells these runs apart: the method, or the name where the method is the same. */
export function lineLabels(records: readonly RunRecord[]): string[] {
  const methods = new Set(records.map((record) => record.method));
  return records.map((record) => (methods.size > 1 || records.length === 1 ? record.method : record.name));
}

/** One style a label, in order of appearance. */
export function lineStyles(labels: readonly string[]): LineStyle[] {
  return [...new Set(labels)].map((label, index) => ({
    label,
    colour: `var(--line-${index % lineColours})`,
    dash: dashes[Math.floor(index / lineColours) % dashes.length]!,
  }));
}

const styleOf = (styles: readonly LineStyle[], label: string): LineStyle =>
  styles.find((style) => style.label === label)!;

function draw(options: Plot.PlotOptions, description: string): Html {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({ width: 760, height: 340, marginLeft: 44, ariaLabel: description, ...options, document });
  return new Html(svg.outerHTML);
}

interface AccuracyPoint {
  run: string;
  task: number;
  classes: number;
  accuracy: number;
}

/** Accuracy on all classes seen, over the number of classes seen: a line a run. Percent. */
export function accuracyFigure(records: readonly RunRecord[]): Html {
  const labels = lineLabels(records);
  const styles = lineStyles(labels);
  const marks = records.flatMap((record, index) => {
    const { colour, dash } = styleOf(styles, labels[index]!);
    let classes = 0;
    const points = accuracyCurve(record.matrix, record.classesPerTask).map((accuracy, task): AccuracyPoint => {
      classes += record.classesPerTask[task]!;
      return { run: record.name, task, classes, accuracy };
    });
    const at = { x: 'classes', y: 'accuracy', stroke: colour } as const;
    const title = (point: AccuracyPoint) =>
      `${point.run}: ${point.accuracy.toFixed(1)} % of ${point.classes} classes, after task ${point.task + 1}`;
    return [
      Plot.line(points, { ...at, strokeWidth: 2, strokeDasharray: dash }),
      Plot.dot(points, { ...at, fill: 'var(--page)', strokeWidth: 1.75, r: 3.5, title }),
    ];
  });
  const ticks = [...new Set(records.flatMap(seenCounts))].sort((a, b) => a - b);
  return draw(
    {
      x: { label: 'classes seen', ticks: ticks.length <= 20 ? ticks : 10, tickFormat: 'd', inset: 12 },
      y: { label: 'accuracy on all of them, %', domain: [0, 100], grid: true },
      marks: [Plot.ruleY([0]), ...marks],
    },
    'Accuracy over classes seen',
  );
}

/** Classes seen after each task learnt. */
function seenCounts(record: RunRecord): number[] {
  let classes = 0;
  return record.matrix.map((_, task) => {
    classes += record.classesPerTask[task] ?? 0;
    return classes;
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
