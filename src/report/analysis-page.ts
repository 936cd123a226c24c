/** The page that compares analysed runs: one HTML file, no script, nothing fetched. */
import { ANALYSES, type AnalysisName, type AnalysisRecord } from '../analysis/run/analysis-record.ts';
import { ArgumentError } from '../errors.ts';
import {
  biasFigure,
  calibrationFigure,
  driftTable,
  landscapeFigures,
  normFigure,
  sharpnessFigure,
  stabilityFigure,
  stabilityTable,
} from './analysis-figures.ts';
import { FORMULAS } from './analysis-formulas.ts';
import { type AnalysisGroup, groupRecords, spreadOf, spreadText, unlikeNote } from './analysis-groups.ts';
import { PART_TITLES, quantitiesOf } from './analysis-quantities.ts';
import { Html, html } from './html.ts';
import { pageStyle } from './page-style.ts';
import { spreadCell } from './spread-cell.ts';

/** What is beside the look of reports. */
const style = `
table.compare { border-collapse: collapse; }
table.compare tbody tr > * { padding: .3rem .6rem; border-bottom: 1px solid var(--edge); white-space: nowrap; }
table.compare tr:last-child > * { border-bottom: 0; }
table.compare tbody th { color: var(--ink); font-weight: 400; }
table.compare th.part { padding-top: .9rem; color: var(--soft); font-weight: 600; text-align: left; white-space: normal; }
table.compare th.part span { display: inline-block; position: sticky; left: .3rem; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; }
.pictures > div { flex: 1 1 16rem; max-width: 24rem; }
dl.formulas { grid-template-columns: minmax(6rem, max-content) 1fr; }
dl.formulas dd { font-family: inherit; font-size: .875rem; }
dl.formulas dt { color: var(--ink); }
@media (max-width: 42rem) {
  table.compare tbody tr > * { padding: .3rem; }
  table.compare tbody th[scope=row] { max-width: 7.5rem; white-space: normal; }
  table.compare th.part span { max-width: 17rem; }
  dl.formulas { grid-template-columns: 1fr; }
  dl.formulas dd { margin-bottom: .6rem; }
}
`;

function compareTable(groups: readonly AnalysisGroup[], records: readonly AnalysisRecord[]): Html {
  const quantities = quantitiesOf(records);
  const rows = quantities.flatMap(({ part, name, text, of }, i) => {
    const head =
      part === quantities[i - 1]?.part
        ? []
        : [
            html`<tr><th class="part" scope="rowgroup" colspan="${groups.length + 1}"><span>${PART_TITLES[part]}</span></th></tr>`,
          ];
    const cells = groups.map(
      (group) => html`<td>${spreadCell(spreadText(spreadOf(group.records.map(of)), text))}</td>`,
    );
    return [...head, html`<tr><th scope="row">${name}</th>${cells}</tr>`];
  });
  const heads = groups.map(
    ({ label, records }) => html`<th>${label}${records.length > 1 ? html`<br>${records.length} runs` : html``}</th>`,
  );
  return html`<div class="scroll"><table class="compare"><thead><tr><th scope="row"></th>${heads}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

const figure = (caption: string, content: Html): Html =>
  content.text === '' ? html`` : html`<figure><figcaption>${caption}</figcaption>${content}</figure>`;

/** A heat table for each group that has one, called by its group where there are several. */
function byGroup(groups: readonly AnalysisGroup[], table: (group: AnalysisGroup) => Html): Html {
  const tables = groups.map((group) => ({ label: group.label, content: table(group) }));
  const there = tables.filter(({ content }) => content.text !== '');
  return html`${there.map(({ label, content }) => (groups.length > 1 ? html`<h3>${label}</h3>${content}` : content))}`;
}

/** What each run was measured with. */
function settingsList(records: readonly AnalysisRecord[]): Html {
  const lines = records.flatMap((record) =>
    ANALYSES.flatMap((name: AnalysisName) => {
      const part = record.parts[name];
      return part ? [html`<dt>${record.name}: ${name}</dt><dd>${JSON.stringify(part.settings)}</dd>`] : [];
    }),
  );
  return html`<dl>${lines}</dl>`;
}

/**
 * The comparison of analysed runs, as the text of an HTML file; those that differ by their seeds and the order of classes alone
 * are taken together. The first run gives the adapter.
 * @throws {ArgumentError} if there is no run.
 */
export function analysisPage(records: readonly AnalysisRecord[]): string {
  const [first] = records;
  if (!first) {
    throw new ArgumentError({ where: 'analysisPage', message: 'no run to tell of.', fix: 'Analyse one first.' });
  }
  const groups = groupRecords(records);
  const title = 'Engram: what the models are like';
  const sets = [...new Set(records.map(({ dataset }) => dataset))].join(', ');
  const unlike = unlikeNote(records);
  const several = groups.some((group) => group.records.length > 1);
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${new Html(pageStyle + style)}</style></head><body>
<header><h1>${title}</h1><p>${sets} · ${records.length === 1 ? first.name : `${records.length} runs`} · ${first.adapter}</p></header>
${several ? html`<p>Means over the runs of one configuration, ± the standard deviation over their class orders and seeds.</p>` : html``}
${unlike === null ? html`` : html`<p class="note">${unlike}</p>`}
<figure>${compareTable(groups, records)}</figure>
${figure('Sharpness: how far the training loss rises when every weight is moved at random, in proportion to its own size.', sharpnessFigure(groups))}
${figure('Stability and plasticity: accuracy of a linear classifier on the frozen extractor of each stage; 0 is the untrained network. A line that stays where the first task left it shows an extractor that has learnt nothing since.', stabilityFigure(groups))}
${figure('The same on the test images of each task (columns), in percent.', byGroup(groups, stabilityTable))}
${figure('Drift: how alike the layers of the models after two tasks are (CKA; 1 is the same but for a rotation and a factor).', byGroup(groups, driftTable))}
${figure('Classifier: mean length of the weights of each task’s classes.', normFigure(groups))}
${figure('Classifier: mean bias of each task’s classes.', biasFigure(groups))}
${figure('Calibration: how far the probabilities of predictions are from how often they are right, on each task’s test images.', calibrationFigure(groups))}
${figure('Landscape: the training loss on the plane of two random directions, of each filter’s own length at 1; the model is the dot.', landscapeFigures(groups))}
<details><summary>Formulas and their sources</summary><dl class="formulas">${FORMULAS.map(({ name, how }) => html`<dt>${name}</dt><dd>${how}</dd>`)}</dl></details>
<details><summary>What it was measured with</summary>${settingsList(records)}</details>
<footer>Training loss: the mean cross entropy by the model’s logits on training images of all tasks learnt, without augmentation, batch norm in
inference. Differences between models of different configurations say how they are, not why one is better: flatness and accuracy go
together less than it was thought (Andriushchenko et al. 2023).</footer>
</body></html>
`;
  return page.text;
}
