/** The figures of one run that its counts give, as tables of a page: each under its own name, with where it is from. */
import type { CountedFigures, Summary } from '../continual/benchmark/metrics/summary.ts';
import { type RunRecord, summaryOf } from '../continual/benchmark/run-record.ts';
import { heatTable } from './heat-table.ts';
import { type Html, html } from './html.ts';
import { type OldNewNames, oldNewNames } from './old-new-names.ts';

const one = (value: number): string => value.toFixed(1);
/** With a sign that is as wide as a digit. */
const signed = (value: number): string => `${value > 0 ? '+' : ''}${one(value)}`.replace('-', '−');
const orNone = (value: number | null | undefined): string => (value === null || value === undefined ? '' : one(value));

/** A figure with what it is. */
export type FigureRow = readonly [name: string, value: string, how: string];

function forgettingRows(summary: Summary): FigureRow[] {
  const byIncrement = summary.counted?.incrementForgetting ?? null;
  return [
    ['forgetting, best − last', one(summary.forgetting), 'best of the stages before the last (Chaudhry et al. 2018)'],
    ['forgetting, first − last', one(summary.firstLastForgetting), 'against when the task was just learnt (Avalanche)'],
    ...(byIncrement === null
      ? []
      : [['forgetting by increments', one(byIncrement), 'groups of classes, best of all stages (PyCIL)'] as const]),
  ];
}

function transferRows({ backwardTransfer, counted }: Summary): FigureRow[] {
  const forward = counted?.forwardTransfer ?? null;
  return [
    ['backward transfer', signed(backwardTransfer), 'last − first (Lopez-Paz and Ranzato 2017)'],
    ...(forward === null
      ? []
      : [
          [
            'forward transfer',
            signed(forward),
            'tasks before they are learnt − an untrained network, told within the task’s own classes',
          ] as const,
        ]),
  ];
}

function waysRows({ taskIncremental, classifier, nearestMean }: CountedFigures): FigureRow[] {
  const ways = [
    ['task told', taskIncremental, 'average / last among the classes of the image’s own task (task-incremental)'],
    ['classifier', classifier, 'average / last by the logits, whatever the method predicts by'],
    ['nearest mean', nearestMean, 'average / last by the nearest mean of exemplars (iCaRL)'],
  ] as const;
  return ways.flatMap(([name, way, how]): FigureRow[] =>
    way ? [[name, `${one(way.average)} / ${one(way.last)}`, how]] : [],
  );
}

/** Every figure under its own name; fewer of a run that was not counted. */
export function figureRows(summary: Summary): FigureRow[] {
  const { counted } = summary;
  return [
    ['average / last', `${one(summary.average)} / ${one(summary.last)}`, 'on all classes seen (iCaRL)'],
    ...(counted ? waysRows(counted) : []),
    ...forgettingRows(summary),
    ...transferRows(summary),
    ...(counted
      ? [
          [
            'calibration error',
            orNone(counted.calibrationErrors.at(-1)),
            'expected, of 15 bins, after the last task (Guo et al. 2017)',
          ] as const,
        ]
      : []),
  ];
}

/** One a line, with what it is. */
function figuresTable(summary: Summary): Html {
  const lines = figureRows(summary).map(
    ([name, value, how]) =>
      html`<tr><th scope="row">${name}</th><td>${value}</td><td class="text how">${how}</td></tr>`,
  );
  return html`<div class="scroll"><table class="figures"><tbody>${lines}</tbody></table></div>`;
}

/** What is told after each task, in every way. */
function stagesTable(summary: Summary, counted: CountedFigures, parts: OldNewNames): Html {
  const { split, taskIncremental, classifier, nearestMean, calibrationErrors } = counted;
  const rows = summary.curve.map((seen, after) => {
    const { old, new: fresh, harmonicMean } = split[after]!;
    const cells = [
      old,
      fresh,
      harmonicMean,
      taskIncremental.curve[after],
      classifier?.curve[after],
      nearestMean?.curve[after],
      calibrationErrors[after],
    ];
    return html`<tr><th scope="row">after ${after + 1}</th><td class="all">${one(seen)}</td>
      ${cells.map((cell) => html`<td>${orNone(cell)}</td>`)}</tr>`;
  });
  const heads = [
    'all seen',
    parts.old,
    parts.new,
    'harmonic',
    'task told',
    'classifier',
    'nearest mean',
    'calibration error',
  ];
  return html`<div class="scroll"><table class="stages"><thead><tr><th scope="row">task</th>${heads.map((head) => html`<th>${head}</th>`)}</tr></thead>
    <tbody>${rows}</tbody></table></div>`;
}

/** Which task's classes images are taken for; of one task there is nothing to say. */
function confusionFigure({ taskConfusion }: CountedFigures): Html {
  if (taskConfusion.length < 2) return html``;
  const rows = taskConfusion.map((row, task) => ({
    name: `of ${task + 1}`,
    cells: row.map((share) => ({ text: one(share), share: share / 100 })),
  }));
  const heads = taskConfusion.map((_, task) => `${task + 1}`);
  return html`<figure><figcaption>Confusion between tasks, after the last: of the images of each task (rows), the share in percent
that is taken for a class of each task (columns).</figcaption>
${heatTable({ corner: 'images', heads, rows, kind: 'confusion' })}</figure>`;
}

/** All that a run's counts give; `null` of a run that was not counted. */
export function figuresOf(record: RunRecord): Html | null {
  const summary = summaryOf(record);
  const { counted } = summary;
  if (!counted) return null;
  return html`<figure><figcaption>The figures of the run; accuracies in percent, differences in points.</figcaption>
${figuresTable(summary)}</figure>
<figure><figcaption>After each task: on all that came so far, on what earlier tasks brought and on its own, and told in other ways.</figcaption>
${stagesTable(summary, counted, oldNewNames([record]))}</figure>
${confusionFigure(counted)}`;
}
