/** The page: two landscapes, turned by hand, and what is under way. */
import { html, nothing, render } from 'lit-html';
import { chosenFiles } from '../shared/given-files.ts';
import { type Experiment, USUAL } from '../watch/experiment.ts';
import { moved, USUAL_CAMERA } from './camera.ts';
import { handle } from './gestures.ts';
import type { Command, Told } from './protocol.ts';

/** Short enough to look at: what the surface is like does not depend on the last points of accuracy. */
const EXPERIMENT: Experiment = {
  ...USUAL,
  learners: ['replay', 'fdkd'],
  tasks: 3,
  baseEpochs: 15,
  epochs: 15,
};

const part = (id: string): HTMLElement => document.getElementById(id) as HTMLElement;
const [controls, progress, surfaces, legend] = [part('controls'), part('progress'), part('surfaces'), part('legend')];

type Begun = Extract<Told, { type: 'begun' }>;

let worker: Worker | null = null;
let begun: Begun | null = null;
let learning: Extract<Told, { type: 'learning' }> | null = null;
let evaluated: Extract<Told, { type: 'evaluated' }> | null = null;
let failure: Extract<Told, { type: 'failed' }> | null = null;
let isFinished = false;
let accuracies: number[] = [];
let camera = USUAL_CAMERA;
let observer: ResizeObserver | null = null;

const send = (command: Command, transfer: Transferable[] = []): void => worker?.postMessage(command, transfer);

function begin(command: Extract<Command, { type: 'start' | 'open' }>): void {
  worker?.terminate();
  observer?.disconnect();
  [begun, learning, evaluated, failure, isFinished, accuracies] = [null, null, null, null, false, []];
  surfaces.replaceChildren();
  surfaces.hidden = true;
  legend.hidden = true;
  const own = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  own.addEventListener('message', ({ data }: MessageEvent<Told>) => {
    if (own === worker) hear(data);
  });
  own.addEventListener('error', ({ message }) => {
    if (own === worker)
      hear({ type: 'failed', code: 'unknown', message: message || 'The worker could not be started.' });
  });
  worker = own;
  own.postMessage(command);
  draw();
}

function hear(told: Told): void {
  if (told.type === 'begun') {
    begun = told;
    makeCanvases(told);
  }
  if (told.type === 'learning') learning = told;
  if (told.type === 'learnt') accuracies[told.learner] = told.accuracy;
  if (told.type === 'evaluated') evaluated = told;
  if (told.type === 'finished') isFinished = true;
  if (told.type === 'failed') failure = told;
  draw();
}

/** Pixels of the screen, no more than twice those of the page. */
function sizeOf(canvas: HTMLCanvasElement): { width: number; height: number } {
  const { width, height } = canvas.getBoundingClientRect();
  const ratio = Math.min(2, devicePixelRatio);
  return { width: Math.max(1, Math.round(width * ratio)), height: Math.max(1, Math.round(height * ratio)) };
}

/** Fresh ones for each run: those of a worker that was ended cannot be had back. */
function makeCanvases({ learners }: Begun): void {
  surfaces.hidden = false;
  legend.hidden = false;
  const made = learners.map(({ method }) => {
    const figure = document.createElement('figure');
    const caption = document.createElement('figcaption');
    caption.id = `caption-${method}`;
    const canvas = document.createElement('canvas');
    canvas.tabIndex = 0;
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-labelledby', caption.id);
    canvas.setAttribute('aria-describedby', 'how');
    figure.append(caption, canvas);
    surfaces.append(figure);
    return { canvas, caption };
  });
  for (const { canvas } of made) {
    handle(canvas, (yaw, pitch, factor) => {
      camera = moved(camera, yaw, pitch, factor);
      send({ type: 'camera', camera });
    });
  }
  const offscreen = made.map(({ canvas }) => {
    Object.assign(canvas, sizeOf(canvas));
    return canvas.transferControlToOffscreen();
  });
  send({ type: 'canvases', canvases: offscreen }, offscreen);
  observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const learner = made.findIndex(({ canvas }) => canvas === target);
      send({ type: 'size', learner, size: sizeOf(target as HTMLCanvasElement) });
    }
  });
  for (const { canvas } of made) observer.observe(canvas);
}

function statusText(): string {
  if (failure) return 'It stopped.';
  if (!begun) return 'Asking for the GPU, and reading the pictures…';
  if (isFinished)
    return 'All points are there. Drag to turn, pinch or scroll to come nearer, or use the arrow keys, + and −.';
  if (evaluated) {
    const { done, total, points, images } = evaluated;
    return `Evaluating ${points} × ${points} points, each on ${images} pictures: ${Math.round((100 * done) / total)} %.`;
  }
  if (learning) return `Learning task ${learning.task + 1} of ${begun.tasks}: ${Math.round(100 * learning.done)} %.`;
  return 'Looking at what was learnt…';
}

async function open(event: Event): Promise<void> {
  const files = await chosenFiles(event);
  if (files.length > 0) begin({ type: 'open', files });
}

function draw(): void {
  render(
    html`<div class="buttons"><button class="primary" @click=${() => begin({ type: 'start', experiment: EXPERIMENT })}>${worker ? 'Start anew' : 'Start'}</button>
      <label class="file">Open runs<input class="visually-hidden" type="file" multiple accept=".safetensors,.zip" @change=${open}></label>
      <span class="soft small">${EXPERIMENT.learners.join(' beside ')}, or runs that <a href="./index.html">Watch</a> gave to download</span></div>
      ${failure ? html`<p class="notice bad" role="alert">${failure.message}</p>` : nothing}`,
    controls,
  );
  if (!worker) return;
  render(
    html`<p role="status" id="how">${statusText()}</p>${begun ? html`<p class="soft small">On ${begun.adapter}.</p>` : nothing}`,
    progress,
  );
  for (const [learner, { method }] of (begun?.learners ?? []).entries()) {
    const accuracy = accuracies[learner];
    const caption = part(`caption-${method}`);
    caption.textContent = accuracy === undefined ? method : `${method}: ${accuracy.toFixed(0)} % of all classes right`;
  }
}

draw();
