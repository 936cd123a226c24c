/** Curves of runs over the tasks: a stair a group of runs, with a band where seeds and class orders spread. */
import * as Plot from '@observablehq/plot';
import { classesSeen, type RunRecord, summaryOf } from '../continual/benchmark/run-record.ts';
import type { Html } from './html.ts';
import { type LineStyle, lineStyles } from './line-style.ts';
import { groupRuns, meanCurve, type RunGroup } from './run-groups.ts';
import { drawBoth, type PageWidth } from './svg-plot.ts';

interface Point {
  readonly label: string;
  readonly task: number;
  /** Seen so far. */
  readonly classes: number;
  /** Where it is drawn: at the classes, or the tasks. */
  readonly at: number;
  readonly accuracy: number;
  /** One standard deviation to both sides; as the accuracy where there is one run. */
  readonly low: number;
  readonly high: number;
  readonly runs: number;
}

interface Curves {
  readonly label: string;
  readonly curveOf: (record: RunRecord) => readonly number[];
  /** What a point is of, behind its accuracy. */
  readonly of: (point: Point) => string;
}

/** Accuracy on all classes seen, over the number of classes seen. Percent. */
export const accuracyFigure = (records: readonly RunRecord[]): Html =>
  stairs(records, 'Accuracy over classes seen', {
    label: 'accuracy on all of them, %',
    curveOf: (record) => summaryOf(record).curve,
    of: ({ classes }) => `of ${classes} classes`,
  });

/** The forgetting curve: accuracy on the first task's classes while others are learnt. Percent. */
export const firstTaskFigure = (records: readonly RunRecord[]): Html =>
  stairs(records, 'Accuracy on the first task over classes seen', {
    label: 'accuracy on the first task, %',
    curveOf: ({ matrix }) => matrix.map((row) => row[0]!),
    of: () => 'of the first task',
  });

/** Names of the lines, in order. */
export const curveLabels = (records: readonly RunRecord[]): string[] => groupRuns(records).map(({ label }) => label);

/** Where each task stands: domains bring no classes, and tasks are what goes on there. */
function placesOf(groups: readonly RunGroup[]) {
  const seen = groups.map(({ records: [first] }) => (first ? classesSeen(first) : []));
  const isGrowing = seen.every((counts) => counts.every((classes, task) => classes > (counts[task - 1] ?? 0)));
  return {
    seen,
    isGrowing,
    places: seen.map((counts) => counts.map((classes, task) => (isGrowing ? classes : task + 1))),
  };
}

const titleOf = ({ label, accuracy, high, runs, task }: Point, of: string): string => {
  const spread = runs > 1 ? ` ± ${(high - accuracy).toFixed(1)}` : '';
  return `${label}: ${accuracy.toFixed(1)}${spread} % ${of}, after task ${task + 1}${runs > 1 ? `, mean of ${runs} runs` : ''}`;
};

function stairs(records: readonly RunRecord[], description: string, { label, curveOf, of }: Curves): Html {
  const groups = groupRuns(records);
  const styles = lineStyles(groups.map((group) => group.label));
  const { seen, isGrowing, places } = placesOf(groups);
  const curves = groups.map((group, index) =>
    meanCurve(group.records, curveOf).map(({ mean, std, runs }, task): Point => {
      const spread = Number.isNaN(std) ? 0 : std;
      const [classes, at] = [seen[index]![task]!, places[index]![task]!];
      return { label: nameOf(group), task, classes, at, accuracy: mean, low: mean - spread, high: mean + spread, runs };
    }),
  );
  const ticks = [...new Set(places.flat())].sort((a, b) => a - b);
  return drawBoth((width) => {
    const most = width === 'wide' ? 20 : 8;
    const named = width === 'wide' && groups.length <= MOST_NAMED;
    const longest = Math.max(...styles.map((style) => style.label.length));
    return {
      ...(named ? { marginRight: 24 + 8 * Math.min(longest, MOST_CHARACTERS) } : {}),
      x: {
        label: isGrowing ? 'classes seen' : 'tasks learnt',
        ticks: isSpread(ticks, most) ? ticks : most / 2,
        tickFormat: 'd',
        inset: 12,
      },
      y: { label, domain: [0, 100], grid: true },
      marks: [
        Plot.ruleY([0]),
        ...curves.flatMap((points, index) => bandOf(points, styles[index]!)),
        ...curves.flatMap((points, index) => lineOf(points, styles[index]!, width, of)),
        ...(named ? endNames(curves, styles) : []),
      ],
    };
  }, description);
}

/** Whether numbers under these ticks have room beside each other. */
function isSpread(ticks: readonly number[], most: number): boolean {
  const gaps = ticks.slice(1).map((tick, at) => tick - ticks[at]!);
  return ticks.length <= most && gaps.every((gap) => gap * most >= ticks.at(-1)! - ticks[0]!);
}

/** A run by its name, several by what they have in common. */
const nameOf = ({ label, records: [first, ...others] }: RunGroup): string =>
  first && others.length === 0 ? first.name : label;

function bandOf(points: readonly Point[], { colour }: LineStyle): Plot.Markish[] {
  if (!points.some(({ low, high }) => high > low)) return [];
  return [Plot.areaY(points, { x: 'at', y1: 'low', y2: 'high', curve: 'step-after', fill: colour, fillOpacity: 0.16 })];
}

function lineOf(
  points: readonly Point[],
  { colour, dash, symbol }: LineStyle,
  width: PageWidth,
  of: Curves['of'],
): Plot.Markish[] {
  const at = { x: 'at', y: 'accuracy', stroke: colour } as const;
  const title = (point: Point) => titleOf(point, of(point));
  // Many points of a narrow picture would lie on each other.
  const r = points.length > 25 || (width === 'narrow' && points.length > 10) ? 2 : 3.5;
  return [
    Plot.line(points, { ...at, curve: 'step-after', strokeWidth: 2, strokeDasharray: dash }),
    Plot.dot(points, { ...at, fill: 'var(--page)', strokeWidth: 1.75, r, symbol, title }),
  ];
}

/** More lines than these are named by the legend alone. */
const MOST_NAMED = 5;
/** Longer names are cut at a line's end: the legend has them whole. */
const MOST_CHARACTERS = 18;
/** Points of percent between two names. */
const NAME_HEIGHT = 6;

const shorter = (name: string): string =>
  name.length <= MOST_CHARACTERS ? name : `${name.slice(0, MOST_CHARACTERS - 1)}…`;

/** Each line's name at its end, moved up where two would lie on each other. */
function endNames(curves: readonly (readonly Point[])[], styles: readonly LineStyle[]): Plot.Markish[] {
  const ends = curves.map((points, index) => ({ ...points.at(-1)!, style: styles[index]! }));
  let lowest = Number.NEGATIVE_INFINITY;
  return ends
    .sort((a, b) => a.accuracy - b.accuracy)
    .map((end) => {
      lowest = Math.max(end.accuracy, lowest + NAME_HEIGHT);
      return Plot.text([{ ...end, accuracy: lowest }], {
        x: 'at',
        y: 'accuracy',
        text: ({ style }) => shorter(style.label),
        textAnchor: 'start',
        dx: 12,
        fontSize: 13,
        fontWeight: 600,
        fill: end.style.colour,
      });
    });
}
