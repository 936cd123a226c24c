/** The page: what is under way above, what was learnt below, and the settings. */
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { Curves } from './curves.ts';
import { type Experiment, fromQuery, toQuery } from './experiment.ts';
import { learnerCard } from './learner-card.ts';
import { type PoolChoice, poolView } from './pool-view.ts';
import type { Told } from './protocol.ts';
import { Recording } from './recording.ts';
import { Session } from './session.ts';
import { presets, settingsForm } from './settings-form.ts';

/** Milliseconds that slow motion rests after each step. */
const SLOW = 400;

const part = (id: string): HTMLElement => document.getElementById(id) as HTMLElement;
const parts = {
  controls: part('controls'),
  stage: part('stage'),
  progress: part('progress'),
  seen: part('seen'),
  loss: part('loss'),
  travel: part('travel'),
  learners: part('learners'),
  pool: part('pool'),
  settings: part('settings'),
};

const { experiment: linked, faults } = fromQuery(location.search);
let experiment: Experiment = linked;
let recording: Recording | null = null;
let curves: Curves | null = null;
let failure: Extract<Told, { type: 'failed' }> | null = null;
/** The task looked at; `null` follows the run. */
let looked: number | null = null;
let pool: PoolChoice = { learner: 0, picture: 0 };
let isSlow = false;

const session = new Session(hear);

/** What is to be drawn in the next frame. */
const stale = { status: false, stages: false };
let frame: number | null = null;
function refresh(what: Partial<typeof stale>): void {
  Object.assign(stale, what);
  if (frame !== null) return;
  frame = requestAnimationFrame(() => {
    frame = null;
    if (stale.status) drawStatus();
    if (stale.stages) drawStages();
    stale.status = false;
    stale.stages = false;
  });
}

function hear(told: Told): void {
  if (told.type === 'failed') failure = told;
  recording?.add(told);
  refresh({ status: true, stages: told.type === 'begun' || told.type === 'stage' || told.type === 'finished' });
}

function start(): void {
  curves?.dispose();
  failure = null;
  looked = null;
  recording = new Recording(experiment);
  pool = { learner: experiment.learners.length - 1, picture: 0 };
  parts.stage.hidden = false;
  curves = new Curves(recording, parts);
  session.start(experiment);
  if (isSlow) session.send({ type: 'slow', milliseconds: SLOW });
  refresh({ status: true, stages: true });
}

/** Another experiment: in the address at once, learnt once it is started. */
function change(next: Experiment): void {
  experiment = next;
  history.replaceState(null, '', toQuery(experiment));
  drawControls();
  drawSettings();
}

function pause(): void {
  session.send({ type: 'pause' });
}

function goOn(): void {
  session.send({ type: 'go on' });
  refresh({ status: true });
}

function buttons(): TemplateResult {
  const { state } = session;
  const isUnderWay = state === 'running' || state === 'paused' || state === 'starting';
  return html`<div class="buttons">
    <button class=${isUnderWay ? '' : 'primary'} @click=${start}>${state === 'idle' ? 'Start' : 'Start anew'}</button>
    ${
      isUnderWay
        ? html`<button class="primary" ?disabled=${state === 'starting'} @click=${state === 'paused' ? goOn : pause}>${state === 'paused' ? 'Go on' : 'Pause'}</button>
          <button ?disabled=${state !== 'paused'} @click=${() => session.send({ type: 'step' })}>One step</button>`
        : nothing
    }
    <label class="slow"><input type="checkbox" .checked=${isSlow} @change=${({ target }: Event) => {
      isSlow = (target as HTMLInputElement).checked;
      session.send({ type: 'slow', milliseconds: isSlow ? SLOW : 0 });
    }}> Slow motion</label></div>`;
}

function drawControls(): void {
  const notices = faults.map((text) => html`<p class="notice">${text}</p>`);
  render(
    html`${notices}${presets({ experiment, change })}${buttons()}${failure ? failureNotice(failure) : nothing}`,
    parts.controls,
  );
}

function failureNotice({ code, message, tasks }: Extract<Told, { type: 'failed' }>): TemplateResult {
  const kept =
    code === 'device-lost' && tasks > 0 ? html` What was learnt to task ${tasks} is on this page still.` : nothing;
  return html`<p class="notice bad" role="alert">${message}${kept}</p>`;
}

function statusText(all: Recording): string {
  const { state } = session;
  if (state === 'finished') return 'All tasks are learnt. Go back in time below, or look at another picture.';
  if (state === 'failed') return 'It stopped.';
  if (!all.begun) return 'Asking for the GPU, and reading the pictures…';
  const task = Math.min(all.tasksDone, all.tasks - 1);
  const names = all.begun.classes.slice(all.classesAfter(task), all.classesAfter(task + 1));
  const shown = names.length > 6 ? `${names.slice(0, 6).join(', ')} and ${names.length - 6} more` : names.join(', ');
  return `Task ${task + 1} of ${all.tasks}: ${shown}.${state === 'paused' ? ' Paused.' : ''}`;
}

function drawStatus(): void {
  drawControls();
  if (!recording) return;
  const all = recording;
  const task = Math.min(all.tasksDone, Math.max(0, all.tasks - 1));
  const bars = all.experiment.learners.map((name, learner) => {
    const latest = all.latest[learner];
    const isThere = latest?.task === task;
    const done = all.stages[learner]?.[task] ? 1 : isThere ? latest.done : 0;
    const loss = isThere ? `loss ${latest.loss.toFixed(3)}` : '';
    return html`<li><span class="key" data-line=${learner}></span><span>${name}</span>
      <progress max="1" .value=${done} aria-label="${name}, task ${task + 1}"></progress><span class="soft small loss">${loss}</span></li>`;
  });
  render(
    html`<div class="card"><p role="status">${statusText(all)}</p><ul class="progress">${bars}</ul>
      <p class="soft small">${all.begun ? `Learning on ${all.begun.adapter}.` : nothing}</p></div>`,
    parts.progress,
  );
  curves?.showLosses();
}

function travel(all: Recording, task: number): TemplateResult | typeof nothing {
  if (all.tasksDone < 1) return nothing;
  const last = all.tasksDone;
  const set = ({ target }: Event) => {
    const value = Number((target as HTMLInputElement).value) - 1;
    looked = value === last - 1 ? null : value;
    refresh({ stages: true });
  };
  return html`<div class="card travel"><label for="travel-task">Time travel: after task <output>${task + 1}</output> of ${all.tasks}</label>
    <input id="travel-task" type="range" min="1" max=${last} step="1" .value=${`${task + 1}`} ?disabled=${last < 2} @input=${set}></div>`;
}

function drawStages(): void {
  if (!recording) return;
  const all = recording;
  const task = looked ?? Math.max(0, all.tasksDone - 1);
  curves?.showStages();
  render(travel(all, task), parts.travel);
  render(html`${all.experiment.learners.map((_, learner) => learnerCard(all, learner, task))}`, parts.learners);
  const choose = (choice: PoolChoice) => {
    pool = choice;
    refresh({ stages: true });
  };
  render(poolView(all, task, pool, choose), parts.pool);
}

function drawSettings(): void {
  render(settingsForm({ experiment, change }), parts.settings);
}

drawControls();
drawSettings();
