/** A report as one HTML file: no script, nothing fetched, so that it can be mailed or kept for years. */
import type { CountedFigures } from '../continual/benchmark/metrics/summary.ts';
import { type RunRecord, summaryOf } from '../continual/benchmark/run-record.ts';
import { ArgumentError } from '../errors.ts';
import { accuracyFigure, firstTaskFigure, lineLabels, lossFigure } from './curve.ts';
import { figuresOf } from './figures.ts';
import { Html, html } from './html.ts';
import { legend } from './legend.ts';
import { pageStyle } from './page-style.ts';

const one = (value: number): string => value.toFixed(1);

const duration = (seconds: number): string => {
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds.toFixed(0)} s`;
  return minutes < 60
    ? `${minutes} min ${Math.floor(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

/** The forgetting curve. */
const firstTask = (records: readonly RunRecord[]): Html =>
  html`<figure><figcaption>What is left of the first task: accuracy on its classes, after each task.</figcaption>
${firstTaskFigure(records)}</figure>`;

function runsTable(records: readonly RunRecord[]): Html {
  const best = {
    average: Math.max(...records.map((record) => record.average)),
    last: Math.max(...records.map((record) => record.last)),
    forgetting: Math.min(...records.map((record) => record.forgetting)),
  };
  const cell = (value: number, top: number) =>
    records.length > 1 && value === top ? html`<td class="best">${one(value)}</td>` : html`<td>${one(value)}</td>`;
  const rows = records.map(
    (record) => html`<tr><th scope="row">${record.name}</th><td class="text">${record.method}</td>
      ${cell(record.average, best.average)}${cell(record.last, best.last)}${cell(record.forgetting, best.forgetting)}
      <td>${duration(record.seconds)}</td></tr>`,
  );
  return html`<table class="runs"><thead><tr><th scope="row">run</th><th scope="row">method</th><th>average, %</th>
    <th>last, %</th><th>forgetting, points</th><th>time</th></tr></thead><tbody>${rows}</tbody></table>`;
}

/** The accuracy matrix, each cell as green as it is accurate. */
function heatTable(record: RunRecord): Html {
  const tasks = record.matrix.map((_, task) => task);
  const { curve: seen, counted } = summaryOf(record);
  const rows = record.matrix.map((row, after) => {
    const cells = tasks.map((task) => {
      const accuracy = row[task];
      if (accuracy === undefined) return html`<td class="none"></td>`;
      return html`<td style="--share:${(accuracy / 100).toFixed(3)}">${one(accuracy)}</td>`;
    });
    return html`<tr><th scope="row">after ${after + 1}</th>${cells}<td class="all">${one(seen[after]!)}</td></tr>`;
  });
  const heads = tasks.map((task) => html`<th>${task + 1}</th>`);
  return html`<table class="heat"><thead><tr><th scope="row">task</th>${heads}<th>all seen</th></tr></thead><tbody>${rows}</tbody>${counted ? calibrationRow(counted) : html``}</table>`;
}

/** Under the columns of the accuracy matrix. */
function calibrationRow({ calibrationErrorOf, calibrationErrors }: CountedFigures): Html {
  const cells = calibrationErrorOf.map((error) => html`<td class="none">${one(error)}</td>`);
  return html`<tfoot><tr><th scope="row">calibration error</th>${cells}<td class="all">${one(calibrationErrors.at(-1)!)}</td></tr></tfoot>`;
}

/** Nested settings as dotted names, in the order they stand. */
function flatten(config: Record<string, unknown>, prefix = ''): [string, string][] {
  return Object.entries(config).flatMap(([key, value]): [string, string][] => {
    const name = `${prefix}${key}`;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return flatten(value as Record<string, unknown>, `${name}.`);
    }
    return [[name, typeof value === 'string' ? value : (JSON.stringify(value) ?? '')]];
  });
}

const pairs = (entries: readonly (readonly [string, string])[]): Html =>
  html`<dl>${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;

/** @param isOnly whether the page is about it alone: of several, what is told of each is folded. */
function runSection(record: RunRecord, isOnly: boolean): Html {
  const about: [string, string][] = [
    ['method', record.method],
    ['data', record.dataset],
    ['classes a task', record.classesPerTask.join(', ')],
    ['class order', record.classOrder.join(' ')],
    ['adapter', record.adapter],
    ['began', record.date],
    ['took', duration(record.seconds)],
  ];
  const losses =
    record.losses.length === 0
      ? html``
      : html`<figure><figcaption>Training loss, mean over each epoch; a rule where a task begins.</figcaption>
        ${lossFigure(record)}</figure>`;
  const figures = figuresOf(record);
  return html`<section><h2>${record.name}</h2>
    <p>${record.method} on ${record.dataset}: average ${one(record.average)} %, last ${one(record.last)} %, forgetting ${one(record.forgetting)} points.</p>
    <figure><figcaption>Accuracy in percent on the classes of each task (columns), after each task (rows).</figcaption>
      ${heatTable(record)}</figure>
    ${isOnly || !figures ? (figures ?? html``) : html`<details><summary>Figures, old and new classes, confusion between tasks</summary>${figures}</details>`}
    ${losses}
    <details><summary>Configuration</summary>${pairs([...about, ...flatten(record.config)])}</details></section>`;
}

export interface PageOptions {
  title?: string;
  /** What the runs say, in a sentence. */
  headline?: string;
  /** What is to be known beside it. */
  details?: readonly string[];
}

/**
 * The report on one run or several, as the text of an HTML file. The first run gives the adapter and the date.
 * @throws {ArgumentError} if there is no run, or if a run has not finished its first task.
 */
export function reportPage(
  records: readonly RunRecord[],
  { title = 'Engram: what was learnt, what was kept', headline, details = [] }: PageOptions = {},
): string {
  const first = records[0];
  const unfinished = records.find((record) => record.matrix.length === 0);
  if (first === undefined || unfinished !== undefined) {
    throw new ArgumentError({
      where: 'report',
      message: unfinished ? `run ${unfinished.name} has not finished its first task.` : 'no run to report on.',
      fix: 'Give a run that learnt at least one task.',
    });
  }
  const several = records.some(({ matrix }) => matrix.length > 1);
  const sets = [...new Set(records.map((record) => record.dataset))].join(', ');
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${new Html(pageStyle)}</style></head><body>
<header><h1>${title}</h1><p>${sets} · ${first.adapter} · ${first.date.slice(0, 10)}</p></header>
${headline === undefined ? html`` : html`<p class="headline">${headline}</p>`}${details.map((line) => html`<p>${line}</p>`)}
<figure>${runsTable(records)}</figure>
<figure><figcaption>Accuracy on all classes seen so far, after each task.</figcaption>
${legend(lineLabels(records))}${accuracyFigure(records)}</figure>
${several ? firstTask(records) : html``}
${records.map((record) => runSection(record, records.length === 1))}
<footer>Average: the mean of the accuracies on all classes seen, after each task, the first included. Last: after the last task.
Forgetting: how far each earlier task fell from its best, on average.</footer>
</body></html>
`;
  return page.text;
}
