/** Where everybody is in the task under way. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Recording } from './recording.ts';
import type { State } from './session.ts';

/** Classes that are named: of more, how many. */
const MOST_NAMES = 6;
/** Groups that are shown. */
const MOST_LIGHTS = 63;

function statusText(recording: Recording | null, state: State): string {
  if (state === 'failed') return 'It stopped.';
  if (!recording) return 'Asking for the GPU, and reading the pictures…';
  if (state === 'finished') return 'All tasks are learnt. Go back in time below, or look at another picture.';
  const { tasks, begun } = recording;
  const task = Math.min(recording.tasksDone, tasks - 1);
  const names = begun.classes.slice(recording.classesAfter(task), recording.classesAfter(task + 1));
  const beyond = names.length - MOST_NAMES;
  const shown = beyond > 0 ? `${names.slice(0, MOST_NAMES).join(', ')} and ${beyond} more` : names.join(', ');
  return `Task ${task + 1} of ${tasks}: ${shown}.${state === 'paused' ? ' Paused.' : ''}`;
}

/** The groups that it is held to: all of them light where all are distilled, and those drawn where some are. */
const lights = (groups: readonly (readonly number[])[], drawn: readonly number[] | undefined): TemplateResult =>
  html`<span class="lights" role="img" aria-label="Held to ${groups.length} groups of old tasks${drawn ? ', of which some are drawn in each step' : ''}">${groups
    .slice(0, MOST_LIGHTS)
    .map(
      (group, at) =>
        html`<span class=${drawn && !drawn.includes(at) ? '' : 'lit'}>${group.map((task) => task + 1).join(' ')}</span>`,
    )}</span>`;

function bar(recording: Recording, learner: number, name: string): TemplateResult {
  const task = Math.min(recording.tasksDone, Math.max(0, recording.tasks - 1));
  const latest = recording.latest[learner];
  const isThere = latest?.task === task;
  const done = recording.stages[learner]?.[task] ? 1 : isThere ? latest.done : 0;
  const loss = isThere ? `loss ${latest.loss.toFixed(3)}` : '';
  const { groups = [] } = recording.held[learner]?.[task] ?? {};
  return html`<li><span class="key" data-line=${learner}></span><span>${name}</span>
    <progress max="1" .value=${done} aria-label="${name}, task ${task + 1}"></progress><span class="soft small loss">${loss}</span>
    ${groups.length > 0 ? lights(groups, isThere ? latest.drawn : undefined) : nothing}</li>`;
}

export const progressView = (recording: Recording | null, state: State, isRecorded: boolean): TemplateResult =>
  html`<div class="card"><p role="status">${statusText(recording, state)}</p>${
    recording
      ? html`<ul class="progress">${recording.begun.learners.map(({ method }, learner) => bar(recording, learner, method))}</ul>
        <p class="soft small">${isRecorded ? 'Recorded on' : 'Learning on'} ${recording.begun.adapter}.</p>`
      : ''
  }</div>`;
