/** A data set as one HTML file with pictures of each class: no script, nothing fetched, as the other reports. */
import type { ClassCounts, DatasetDescription } from '../data/describe.ts';
import { dataFacts } from './data-facts.ts';
import { Html, html } from './html.ts';
import { pageStyle } from './page-style.ts';
import type { SheetPicture } from './picture-sheet.ts';

/** CSS pixels that the shorter side of a picture is shown with. */
const SHOWN = 64;

const style = `
dl.facts { margin: 0; grid-template-columns: minmax(5rem, max-content) 1fr; font-size: .9375rem; }
dl.facts dd { font: inherit; font-size: .9375rem; }
ul.notes { margin: 1rem 0 0; padding-left: 1.1rem; color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
.classes { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); gap: .75rem; margin-top: 1rem; }
.class { padding: .75rem .85rem; background: var(--card); border: 1px solid var(--edge); border-radius: 10px; break-inside: avoid; }
.class h3 { margin: 0; font-size: .95rem; overflow-wrap: anywhere; }
.class p { margin: 0 0 .5rem; font-size: .8125rem; }
.bar { height: 3px; margin: .3rem 0 .6rem; border-radius: 2px; background: linear-gradient(var(--heat), var(--heat)) no-repeat var(--edge);
  background-size: calc(var(--share) * 100%) 100%; print-color-adjust: exact; }
.pictures { display: flex; flex-wrap: wrap; gap: 4px; }
.pictures img { display: block; border-radius: 3px; outline: 1px solid var(--edge); outline-offset: -1px; }
.pictures img.small { image-rendering: pixelated; }
@media (max-width: 30rem) { body { padding: 1.5rem .85rem 3rem; } dl.facts { margin: 0; grid-template-columns: 1fr; } dl.facts dd { margin-bottom: .4rem; } }
`;

function image({ address, width, height }: SheetPicture, name: string): Html {
  const scale = SHOWN / Math.min(width, height);
  const [wide, high] = [width, height].map((side) => Math.round(side * scale));
  return html`<img src="${address}" width="${wide!}" height="${high!}" alt="${name}"${new Html(scale > 1 ? ' class="small"' : '')}>`;
}

/**
 * @param number as a class order has it.
 * @param most images of the largest class.
 */
function classCard(
  number: number,
  { name, train, test }: ClassCounts,
  pictures: readonly SheetPicture[],
  most: number,
): Html {
  return html`<section class="class"><h3>${name}</h3><div class="bar" style="--share:${(train / most).toFixed(3)}"></div>
<p>class ${number}: ${train} to learn from, ${test} to test on</p><div class="pictures">${pictures.map((one) => image(one, name))}</div></section>`;
}

/**
 * The page of a data set, as the text of an HTML file.
 * @param sheet pictures of each class, in the order of the classes.
 */
export function dataPage(set: DatasetDescription, sheet: readonly (readonly SheetPicture[])[]): string {
  const { classes, notes } = set;
  const title = `Engram: ${set.name}`;
  const most = classes.reduce((largest, { train }) => Math.max(largest, train), 1);
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${new Html(pageStyle + style)}</style></head><body>
<header><h1>${set.name}</h1><p>${classes.length} classes, ${set.train + set.test} images</p></header>
<figure><dl class="facts">${dataFacts(set).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></figure>
${notes.length > 0 ? html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>` : html``}
<h2>Classes</h2><p>Training images of each, spread over those that it has. The bar: how many there are against the largest class.</p>
<div class="classes">${classes.map((one, label) => classCard(label, one, sheet[label] ?? [], most))}</div>
</body></html>
`.text;
}
