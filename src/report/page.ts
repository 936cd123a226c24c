/** A report as one HTML file: no script, nothing fetched, so that it can be mailed or kept for years. */
import type { RunRecord } from '../continual/benchmark/run-record.ts';
import { ArgumentError } from '../errors.ts';
import { meanMatrices } from './accuracy-matrix.ts';
import type { ExemplarSheet } from './exemplar-sheet.ts';
import { Html, html } from './html.ts';
import { legend } from './legend.ts';
import { runSection } from './page-run.ts';
import { differencesTable, groupsTable, protocolNote, runsTable, toCopy } from './page-runs.ts';
import { pageStyle } from './page-style.ts';
import { accuracyFigure, curveLabels, firstTaskFigure } from './run-curves.ts';

export interface PageOptions {
  title?: string;
  /** What the runs say, in a sentence. */
  headline?: string;
  /** What is to be known beside it. */
  details?: readonly string[];
  /** Of each run, what it keeps, or what is wrong with its checkpoint; nothing where there is none. */
  exemplars?: readonly (ExemplarSheet | string | undefined)[];
}

/** Curves of what is measured. */
function curves(records: readonly RunRecord[]): Html {
  if (records.length === 0) return html``;
  const several = records.some(({ matrix }) => matrix.length > 1);
  const labels = legend(curveLabels(records));
  const bands = curveLabels(records).length < records.length;
  const spread = bands ? ' The band is one standard deviation over seeds and class orders to both sides.' : '';
  return html`<figure><figcaption>Accuracy on all classes seen so far, after each task.${spread}</figcaption>
${labels}${accuracyFigure(records)}</figure>
${
  several
    ? html`<figure><figcaption>What is left of the first task: accuracy on its classes, after each task.</figcaption>
${labels}${firstTaskFigure(records)}</figure>`
    : html``
}`;
}

/**
 * The report on one run or several, as the text of an HTML file; of a run that is not finished it says what there is. The first run
 * gives the adapter and the date.
 * @throws {ArgumentError} if there is no run.
 */
export function reportPage(
  records: readonly RunRecord[],
  { title = 'Engram: what was learnt, what was kept', headline, details = [], exemplars = [] }: PageOptions = {},
): string {
  const [first] = records;
  if (first === undefined) {
    throw new ArgumentError({
      where: 'report',
      message: 'no run to report on.',
      fix: 'Give the record of one at least.',
    });
  }
  const sets = [...new Set(records.map((record) => record.dataset))].join(', ');
  const about = [sets, first.adapter, first.date.slice(0, 10)].filter((text) => text !== '').join(' · ');
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${new Html(pageStyle)}</style></head><body>
<header><h1>${title}</h1><p>${about}</p></header>
${headline === undefined ? html`` : html`<p class="headline">${headline}</p>`}${details.map((line) => html`<p>${line}</p>`)}
<figure>${runsTable(records)}</figure>
${records.length > 1 ? protocolNote(records) : html``}${groupsTable(records)}
${curves(records.filter(({ matrix }) => matrix.length > 0))}
${meanMatrices(records)}
${records.length > 1 ? differencesTable(records) : html``}
${toCopy(records)}
${records.map((record, at) => runSection(record, records.length === 1, exemplars[at]))}
<footer>Average: the mean of the accuracies on all classes seen, after each task, the first included. Last: after the last task.
Forgetting: how far each earlier task fell from its best, on average.</footer>
</body></html>
`;
  return page.text;
}
