/** Curves of one run over its epochs, through all tasks; a rule marks where each task begins. */
import * as Plot from '@observablehq/plot';
import type { LossRecord, RunRecord } from '../continual/benchmark/run-record.ts';
import { clipped, printable } from '../gpu/printable.ts';
import { type Html, html } from './html.ts';
import { legend } from './legend.ts';
import { lineStyles } from './line-style.ts';
import { drawBoth, type PageWidth } from './svg-plot.ts';

interface EpochPoint {
  readonly at: number;
  readonly task: number;
  readonly epoch: number;
  readonly phase: number;
  readonly phaseName: string | undefined;
  readonly value: number;
}

/** One line: NaN leaves a gap. */
const pointsOf = (epochs: readonly LossRecord[], numberOf: (epoch: LossRecord) => number | null | undefined) =>
  epochs.map((epoch, index): EpochPoint => {
    const { task, phase = 0, phaseName } = epoch;
    return { at: index + 1, task, phase, phaseName, epoch: epoch.epoch, value: numberOf(epoch) ?? Number.NaN };
  });

/** Names of tasks where they begin, and of their later phases below; with many tasks only some are written. */
function taskMarks(epochs: readonly LossRecord[], width: PageWidth): Plot.Markish[] {
  const points = pointsOf(epochs, () => 0);
  const starts = points.filter((point, index) => point.task !== points[index - 1]?.task);
  const step = Math.ceil(starts.length / (width === 'wide' ? 10 : 4));
  // A name at the right edge would be cut.
  const most = 1 + (width === 'wide' ? 0.94 : 0.85) * (epochs.length - 1);
  const isWritten = (task: number) => starts.findIndex((start) => start.task === task) % step === 0;
  const phases = points.filter(
    (point, index) => point.phase > 0 && (point.phase !== points[index - 1]?.phase || point.epoch === 0),
  );
  return [
    Plot.ruleX(phases, { x: 'at', stroke: 'currentColor', strokeOpacity: 0.15, strokeDasharray: '1 3' }),
    Plot.text(
      phases.filter(({ at, task }) => isWritten(task) && at <= most),
      {
        x: 'at',
        text: ({ phase, phaseName = `phase ${phase + 1}` }) => printable(clipped(phaseName, 20)),
        frameAnchor: 'top',
        textAnchor: 'start',
        dx: 4,
        dy: 14,
        fillOpacity: 0.55,
      },
    ),
    Plot.ruleX(starts, { x: 'at', stroke: 'currentColor', strokeOpacity: 0.25, strokeDasharray: '3 3' }),
    Plot.text(
      starts.filter(({ at }, index) => index % step === 0 && (at <= most || index === 0)),
      {
        x: 'at',
        text: ({ task }) => `task ${task + 1}`,
        frameAnchor: 'top',
        textAnchor: 'start',
        dx: 4,
        fillOpacity: 0.7,
      },
    ),
  ];
}

/** More points than these are a line alone. */
const MOST_DOTS = 150;

interface EpochLine {
  readonly label: string;
  readonly points: readonly EpochPoint[];
}

function epochFigure(record: RunRecord, lines: readonly EpochLine[], label: string, description: string): Html {
  const styles = lineStyles(lines.map((line) => line.label));
  return drawBoth(
    (width) => ({
      height: 240,
      x: {
        label: 'epoch, through all tasks',
        tickFormat: 'd',
        ticks: Math.min(width === 'wide' ? 10 : 5, record.losses.length),
      },
      y: { label, zero: true, grid: true, nice: true, ...(width === 'narrow' ? { ticks: 5 } : {}) },
      marks: [
        Plot.ruleY([0]),
        ...taskMarks(record.losses, width),
        ...lines.flatMap(({ points, label: name }, at) => {
          const { colour, dash } = styles[at]!;
          const place = { x: 'at', y: 'value', stroke: colour } as const;
          const title = ({ task, phase, phaseName, epoch, value }: EpochPoint) => {
            const within = phaseName ?? (phase > 0 ? `phase ${phase + 1}` : undefined);
            const where = within === undefined ? '' : `${printable(clipped(within, 40))}, `;
            return `task ${task + 1}, ${where}epoch ${epoch + 1}: ${name} ${value.toPrecision(4)}`;
          };
          return [
            Plot.line(points, { ...place, z: null, strokeWidth: 1.75, strokeDasharray: dash }),
            ...(points.length <= MOST_DOTS ? [Plot.dot(points, { ...place, r: 1.5, fill: colour, title })] : []),
          ];
        }),
      ],
    }),
    description,
  );
}

/** The training loss, and what it is the sum of where that was recorded. */
export function lossFigure(record: RunRecord): Html {
  const { losses } = record;
  const names = [...new Set(losses.flatMap(({ terms = {} }) => Object.keys(terms)))];
  const lines = [
    { label: 'loss', points: pointsOf(losses, ({ loss }) => loss) },
    // One term is the loss itself.
    ...(names.length > 1
      ? names.map((name) => ({ label: name, points: pointsOf(losses, ({ terms }) => terms?.[name]) }))
      : []),
  ];
  return html`${legend(lines.map(({ label }) => label))}${epochFigure(record, lines, 'loss', `Training loss of ${record.name}`)}`;
}

/** The learning rate; `null` of runs whose records do not say. */
export function rateFigure(record: RunRecord): Html | null {
  if (!record.losses.some(({ lr }) => lr !== undefined)) return null;
  const points = pointsOf(record.losses, ({ lr }) => lr);
  return epochFigure(record, [{ label: 'rate', points }], 'learning rate', `Learning rate of ${record.name}`);
}
