/** What a page says of one run. */
import type { RunRecord } from '../continual/benchmark/run-record.ts';
import { accuracyMatrix } from './accuracy-matrix.ts';
import { classSection } from './class-table.ts';
import { costTable } from './cost-table.ts';
import { lossFigure, rateFigure } from './epoch-curves.ts';
import { type ExemplarSheet, exemplarFigure } from './exemplar-sheet.ts';
import { figuresOf } from './figures.ts';
import { type Html, html } from './html.ts';
import { oldNewNames } from './old-new-names.ts';
import { runFacts, settingsOf, unfinished } from './run-facts.ts';

const one = (value: number): string => value.toFixed(1);

const pairs = (entries: readonly (readonly [string, string])[]): Html =>
  html`<dl>${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;

/** What a run measured, in the order of a reader's questions: what is right, what was forgotten, what is mistaken for what. */
function measured(record: RunRecord, isOnly: boolean): Html {
  if (record.matrix.length === 0) return html``;
  const figures = figuresOf(record);
  const names = oldNewNames([record]);
  const details = figures ? html`${figures}${classSection(record)}` : html``;
  return html`<p>${record.method} on ${record.dataset}: average ${one(record.average)} %, last ${one(record.last)} %, forgetting ${one(record.forgetting)} points.</p>
    <figure><figcaption>Accuracy in percent on the classes of each task (columns), after each task (rows).</figcaption>
      ${accuracyMatrix(record)}</figure>
    ${isOnly || !figures ? details : html`<details><summary>Figures, ${names.old} and ${names.new}, confusion, classes</summary>${details}</details>`}`;
}

function trained(record: RunRecord): Html {
  if (record.losses.length === 0) return html``;
  const rates = rateFigure(record);
  return html`<figure><figcaption>Training loss and its terms as they are added up, means over each epoch; a rule where a task begins, a dotted one where another phase of it does.</figcaption>
        ${lossFigure(record)}</figure>
      ${rates ? html`<details><summary>Learning rate</summary><figure>${rates}</figure></details>` : html``}`;
}

/**
 * @param isOnly whether the page is about it alone: of several, what is told of each is folded.
 * @param exemplars of its checkpoint, where there is one; or what is wrong with that.
 */
export function runSection(record: RunRecord, isOnly: boolean, exemplars?: ExemplarSheet | string): Html {
  const left = unfinished(record);
  return html`<section><h2>${record.name}</h2>
    ${left === null ? html`` : html`<p class="note">This run is ${left}.</p>`}
    ${measured(record, isOnly)}
    ${trained(record)}
    ${costTable(record)}
    ${exemplars === undefined ? html`` : typeof exemplars === 'string' ? html`<p class="note">${exemplars}</p>` : exemplarFigure(exemplars)}
    <details><summary>Configuration</summary>${pairs([...runFacts(record).slice(1), ...settingsOf(record.config)])}</details></section>`;
}
