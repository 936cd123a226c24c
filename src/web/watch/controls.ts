/** What a visitor can do with a run, and what is to be known of it. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { BROWSERS } from '../shared/browsers.ts';
import type { Told } from './protocol.ts';
import type { State } from './session.ts';

export type Failure = Extract<Told, { type: 'failed' }>;

export interface Controls {
  readonly state: State;
  readonly isRecorded: boolean;
  readonly isSlow: boolean;
  /** Whether a task is finished, and with it something to download. */
  readonly isSaveable: boolean;
  readonly start: () => void;
  readonly pause: () => void;
  readonly goOn: () => void;
  readonly step: () => void;
  readonly slow: (isSlow: boolean) => void;
  readonly save: () => void;
  /** Told when files were chosen. */
  readonly open: (event: Event) => void;
}

export function buttons(controls: Controls): TemplateResult {
  const { state, isRecorded, isSlow, isSaveable, start, pause, goOn, step, slow, save, open } = controls;
  const isUnderWay = state === 'running' || state === 'paused' || state === 'starting';
  const running = html`<button class="primary" ?disabled=${state === 'starting'} @click=${state === 'paused' ? goOn : pause}>${
    state === 'paused' ? 'Go on' : 'Pause'
  }</button> <button ?disabled=${state !== 'paused'} @click=${step}>One step</button>`;
  return html`<div class="buttons">
    <button class=${isUnderWay ? '' : 'primary'} @click=${start}>${state === 'idle' ? 'Start' : 'Start anew'}</button>
    ${isUnderWay ? running : nothing}
    <label class="slow"><input type="checkbox" .checked=${isSlow} @change=${({ target }: Event) => slow((target as HTMLInputElement).checked)}> Slow motion</label>
    <span class="files">${isSaveable && !isRecorded ? html`<button @click=${save}>Download the runs</button>` : nothing}
    <label class="file">Open runs<input class="visually-hidden" type="file" multiple accept=".safetensors,.zip" @change=${open}></label></span></div>`;
}

/**
 * What went wrong, and what can be done about it.
 * @param isBegun whether there is a run to go on with.
 * @param recover goes on after the device was lost.
 */
export function failureNotice({ code, message }: Failure, isBegun: boolean, recover: () => void): TemplateResult {
  if (code === 'adapter' && !isBegun) {
    return html`<div class="notice bad" role="alert"><p>${message}</p>
      <p>${BROWSERS}
      What you see here was recorded: the same page, on a software adapter.</p></div>`;
  }
  return html`<div class="notice bad" role="alert"><p>${message}</p>${
    code === 'device-lost' || code === 'adapter'
      ? html`<p>All that was learnt to the last finished task is kept. <button @click=${recover}>Go on from there</button></p>`
      : nothing
  }</div>`;
}
