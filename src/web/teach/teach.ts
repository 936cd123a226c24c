/** The page: what is shown to the network, what it says, and what is kept. */
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { BROWSERS } from '../shared/browsers.ts';
import { download } from '../shared/download.ts';
import { chosenFiles, type GivenFile, takenFiles } from '../shared/given-files.ts';
import { onceAFrame } from '../shared/once-a-frame.ts';
import { answersView, NAMES } from './answers-view.ts';
import { Camera } from './camera.ts';
import { classesView } from './classes-view.ts';
import { type Dropped, droppedFiles, folderFiles } from './dropped.ts';
import { filesView, giveView, type Source, sourcesView } from './give-view.ts';
import { keepView, type Replacing } from './keep-view.ts';
import { lostView } from './lost-view.ts';
import { Pad } from './pad.ts';
import type { Command, Given, OwnClass, Told } from './protocol.ts';
import { hasEnough, hasNew } from './recipe.ts';

/** Milliseconds between pictures of the camera that are asked about, and between those of a burst. */
const [LOOK, BURST] = [400, 250];
const BURST_PICTURES = 10;
const NAMELESS = 'Say first what it is: the pictures need the name of a class.';

const part = <T extends HTMLElement = HTMLElement>(id: string): T => document.getElementById(id) as T;
const ids = [
  'notices',
  'desk',
  'sources',
  'draw',
  'camera',
  'files',
  'give',
  'answers',
  'classes',
  'lost',
  'keep',
] as const;
const parts = Object.fromEntries(ids.map((id) => [id, part(id)])) as Record<(typeof ids)[number], HTMLElement>;

type Of<T extends Told['type']> = Extract<Told, { type: T }>;
let ready: Of<'ready'> | null = null;
let classes: readonly OwnClass[] = [];
let outcome: Of<'stages'> | null = null;
let answers: Of<'answers'>['answers'] | null = null;
let learning: Of<'learning'>['at'] = null;
let isTeaching = false;
let fault: string | null | undefined;
let isElsewhere = false;
type Failure = Pick<Of<'failed'>, 'code' | 'message' | 'isOver'>;
let failure: Failure | null = null;
let source: Source = 'draw';
let name = '';
let renaming: string | null = null;
let replacing: { readonly what: Replacing; readonly file: GivenFile | null } | null = null;

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const send = (command: Command): void => worker.postMessage(command);
const redraw = onceAFrame(draw);

const pad = new Pad(part<HTMLCanvasElement>('pad'), onceAFrame(look));
const camera = new Camera(part<HTMLVideoElement>('video'));

function told(message: Told): void {
  switch (message.type) {
    case 'ready':
      [ready, isElsewhere, isTeaching, answers] = [message, false, false, null];
      break;
    case 'classes':
      classes = message.classes;
      break;
    case 'answers':
      answers = message.answers;
      break;
    case 'learning':
      learning = message.at;
      if (!message.at) isTeaching = false;
      break;
    case 'stages':
      outcome = message;
      // What is on the sheet may be known now.
      look();
      break;
    case 'stored':
      fault = message.fault;
      break;
    case 'exported':
      download('engram-learner.safetensors', message.bytes);
      break;
    case 'elsewhere':
      isElsewhere = true;
      leaveCamera();
      break;
    case 'failed':
      failure = message;
      if (message.isOver) {
        isTeaching = false;
        leaveCamera();
      }
      break;
  }
  redraw();
}
worker.addEventListener('message', ({ data }: MessageEvent<Told>) => told(data));
worker.addEventListener('error', ({ message }) =>
  told({ type: 'failed', code: 'unknown', message: message || 'The worker could not be started.', isOver: true }),
);

/** Where nothing would show that it is on. */
function leaveCamera(): void {
  camera.stop();
  if (source === 'camera') source = 'draw';
}

/** Says something of what the visitor did. */
function say(message: string): void {
  failure = { code: 'input', message, isOver: false };
  redraw();
}

