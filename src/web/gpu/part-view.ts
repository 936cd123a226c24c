/** What the sections of the page have in common: a head with a button and what became of the part, and bars of shares. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Findings, PartState, Share } from './findings.ts';
import type { Part } from './protocol.ts';

export interface PartView {
  readonly findings: Findings;
  /** Whether anything is under way. */
  readonly isBusy: boolean;
  readonly run: (part: Part) => void;
}

const SAYS: Readonly<Record<PartState, string>> = {
  'not yet': '',
  'under way': 'under way',
  done: 'done',
  stopped: 'stopped before its end',
  failed: 'broken off by a failure',
};

/** @param button what running the part is called. */
export function partHead(
  part: Part,
  title: string,
  button: string,
  { findings, isBusy, run }: PartView,
): TemplateResult {
  const state = findings.stateOf(part);
  const again = state === 'not yet' ? button : `${button} again`;
  return html`<div class="head"><h2 id="${part}-title">${title}</h2>
    <span class="state" data-state=${state}>${SAYS[state]}</span>
    <button aria-disabled=${isBusy} @click=${() => run(part)}>${again}</button></div>`;
}

/** What could not be measured, and why. */
export function leftOut(part: Part, { findings }: PartView): TemplateResult | typeof nothing {
  const all = findings.leftOut.get(part) ?? [];
  if (all.length === 0) return nothing;
  return html`<ul class="left-out">${all.map(({ name, why }) => html`<li><strong>${name}</strong> left out: ${why}</li>`)}</ul>`;
}

/** A bar as long as a share of one, and the share in percent. */
export function bar(share: number, kind: 'ceiling' | 'chosen' | 'other' = 'ceiling'): TemplateResult {
  const percent = 100 * share;
  const text = percent < 9.95 ? percent.toFixed(1) : percent.toFixed(0);
  return html`<span class="bar"><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
    <rect class="all" width="100" height="10"></rect><rect class=${kind} width=${Math.min(100, percent).toFixed(2)} height="10"></rect>
    </svg><span>${text} %</span></span>`;
}

export const shareCell = (share: Share | null): TemplateResult => html`<td>${share ? bar(share.share) : '–'}</td>`;

/** Milliseconds with digits enough to compare. */
export const milliseconds = (ms: number): string =>
  ms < 0.1 ? ms.toFixed(4) : ms < 10 ? ms.toFixed(3) : ms.toFixed(1);

/** A rate or a ratio, by three digits or more. */
export const figure = (value: number): string => (value < 100 ? value.toPrecision(3) : value.toFixed(0));
