/** The page: examples, one of which may run. */
import { html, render } from 'lit-html';
import { onceAFrame } from '../shared/once-a-frame.ts';
import { type Card, cardView } from './card.ts';
import { EXAMPLES, type Example } from './examples.ts';
import { Running } from './running.ts';

const part = document.getElementById('examples') as HTMLElement;
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const starts = new Map<Example, number>();
let running: Running | null = null;
let failed: { readonly example: Example; readonly error: unknown } | null = null;
let copied: Example | null = null;

/** What was told since the last frame is shown in the next. */
const refresh = onceAFrame(draw);

/** @returns when nothing runs any more. */
async function stop(): Promise<void> {
  const ending = running;
  if (!ending) return;
  ending.stop();
  draw();
  await ending.done.catch(() => {}); // told by who started it
}

async function start(example: Example): Promise<void> {
  await stop();
  // Another one was started meanwhile.
  if (running) return;
  failed = null;
  starts.set(example, (starts.get(example) ?? 0) + 1);
  draw();
  const canvas = part.querySelector(`#${example.id} canvas`) as HTMLCanvasElement;
  canvas.width = canvas.height = Math.round(canvas.clientWidth * Math.min(devicePixelRatio, 2));
  running = new Running(example, canvas, calm.matches, refresh);
  draw();
  part.querySelector<HTMLElement>(`#${example.id} .buttons button`)?.focus();
  try {
    await running.done;
  } catch (error) {
    failed = { example, error };
  }
  running = null;
  const wasFocused = part.querySelector(`#${example.id} .buttons`)?.contains(document.activeElement);
  draw();
  // The buttons are gone.
  if (wasFocused) part.querySelector<HTMLElement>(`#${example.id} .screen button`)?.focus();
}

async function copy(example: Example): Promise<void> {
  try {
    await navigator.clipboard.writeText(example.source);
    copied = example;
    draw();
  } catch {
    // Not on a page without https, and not without the visitor's leave: ready to be copied by hand.
    const pre = part.querySelector<HTMLElement>(`#${example.id} pre`);
    pre?.focus();
    if (pre) getSelection()?.selectAllChildren(pre);
  }
}

const cardOf = (example: Example): Card => {
  const own = running?.example === example ? running : null;
  return {
    example,
    running: own,
    error: failed?.example === example ? failed.error : null,
    starts: starts.get(example) ?? 0,
    isCalm: calm.matches,
    isCopied: copied === example,
    start: () => start(example),
    stop,
    pause: (isPaused) => {
      if (own) own.frames.isPaused = isPaused;
      draw();
    },
    step: () => own?.frames.step(),
    copy: () => copy(example),
  };
};

function draw(): void {
  render(html`${EXAMPLES.map((example) => cardView(cardOf(example)))}`, part);
}

draw();
