/** The page: what is under way above, what was learnt below, and the settings. */
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { download } from '../shared/download.ts';
import { chosenFiles } from '../shared/given-files.ts';
import { fetchGzipped } from '../shared/gzipped.ts';
import { onceAFrame } from '../shared/once-a-frame.ts';
import { buttons, type Failure, failureNotice } from './controls.ts';
import { Curves } from './curves.ts';
import { type Experiment, fromQuery, toQuery } from './experiment.ts';
import { learnerCard } from './learner-card.ts';
import { type PoolChoice, poolView } from './pool-view.ts';
import { progressView } from './progress.ts';
import type { Told } from './protocol.ts';
import { Recording } from './recording.ts';
import { Session } from './session.ts';
import { presets, settingsForm } from './settings-form.ts';

/** Milliseconds that slow motion rests after each step. */
const SLOW = 400;
/** What is shown where there is no WebGPU; `npm run web:record` makes it. */
const RECORDED = new URL('./recorded.safetensors.gz', import.meta.url).href;

const part = (id: string): HTMLElement => document.getElementById(id) as HTMLElement;
const names = [
  'controls',
  'stage',
  'progress',
  'charts',
  'seen',
  'loss',
  'travel',
  'learners',
  'pool',
  'settings',
] as const;
const parts = Object.fromEntries(names.map((id) => [id, part(id)])) as Record<(typeof names)[number], HTMLElement>;

const { experiment: linked, faults } = fromQuery(location.search);
let experiment: Experiment = linked;
let recording: Recording | null = null;
let curves: Curves | null = null;
let failure: Failure | null = null;
/** The task looked at; `null` follows the run. */
let looked: number | null = null;
let pool: PoolChoice = { learner: 0, picture: 0 };
let isSlow = false;

const session = new Session(hear);

/** What is to be drawn in the next frame. */
const stale = { status: false, stages: false };
const redraw = onceAFrame(() => {
  if (stale.status) drawStatus();
  if (stale.stages) drawStages();
  Object.assign(stale, { status: false, stages: false });
});
function refresh(what: Partial<typeof stale>): void {
  Object.assign(stale, what);
  redraw();
}

function hear(told: Told): void {
  if (told.type === 'begun' && !(told.again && recording)) show(new Recording(told));
  if (told.type === 'saved') download('engram-runs.zip', told.archive);
  if (told.type === 'failed') {
    failure = told;
    // Of what was begun the worker has the only copy, to go on from once there is an adapter again.
    if (told.code === 'adapter' && !recording) playRecorded();
  }
  recording?.add(told);
  const isStage = told.type === 'begun' || told.type === 'stage' || told.type === 'finished';
  refresh(isStage ? { status: true, stages: true } : { status: true });
}

/** Clears the page for another run. */
function clear(): void {
  curves?.dispose();
  [curves, recording, looked, failure] = [null, null, null, null];
  parts.stage.hidden = false;
  for (const one of [parts.charts, parts.travel, parts.learners, parts.pool]) one.hidden = true;
}

function show(next: Recording): void {
  curves?.dispose();
  recording = next;
  pool = { learner: next.begun.learners.length - 1, picture: 0 };
  for (const one of [parts.charts, parts.travel, parts.learners, parts.pool]) one.hidden = false;
  curves = new Curves(next, parts);
}

function begin(command: Parameters<Session['begin']>[0]): void {
  clear();
  session.begin(command);
  if (isSlow) session.send({ type: 'slow', milliseconds: SLOW });
  refresh({ status: true });
}

async function open(event: Event): Promise<void> {
  const files = await chosenFiles(event);
  if (files.length > 0) begin({ type: 'open', files });
}

/** In the place of a run that cannot be. */
async function playRecorded(): Promise<void> {
  const { readRecording } = await import('./recording-file.ts');
  session.play(readRecording(await fetchGzipped(RECORDED), 'the recorded run'));
}

/** Another experiment: in the address at once, learnt once it is started. */
function change(next: Experiment): void {
  experiment = next;
  history.replaceState(null, '', toQuery(experiment));
  drawControls();
  drawSettings();
}

function drawControls(): void {
  const { state, isRecorded } = session;
  const controls = buttons({
    state,
    isRecorded,
    isSlow,
    isSaveable: (recording?.tasksDone ?? 0) > 0,
    start: () => begin({ type: 'start', experiment }),
    pause: () => session.send({ type: 'pause' }),
    goOn: () => {
      session.send({ type: 'go on' });
      refresh({ status: true });
    },
    step: () => session.send({ type: 'step' }),
    slow: (next) => {
      isSlow = next;
      session.send({ type: 'slow', milliseconds: next ? SLOW : 0 });
    },
    save: () => session.send({ type: 'save' }),
    open,
  });
  const recover = () => {
    failure = null;
    session.send({ type: 'recover' });
    refresh({ status: true });
  };
  const isBegun = recording !== null && !isRecorded;
  const notices = faults.map((text) => html`<p class="notice">${text}</p>`);
  render(
    html`${notices}${presets({ experiment, change })}${controls}${failure ? failureNotice(failure, isBegun, recover) : nothing}`,
    parts.controls,
  );
}

function drawStatus(): void {
  drawControls();
  render(progressView(recording, session.state, session.isRecorded), parts.progress);
  curves?.showLosses();
}

function travel({ tasksDone, tasks }: Recording, task: number): TemplateResult | typeof nothing {
  if (tasksDone < 1) return nothing;
  const set = ({ target }: Event) => {
    const value = Number((target as HTMLInputElement).value) - 1;
    looked = value === tasksDone - 1 ? null : value;
    refresh({ stages: true });
  };
  return html`<div class="card travel"><label for="travel-task">Time travel: after task <output>${task + 1}</output> of ${tasks}</label>
    <input id="travel-task" type="range" min="1" max=${tasksDone} step="1" .value=${`${task + 1}`} ?disabled=${tasksDone < 2} @input=${set}></div>`;
}

function drawStages(): void {
  if (!recording) return;
  const all = recording;
  const task = looked ?? Math.max(0, all.tasksDone - 1);
  curves?.showStages();
  render(travel(all, task), parts.travel);
  render(html`${all.begun.learners.map((_, learner) => learnerCard(all, learner, task))}`, parts.learners);
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
