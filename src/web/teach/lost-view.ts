/** What the two knew and know: percentages after each task, and pictures that they had right and have wrong now. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { picture } from '../shared/picture.ts';
import { LINES, NAMES } from './answers-view.ts';
import { type Lost, type OfEach, PUPILS, type Pupil, type Ready, type Stage } from './protocol.ts';

const cell = (value: number | null): TemplateResult =>
  value === null
    ? html`<td class="soft">–</td>`
    : html`<td data-tenth=${Math.round(value / 10)}>${value.toFixed(0)} %</td>`;

const row = ({ after, old, own, seconds }: Stage, at: number): TemplateResult =>
  html`<tr><th scope="row">${at === 0 ? 'before' : after}</th>${PUPILS.map((pupil) => cell(old[pupil]))}${PUPILS.map((pupil) => cell(own[pupil]))}<td class="soft">${
    at === 0 ? '' : `${seconds.kept.toFixed(1)} s, ${seconds.plain.toFixed(1)} s`
  }</td></tr>`;

function gallery(lost: readonly Lost[], format: Ready['format'], pupil: Pupil): TemplateResult {
  return html`<article class="card"><h3><span class="key" data-line=${LINES[pupil]}></span>${NAMES[pupil]}: right before, wrong now</h3>${
    lost.length === 0
      ? html`<p class="soft small">Nothing of what was tested.</p>`
      : html`<ul class="pictures">${lost.map(
          ({ label, taken, pixels }) => html`<li>${picture(pixels, format, `${label}, now taken for ${taken}`)}</li>`,
        )}</ul>`
  }</article>`;
}

export function lostView(
  stages: readonly Stage[],
  lost: OfEach<readonly Lost[]>,
  { format, oldClasses }: Ready,
): TemplateResult {
  if (stages.length < 2) return html``;
  return html`<h2>What they know, and what they lost</h2>
    <div class="card scroll"><table class="heat"><caption class="visually-hidden">Percent right after each task</caption>
    <thead><tr><td rowspan="2"></td><th scope="colgroup" colspan="2">${oldClasses > 0 ? `Test pictures of its ${oldClasses} old classes` : 'Its old classes'}</th><th scope="colgroup" colspan="2">Your own pictures, as taught</th><th rowspan="2" scope="col">learnt in</th></tr>
    <tr>${[...PUPILS, ...PUPILS].map((pupil) => html`<th scope="col"><span class="key" data-line=${LINES[pupil]}></span>${NAMES[pupil]}</th>`)}</tr></thead>
    <tbody>${stages.map(row)}</tbody></table></div>
    ${oldClasses > 0 ? html`<div class="galleries">${PUPILS.map((pupil) => gallery(lost[pupil], format, pupil))}</div>` : nothing}`;
}
