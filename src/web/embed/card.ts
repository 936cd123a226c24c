/** An example on the page: what it shows, its buttons, its source. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { keyed } from 'lit-html/directives/keyed.js';
import { BROWSERS } from '../shared/browsers.ts';
import type { Example } from './examples.ts';
import { NoAdapter, type Running } from './running.ts';
import { coloured } from './source.ts';

export interface Card {
  readonly example: Example;
  /** Where it is the one that runs. */
  readonly running: Running | null;
  /** What it was ended by, when it was not the visitor. */
  readonly error: unknown;
  /** Another number is another canvas: the kind of context that an example draws with is chosen once. */
  readonly starts: number;
  /** Whether the visitor wants no motion that was not asked for. */
  readonly isCalm: boolean;
  readonly isCopied: boolean;
  readonly start: () => void;
  readonly stop: () => void;
  readonly pause: (isPaused: boolean) => void;
  readonly step: () => void;
  readonly copy: () => void;
}

function failureNotice(error: unknown): TemplateResult | typeof nothing {
  if (error === null) return nothing;
  const text = error instanceof Error ? error.message : String(error);
  return html`<div class="notice bad" role="alert"><p>${text}</p>${
    error instanceof NoAdapter ? html`<p>${BROWSERS}</p>` : nothing
  }</div>`;
}

const STATES = {
  starting: 'Starting …',
  running: 'Running',
  paused: 'Paused',
  stopping: 'Stopping …',
  stopped: 'Not running',
} as const;

/** The file's name and text never change: they are made once. */
const sources = new Map<Example, TemplateResult>();
function sourceOf(example: Example): TemplateResult {
  const made = sources.get(example) ?? html`<code>${coloured(example.source.trimEnd())}</code>`;
  sources.set(example, made);
  return made;
}

export function cardView(card: Card): TemplateResult {
  const { example, running, error, starts, isCalm, isCopied, start, stop, pause, step, copy } = card;
  const { id, title, says, fetches, source } = example;
  const state = running?.state ?? 'stopped';
  const losses = running?.losses ?? null;
  const buttons = html`<div class="buttons">
    <button ?disabled=${state === 'stopping'} @click=${stop}>Stop</button>
    <button ?disabled=${state !== 'running' && state !== 'paused'} @click=${() => pause(state !== 'paused')}>${state === 'paused' ? 'Go on' : 'Pause'}</button>
    <button ?disabled=${state !== 'paused'} @click=${step}>Step</button></div>`;
  return html`<section class="card" id=${id} aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    <p>${says}${fetches ? html` <span class="soft">Fetches ${fetches} when it is started first.</span>` : nothing}</p>
    <div class="pair">
      <div class="stage">
        <div class="screen">${keyed(starts, html`<canvas role="img" aria-label="${title}: what it draws"></canvas>`)}${
          running ? nothing : html`<button class="primary" aria-label="Start: ${title}" @click=${start}>Start</button>`
        }</div>
        <p class="state"><span role="status">${STATES[state]}${state === 'paused' && isCalm ? ', as your system asks for less motion' : nothing}</span>${
          losses
            ? html`<span class="losses">step <b>${losses.steps}</b>, loss ${losses.first.toPrecision(3)} → <b>${losses.latest.toPrecision(3)}</b></span>`
            : nothing
        }</p>
        ${running ? buttons : nothing}${failureNotice(error)}
      </div>
      <div class="source">
        <p class="file"><span>${id}.ts, ${source.trimEnd().split('\n').length} lines</span>
          <button aria-label="Copy the source of ${title}" @click=${copy}>${isCopied ? 'Copied' : 'Copy'}</button></p>
        <pre tabindex="0" role="region" aria-label="Source of ${title}">${sourceOf(example)}</pre>
      </div>
    </div>
  </section>`;
}
