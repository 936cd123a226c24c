/** Figures of analysed runs: lines a group with their spread over runs, heat tables, landscapes. */
import * as Plot from '@observablehq/plot';
import type { AnalysisRecord, AnalysisResults } from '../analysis/run/analysis-record.ts';
import { type AnalysisGroup, spreadOf, spreadText } from './analysis-groups.ts';
import { type HeatRow, heatTable } from './heat-table.ts';
import { type Html, html } from './html.ts';
import { legend } from './legend.ts';
import { lineStyles } from './line-style.ts';
import type { Mean } from './statistics.ts';
import { draw, drawBoth } from './svg-plot.ts';

interface Point extends Mean {
  readonly at: number;
}

/** A line a group: what its runs have at each place, the mean with its standard deviation. */
interface Lines {
  readonly description: string;
  readonly x: string;
  readonly y: string;
  /** Of one run: numbers by place; none where it was not measured. */
  readonly of: (record: AnalysisRecord) => readonly (readonly [at: number, value: number | null])[];
  /** Of the axis; from the numbers by default. */
  readonly domain?: readonly [number, number];
  readonly digits: number;
  /** Places by their logarithm. */
  readonly logarithmic?: true;
}

function pointsOf(records: readonly AnalysisRecord[], of: Lines['of']): Point[] {
  const values = records.map(of);
  const places = [...new Set(values.flat().map(([at]) => at))].sort((a, b) => a - b);
  return places.flatMap((at) => {
    const spread = spreadOf(values.map((one) => one.find(([place]) => place === at)?.[1]));
    return spread ? [{ ...spread, at }] : [];
  });
}

/** Nothing where no run was measured. */
function linesFigure(
  groups: readonly AnalysisGroup[],
  { description, x, y, of, domain, digits, logarithmic }: Lines,
): Html {
  const styles = lineStyles(groups.map(({ label }) => label));
  const lines = groups.flatMap(({ label, records }) => {
    const points = pointsOf(records, of);
    return points.length > 0 ? [{ label, points, style: styles.find((one) => one.label === label)! }] : [];
  });
  if (lines.length === 0) return html``;
  const title = (label: string) => (point: Point) =>
    `${label}, ${x} ${point.at}: ${spreadText(point, (value) => value.toFixed(digits))}`;
  const marks = lines.flatMap(({ label, points, style: { colour, dash, symbol } }) => [
    Plot.ruleX(
      points.filter(({ runs }) => runs > 1),
      {
        x: 'at',
        y1: (point: Point) => point.mean - point.std,
        y2: (point: Point) => point.mean + point.std,
        stroke: colour,
        strokeOpacity: 0.45,
        strokeWidth: 5,
      },
    ),
    Plot.line(points, { x: 'at', y: 'mean', stroke: colour, strokeWidth: 2, strokeDasharray: dash }),
    Plot.dot(points, {
      x: 'at',
      y: 'mean',
      stroke: colour,
      fill: 'var(--page)',
      strokeWidth: 1.75,
      r: 3.5,
      symbol,
      title: title(label),
    }),
  ]);
  const places = [...new Set(lines.flatMap(({ points }) => points.map(({ at }) => at)))].sort((a, b) => a - b);
  const svg = drawBoth((width) => {
    const most = width === 'wide' ? 20 : 8;
    return {
      height: 280,
      marginLeft: width === 'wide' ? 56 : 50,
      x: {
        label: x,
        ticks: places.length <= most ? places : most / 2,
        tickFormat: (at: number) => `${at}`,
        inset: 12,
        ...(logarithmic ? { type: 'log' as const } : {}),
      },
      y: { label: y, grid: true, nice: true, zero: true, ...(domain ? { domain: [...domain] } : {}) },
      marks: [Plot.ruleY([0]), ...marks],
    };
  }, description);
  return html`${legend(groups.map(({ label }) => label))}${svg}`;
}

/** The rise of the loss over the size of random perturbations. */
export const sharpnessFigure = (groups: readonly AnalysisGroup[]): Html =>
  linesFigure(groups, {
    description: 'Average rise of the loss over the size of perturbations',
    x: 'ρ',
    y: 'rise of the loss',
    digits: 4,
    logarithmic: true,
    of: ({ parts }) => parts.sharpness?.result.average.map(({ rho, rise }) => [rho, rise] as const) ?? [],
  });

/** Accuracy of linear probes over the tasks after which the extractor was frozen. */
export const stabilityFigure = (groups: readonly AnalysisGroup[]): Html =>
  linesFigure(groups, {
    description: 'Accuracy of linear classifiers on the extractor of each stage',
    x: 'tasks learnt by the extractor',
    y: 'accuracy on all classes, %',
    digits: 1,
    domain: [0, 100],
    of: ({ parts }) => {
      const found = parts.stability?.result;
      return found?.stages.map((stage, i) => [stage, found.accuracy[i]!] as const) ?? [];
    },
  });

/** Lengths of the classifier's weights by task. */
export const normFigure = (groups: readonly AnalysisGroup[]): Html =>
  linesFigure(groups, {
    description: 'Mean length of the classifier’s weights by task',
    x: 'task that brought the classes',
    y: 'mean length of weights',
    digits: 3,
    of: ({ parts }) => parts.classifier?.result.blocks?.map(({ norm }, task) => [task + 1, norm] as const) ?? [],
  });

