/** What one learner knows, forgot and keeps, after a task. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { picture, pixelsOf } from '../shared/picture.ts';
import { saysOf } from './experiment.ts';
import type { Begun, Stage, Views } from './protocol.ts';
import type { Recording } from './recording.ts';

/** Pictures of a gallery or a tray: what is beyond is told as a number. */
const MOST_PICTURES = 24;

const percent = (value: number): string => value.toFixed(0);

/** The accuracy matrix to this task: rows are after each task, columns are the tasks. */
function matrix(stages: readonly Stage[], task: number): TemplateResult {
  const rows = stages.slice(0, task + 1);
  return html`<div class="scroll"><table class="heat">
    <caption class="visually-hidden">Accuracy in percent on each task (columns) after each task (rows)</caption>
    <thead><tr><th scope="col">after</th>${rows.map((_, of) => html`<th scope="col">task ${of + 1}</th>`)}</tr></thead>
    <tbody>${rows.map(
      ({ accuracies }, after) =>
        html`<tr><th scope="row">${after + 1}</th>${rows.map((_, of) => {
          const accuracy = accuracies[of];
          if (accuracy === undefined) return html`<td></td>`;
          return html`<td data-tenth=${Math.round(accuracy / 10)}>${percent(accuracy)}</td>`;
        })}</tr>`,
    )}</tbody></table></div>`;
}

function gallery(recording: Recording, begun: Begun, learner: number, task: number): TemplateResult {
  const { pictures, classes, labels } = begun;
  const [before, now] = [recording.stages[learner]?.[task - 1], recording.stages[learner]?.[task]];
  const found = recording.forgotten(learner, task);
  if (task === 0) return html`<p class="soft small">Nothing yet: this was its first task.</p>`;
  if (!before?.views || !now?.views) return html`<p class="soft small">The models of that time are gone.</p>`;
  if (found.length === 0) return html`<p class="soft small">Nothing that it had right.</p>`;
  const shown = found.slice(0, MOST_PICTURES);
  const more = found.length - shown.length;
  return html`<ul class="pictures">${shown.map(({ picture: at, taken }) => {
    const says = `${classes[labels[at] as number]}, now taken for ${classes[taken]}`;
    return html`<li>${picture(pixelsOf(pictures.data, at, pictures), pictures, says)}</li>`;
  })}</ul>${more > 0 ? html`<p class="soft small">and ${more} more</p>` : nothing}`;
}

function tray(views: Views | null, { pictures, classes }: Begun): TemplateResult {
  if (!views) return html`<p class="soft small">What it kept then is gone.</p>`;
  const { kept, keptLabels } = views;
  if (keptLabels.length === 0) return html`<p class="soft small">It keeps no pictures.</p>`;
  const shown = [...keptLabels.slice(0, 2 * MOST_PICTURES)];
  const more = keptLabels.length - shown.length;
  return html`<ul class="pictures small">${shown.map(
    (label, at) => html`<li>${picture(pixelsOf(kept, at, pictures), pictures, `${classes[label]}, kept`)}</li>`,
  )}</ul>${more > 0 ? html`<p class="soft small">and ${more} more</p>` : nothing}`;
}

export function learnerCard(recording: Recording, learner: number, task: number): TemplateResult {
  const { begun, stages } = recording;
  const { method } = begun.learners[learner] as Begun['learners'][number];
  const own = stages[learner] ?? [];
  const stage = own[task];
  const says = saysOf(method);
  const head = html`<h2><span class="key" data-line=${learner}></span>${method}</h2>
    ${says ? html`<p class="soft small">${says}.</p>` : nothing}`;
  if (!stage)
    return html`<article class="card">${head}<p class="soft">${task === 0 ? 'Its first test comes when the first task is learnt.' : 'It is learning this task.'}</p></article>`;
  return html`<article class="card">${head}
    <p class="figures"><strong>${percent(stage.accuracy)} %</strong> of all it has seen${
      task > 0 ? html`, <strong>${percent(stage.accuracies[0] as number)} %</strong> of its first task` : nothing
    }</p>
    ${matrix(own, task)}
    <h3>Just forgotten</h3>${gallery(recording, begun, learner, task)}
    <h3>Its memory</h3>${tray(stage.views, begun)}</article>`;
}