/** Asks what the latest picture is. */
function look(): void {
  const picture = source === 'draw' ? pad.picture() : source === 'camera' ? camera.picture() : null;
  if (picture && ready) send({ type: 'ask', picture });
}
setInterval(() => {
  if (camera.isOn && !document.hidden) look();
}, LOOK);

function add(pictures: readonly Given[], to = name.trim()): void {
  if (to === '') {
    say(NAMELESS);
    return;
  }
  failure = null;
  send({ type: 'add', name: to, pictures });
}

function addLatest(event: Event): void {
  event.preventDefault();
  const picture = source === 'draw' ? pad.picture() : camera.picture();
  if (picture) {
    // A sheet whose drawing went nowhere stays as it is.
    const isNamed = name.trim() !== '';
    add([picture]);
    if (isNamed && source === 'draw') clearPad();
  } else {
    say(source === 'draw' ? 'The sheet is empty: draw something first.' : 'The camera shows nothing yet.');
  }
}

function clearPad(): void {
  pad.clear();
  answers = null;
  redraw();
}

async function burst(): Promise<void> {
  for (let taken = 0; taken < BURST_PICTURES && camera.isOn; taken++) {
    const picture = camera.picture();
    if (picture) add([picture]);
    await new Promise((later) => setTimeout(later, BURST));
  }
}

function addDropped(dropped: Dropped): void {
  if (dropped.size === 0) say('There are no files in it.');
  for (const [folder, files] of dropped) add(files, folder ?? name.trim());
}

async function chooseSource(next: Source): Promise<void> {
  source = next;
  answers = null;
  if (source === 'camera') {
    try {
      await camera.start();
      if (camera.isOn) failure = null;
    } catch (error) {
      say((error as Error).message);
    }
  } else {
    camera.stop();
  }
  redraw();
  look();
}

function teach(): void {
  [failure, isTeaching] = [null, true];
  send({ type: 'teach' });
  redraw();
}

async function importFile(event: Event): Promise<void> {
  const [file] = await chosenFiles(event);
  if (!file) return;
  if (classes.length === 0) return send({ type: 'import', file });
  replacing = { what: { by: 'file', name: file.name }, file };
  redraw();
}

function replace(): void {
  if (replacing) send(replacing.file ? { type: 'import', file: replacing.file } : { type: 'start over' });
  [replacing, failure] = [null, null];
  redraw();
}

function failureNotice(): TemplateResult | typeof nothing {
  if (!failure) return nothing;
  const { code, message, isOver } = failure;
  const again = () => {
    // What is shown cannot be used until another device has it.
    [failure, ready] = [null, null];
    send({ type: 'recover' });
    redraw();
  };
  const close = () => {
    failure = null;
    redraw();
  };
  const anew = () => {
    failure = null;
    send({ type: 'start over' });
    redraw();
  };
  const more =
    code === 'adapter'
      ? html`<p>${BROWSERS} <a href="./index.html">Watch</a> shows a recorded run where there is none.</p>`
      : code === 'device-lost'
        ? html`<p>All that you showed and taught is kept. <button @click=${again}>Go on</button></p>`
        : isOver
          ? html`<p>Reload the page to try again. Should what is kept in this browser be damaged: <button @click=${anew}>Start over without it</button></p>`
          : html`<p><button @click=${close}>Understood</button></p>`;
  return html`<div class="notice bad" role="alert"><p>${message}</p>${more}</div>`;
}

function state(): string {
  if (failure?.isOver) return 'It stopped.';
  if (!ready) return 'Asking for the GPU, and fetching the network…';
  if (isTeaching) {
    if (!learning) return 'Learning…';
    return `${NAMES[learning.pupil]}: learning, loss ${learning.loss.toFixed(2)}.`;
  }
  if (classes.some(({ isKnown }) => isKnown)) return 'Draw what you taught, or a letter: what do the two take it for?';
  return 'Draw a letter, or something that it has never seen.';
}