/** Biases of the classifier by task. */
export const biasFigure = (groups: readonly AnalysisGroup[]): Html =>
  linesFigure(groups, {
    description: 'Mean bias of the classifier by task',
    x: 'task that brought the classes',
    y: 'mean bias',
    digits: 3,
    of: ({ parts }) => parts.classifier?.result.blocks?.map(({ bias }, task) => [task + 1, bias] as const) ?? [],
  });

/** Calibration error by task. */
export const calibrationFigure = (groups: readonly AnalysisGroup[]): Html =>
  linesFigure(groups, {
    description: 'Expected calibration error by task',
    x: 'task of the test images',
    y: 'calibration error, points',
    digits: 1,
    of: ({ parts }) =>
      parts.classifier?.result.calibration.tasks.map((error, task) => [task + 1, error] as const) ?? [],
  });

/** Results of a group that have the same stages as its first. */
function alike<T extends { readonly stages: readonly number[] }>(results: readonly (T | undefined)[]): T[] {
  const there = results.filter((one) => one !== undefined);
  return there.filter(({ stages }) => stages.join() === there[0]?.stages.join());
}

/** Similarity of each layer between models: from task to task, and of the first and the last. Nothing where it was not measured. */
export function driftTable({ records }: AnalysisGroup): Html {
  const results = alike<AnalysisResults['drift']>(records.map(({ parts }) => parts.drift?.result));
  const [first] = results;
  if (!first) return html``;
  const { stages } = first;
  const last = stages.length - 1;
  const pairs = [...stages.slice(1).map((_, i) => [i, i + 1] as const), ...(last > 1 ? [[0, last] as const] : [])];
  const rows = first.layers.map((name, layer): HeatRow => {
    const cells = pairs.map(([a, b]) => {
      const spread = spreadOf(results.map(({ similarity }) => similarity[layer]?.[a]?.[b]));
      return spread && { text: spreadText(spread, (value) => value.toFixed(2)), share: spread.mean };
    });
    return { name, cells };
  });
  return heatTable({ corner: 'layer', heads: pairs.map(([a, b]) => `${stages[a]} → ${stages[b]}`), rows });
}

/** Accuracy of linear probes by stage and block of classes. Nothing where it was not measured. */
export function stabilityTable({ records }: AnalysisGroup): Html {
  const results = alike<AnalysisResults['stability']>(records.map(({ parts }) => parts.stability?.result));
  const [first] = results;
  if (!first) return html``;
  const rows = first.stages.map((stage, row): HeatRow => {
    const cellOf = (of: (result: AnalysisResults['stability']) => number | undefined) => {
      const spread = spreadOf(results.map(of));
      return spread && { text: spreadText(spread, (value) => value.toFixed(1)), share: spread.mean / 100 };
    };
    const blocks = first.blocks[0]!.map((_, task) => cellOf(({ blocks }) => blocks[row]?.[task]));
    return {
      name: stage === 0 ? 'untrained' : `after ${stage}`,
      cells: [...blocks, cellOf(({ accuracy }) => accuracy[row])],
    };
  });
  const heads = [...first.blocks[0]!.map((_, task) => `task ${task + 1}`), 'all'];
  return heatTable({ corner: 'extractor', heads, rows });
}

/** Heights between which landscapes have another colour, the same for all. */
function thresholds(records: readonly AnalysisRecord[]): number[] {
  const all = records
    .flatMap(({ parts }) => parts.landscape?.result.losses.flat() ?? [])
    .filter((loss) => loss !== null);
  const [low, high] = [Math.max(1e-3, Math.min(...all)), Math.max(...all)];
  const steps = 14;
  return Array.from({ length: steps + 1 }, (_, i) => low * Math.max(high / low, 1.01) ** (i / steps));
}

/** The loss on the plane of two random directions: a picture of each group's first run, all in the same colours. */
export function landscapeFigures(groups: readonly AnalysisGroup[]): Html {
  const first = groups.flatMap(({ label, records }) => {
    const record = records.find(({ parts }) => parts.landscape);
    return record?.parts.landscape ? [{ label, record, result: record.parts.landscape.result }] : [];
  });
  if (first.length === 0) return html``;
  const heights = thresholds(first.map(({ record }) => record));
  const most = heights.at(-1)!;
  const pictures = first.map(({ label, record, result: { losses, extent } }) => {
    const points = losses.length;
    // The outermost samples lie at the extent, and a sample is the middle of a cell.
    const edge = (extent * points) / (points - 1);
    const box = { x1: -edge, y1: -edge, x2: edge, y2: edge, width: points, height: points };
    const svg = draw(
      {
        width: 340,
        height: 340,
        marginLeft: 36,
        x: { label: 'along u', ticks: 5 },
        y: { label: 'along v', ticks: 5 },
        color: { type: 'log', scheme: 'viridis', domain: [heights[0]!, most] },
        marks: [
          Plot.contour(
            losses.flat().map((loss) => Math.min(most, loss ?? most)),
            { ...box, fill: Plot.identity, thresholds: heights, stroke: 'var(--page)', strokeOpacity: 0.35 },
          ),
          Plot.dot([[0, 0]], { fill: '#fff', stroke: '#000', r: 3.5 }),
        ],
      },
      `Landscape of ${label}`,
    );
    return html`<div><p>${label}${groups.some(({ records }) => records.length > 1) ? ` (${record.name})` : ''}</p>${svg}</div>`;
  });
  return html`<div class="pictures">${pictures}</div>
<p class="scale">Colours from ${heights[0]!.toPrecision(2)} (dark) to ${most.toPrecision(2)} (bright), by the logarithm of the loss.</p>`;
}
