/** What became of each class of a run, and what it is taken for. */
import type { RunRecord } from '../continual/benchmark/run-record.ts';
import { classConfusion, classFigures, classNames } from './class-figures.ts';
import { heatPicture } from './heat-picture.ts';
import { heatTable } from './heat-table.ts';
import { type Html, html } from './html.ts';
import { pngAddress } from './picture-sheet.ts';

const one = (value: number): string => value.toFixed(1);

/** Tables of more classes are folded, and their confusion is a picture. */
const MOST_CELLS = 12;

function classTable(record: RunRecord): Html {
  const classes = classFigures(record);
  if (!classes) return html``;
  const rows = classes.map(
    ({ name, task, images, first, last, mistaken }) =>
      html`<tr><th scope="row">${name}</th><td>${task + 1}</td><td>${images}</td><td>${one(first)}</td>
<td class="all">${one(last)}</td><td class="text">${mistaken ? `${mistaken.name} (${one(mistaken.share)})` : ''}</td></tr>`,
  );
  const table = html`<div class="scroll"><table class="lines classes"><thead><tr><th scope="row">class</th><th>task</th><th>images</th><th>just learnt</th>
<th>at the end</th><th scope="row">most taken for</th></tr></thead><tbody>${rows}</tbody></table></div>`;
  const caption =
    'Each class in the order of arrival: accuracy in percent when it was just learnt and after the last task, and what most of its other images are taken for.';
  return classes.length > MOST_CELLS
    ? html`<details><summary>Classes: what became of each</summary><figure><figcaption>${caption}</figcaption>${table}</figure></details>`
    : html`<figure><figcaption>${caption}</figcaption>${table}</figure>`;
}

function confusion(record: RunRecord): Html {
  const found = classConfusion(record);
  if (!found || found.shares.length < 2) return html``;
  const { shares } = found;
  const names = classNames(record, shares.length);
  const caption =
    'Confusion between classes, after the last task: of the images of each class (rows), the share in percent that is taken for each class (columns), in the order of arrival.';
  if (shares.length > MOST_CELLS) {
    const { png, width, height } = heatPicture(shares.map((row) => row.map((share) => share / 100)));
    return html`<figure><figcaption>${caption} The stronger the green, the larger the share.</figcaption>
<img class="heat-picture" src="${pngAddress(png)}" width="${width}" height="${height}" alt="Confusion between ${shares.length} classes"></figure>`;
  }
  const rows = shares.map((row, label) => ({
    name: names[label]!,
    cells: row.map((share) => ({ text: one(share), share: share / 100 })),
  }));
  const heads = names.map((name) => html`<th class="turned"><span>${name}</span></th>`);
  return html`<figure><figcaption>${caption}</figcaption>${heatTable({ corner: 'images of', heads, rows, kind: 'class-confusion' })}</figure>`;
}

/** Both; nothing of a run that was not counted. */
export const classSection = (record: RunRecord): Html => html`${confusion(record)}${classTable(record)}`;