function notices(): TemplateResult {
  const takeOver = () => {
    [isElsewhere, ready] = [false, null];
    send({ type: 'take over' });
    redraw();
  };
  const made = ready?.made;
  return html`${failureNotice()}${
    isElsewhere
      ? html`<div class="notice" role="alert"><p>Another tab has this learner: two would overwrite each other. Go on there, or here.</p><p><button @click=${takeOver}>Go on here</button></p></div>`
      : html`<div class="card"><p role="status">${state()}</p>${
          isTeaching
            ? html`<progress class="task" max="1" .value=${learning?.done ?? 0} aria-label="The task under way"></progress>`
            : nothing
        }${
          ready
            ? html`<p class="soft small">${
                made
                  ? `It knows ${ready.oldClasses} letters, digits and signs: right on ${made.accuracy} % of ${made.pictures} pictures in typefaces that it never saw. `
                  : ''
              }On ${ready.adapter}.</p>`
            : nothing
        }</div>`
  }`;
}

/** What was said last: something new is scrolled to, since on a phone the sheet may fill the screen. */
let saidLast: Failure | null = null;

function draw(): void {
  render(notices(), parts.notices);
  if (failure && failure !== saidLast) parts.notices.scrollIntoView({ block: 'nearest' });
  saidLast = failure;
  const isUsable = ready !== null && !isElsewhere && !failure?.isOver;
  for (const one of ['desk', 'classes', 'lost', 'keep'] as const) parts[one].hidden = !isUsable;
  if (!ready || !isUsable) return;
  parts.draw.hidden = source !== 'draw';
  parts.camera.hidden = source !== 'camera' || !camera.isOn;
  parts.files.hidden = source !== 'files';
  const { format } = ready;
  const own = classes.find((one) => one.name === name.trim());
  render(sourcesView(source, chooseSource), parts.sources);
  render(
    filesView((event, isFolder) => {
      const files = takenFiles(event);
      if (isFolder) addDropped(folderFiles(files));
      else if (files.length > 0) add(files);
    }),
    parts.files,
  );
  render(
    giveView({
      source,
      name,
      names: classes.map((one) => one.name),
      isCameraOn: camera.isOn,
      count: own?.count ?? 0,
      isBusy: isTeaching,
      canTeach: classes.some((one) => hasEnough(one) && hasNew(one)),
      setName: (next) => {
        name = next;
        redraw();
      },
      add: addLatest,
      burst,
      clear: clearPad,
      teach,
      stop: () => send({ type: 'stop' }),
    }),
    parts.give,
  );
  render(answersView(answers), parts.answers);
  render(
    classesView({
      classes,
      format,
      isBusy: isTeaching,
      renaming,
      choose: (next) => {
        name = next;
        redraw();
        parts.desk.scrollIntoView({ block: 'start' });
      },
      beginRename: (next) => {
        renaming = next;
        redraw();
      },
      rename: (from, to) => {
        renaming = null;
        if (name === from) name = to;
        send({ type: 'rename', name: from, to });
        redraw();
      },
      remove: (of, picture) => send({ type: 'remove', name: of, picture }),
    }),
    parts.classes,
  );
  render(outcome ? lostView(outcome.stages, outcome.lost, ready) : nothing, parts.lost);
  render(
    keepView({
      fault,
      isBusy: isTeaching,
      replacing: replacing?.what ?? null,
      exported: () => send({ type: 'export' }),
      imported: importFile,
      startOver: () => {
        replacing = { what: { by: 'network' }, file: null };
        redraw();
      },
      replace,
      leave: () => {
        replacing = null;
        redraw();
      },
    }),
    parts.keep,
  );
}

document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', async (event) => {
  event.preventDefault();
  if (event.dataTransfer && ready && !isElsewhere) addDropped(await droppedFiles(event.dataTransfer));
});
document.addEventListener('paste', async (event) => {
  if (event.target instanceof HTMLInputElement || !event.clipboardData || !ready || isElsewhere) return;
  addDropped(await droppedFiles(event.clipboardData));
});

draw();
send({ type: 'start' });
