/** A compression as pictures: accuracy by loss with its spread, and accuracy against size. */
import * as Plot from '@observablehq/plot';
import type { CompressionReport } from './compression-tables.ts';
import type { Html } from './html.ts';
import { type LineStyle, lineStyles } from './line-style.ts';
import { drawBoth, type PageWidth } from './svg-plot.ts';

/** Losses in one colour each, in both pictures. */
const stylesOf = ({ losses }: CompressionReport): Map<string, LineStyle> =>
  new Map(lineStyles(losses.map(({ loss }) => loss)).map((style) => [style.label, style]));

/** What is drawn, with some room around it. */
function domainOf({ losses, teacherAccuracy }: CompressionReport): [number, number] {
  const all = [teacherAccuracy, ...losses.flatMap(({ accuracies }) => accuracies)];
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const room = Math.max(1, 0.15 * (most - least));
  return [Math.max(0, Math.floor(least - room)), Math.min(100, Math.ceil(most + room))];
}

/** Pixels of what is drawn beside the middle of a loss: its bar's ends, its students, its mean in numbers. */
const BESIDE = {
  wide: { inset: 40, students: 22, number: -32 },
  narrow: { inset: 14, students: 12, number: -15 },
} as const satisfies Record<PageWidth, object>;

/** A loss over its place: the mean as a bar across, one standard deviation to both sides, and a dot a student. */
function lossMarks(report: CompressionReport, width: PageWidth): Plot.Markish[] {
  const styles = stylesOf(report);
  const { inset, students, number } = BESIDE[width];
  return report.losses.flatMap(({ loss, accuracies, accuracy }) => {
    const { colour: stroke, symbol } = styles.get(loss) as LineStyle;
    const { mean, std } = accuracy;
    const spread = Number.isNaN(std) ? [] : [{ loss, low: mean - std, high: mean + std }];
    return [
      Plot.ruleX(spread, { x: 'loss', y1: 'low', y2: 'high', stroke, strokeWidth: 2 }),
      Plot.tickY([{ loss, mean }], { x: 'loss', y: 'mean', stroke, strokeWidth: 3, inset }),
      Plot.dot(
        accuracies.map((value) => ({ loss, value })),
        {
          x: 'loss',
          y: 'value',
          stroke,
          fill: 'var(--card)',
          r: 4,
          symbol,
          dx: students,
          strokeWidth: 1.75,
          title: ({ value }) => `${loss}: ${value.toFixed(1)} %`,
        },
      ),
      Plot.text([{ loss, mean }], {
        x: 'loss',
        y: 'mean',
        text: () => mean.toFixed(1),
        dx: number,
        dy: -10,
        fontSize: 13,
        fontWeight: 600,
        fill: stroke,
      }),
    ];
  });
}

/** Over its line; on a telephone it would lie on the last loss, and the caption has it. */
const teacherName = (accuracy: number): Plot.Markish =>
  Plot.text([accuracy], {
    y: (value: number) => value,
    frameAnchor: 'right',
    text: (value: number) => `teacher ${value.toFixed(1)}`,
    dy: -8,
  });

/** A dot a student, the mean as a bar across and one standard deviation to both sides; the teacher as a dashed line. */
export function lossFigure(report: CompressionReport): Html {
  const { losses, teacherAccuracy } = report;
  return drawBoth(
    (width) => ({
      x: { label: null, domain: losses.map(({ loss }) => loss), tickSize: 0 },
      y: { label: 'accuracy, %', domain: domainOf(report), grid: true },
      marginTop: 30,
      style: { fontSize: '13px' },
      marks: [
        Plot.ruleY([teacherAccuracy], { stroke: 'currentColor', strokeDasharray: '6 3', strokeOpacity: 0.7 }),
        ...(width === 'wide' ? [teacherName(teacherAccuracy)] : []),
        ...lossMarks(report, width),
      ],
    }),
    'Accuracy of students by loss',
  );
}

/** Each network where its parameters and its accuracy put it; parameters by powers of ten. */
export function sizeFigure(report: CompressionReport): Html {
  const { losses, teacher, student, teacherAccuracy } = report;
  const styles = stylesOf(report);
  const large = [{ parameters: teacher.parameters, accuracy: teacherAccuracy, name: 'teacher' }];
  const marks = losses.flatMap(({ loss, accuracy: { mean } }) => {
    const { colour: stroke, symbol } = styles.get(loss) as LineStyle;
    const points = [{ parameters: student.parameters, accuracy: mean, name: loss }];
    return [
      Plot.dot(points, {
        x: 'parameters',
        y: 'accuracy',
        stroke,
        fill: 'var(--card)',
        r: 5,
        symbol,
        strokeWidth: 2,
        title: ({ name, accuracy }) => `${name}: ${accuracy.toFixed(1)} %, ${student.parameters} parameters`,
      }),
    ];
  });
  return drawBoth(
    (width) => ({
      height: 290,
      marginBottom: 48,
      x: {
        type: 'log',
        label: 'parameters',
        labelOffset: 44,
        domain: [student.parameters / 2, teacher.parameters * 2],
        tickFormat: '~s',
        ticks: width === 'wide' ? 4 : 2,
      },
      y: { label: 'accuracy, %', domain: domainOf(report), grid: true },
      marginTop: 30,
      style: { fontSize: '13px' },
      marks: [
        ...marks,
        Plot.dot(large, { x: 'parameters', y: 'accuracy', fill: 'currentColor', r: 5 }),
        Plot.text(large, { x: 'parameters', y: 'accuracy', text: 'name', dx: -12, textAnchor: 'end', fontSize: 13 }),
      ],
    }),
    'Accuracy against parameters',
  );
}
