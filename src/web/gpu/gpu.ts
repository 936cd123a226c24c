/** The page: what to run above, what was found below, each part in its section. */
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { adapterView } from './adapter-view.ts';
import { conformanceView } from './conformance-view.ts';
import { filesView } from './files-view.ts';
import { Findings } from './findings.ts';
import type { PartView } from './part-view.ts';
import { GPUS, type GpuChoice, PARTS, type Part, type Told } from './protocol.ts';
import { benchmarksView, ceilingsView } from './rates-view.ts';
import { Session } from './session.ts';
import { variantsView } from './variants-view.ts';

const GPU_SAYS: Readonly<Record<GpuChoice, string>> = {
  'high-performance': 'the fastest',
  'low-power': 'the one that saves power',
  software: 'none: on the processor',
};
const PART_SAYS: Readonly<Record<Part, string>> = {
  adapter: 'Asking for the adapter',
  ceilings: 'Measuring the ceilings',
  benchmarks: 'Measuring kernels and training steps',
  variants: 'Measuring variants',
  conformance: 'Checking the answers',
};
const VIEWS = {
  adapter: adapterView,
  ceilings: ceilingsView,
  benchmarks: benchmarksView,
  variants: variantsView,
  conformance: conformanceView,
} as const satisfies Record<Part, (view: PartView) => TemplateResult>;

const section = (id: string): HTMLElement => document.getElementById(id) as HTMLElement;

const query = new URLSearchParams(location.search);
let gpu = GPUS.find((name) => name === query.get('gpu')) ?? 'high-performance';
let only = query.get('only') ?? '';
let findings = new Findings();
let part: Part | null = null;
/** What is to be said of the last run. */
let notice: { readonly text: string; readonly isBad: boolean } | null = null;

const session = new Session(hear);

const stale = new Set<Part | 'controls'>();
function refresh(...what: (Part | 'controls')[]): void {
  if (stale.size === 0) requestAnimationFrame(draw);
  for (const one of what) stale.add(one);
}
const refreshAll = (): void => refresh('controls', ...PARTS);

function draw(): void {
  const view: PartView = { findings, isBusy: session.isBusy, run: (wanted) => run([wanted]) };
  for (const one of PARTS) if (stale.has(one)) render(VIEWS[one](view), section(one));
  render(controls(), section('controls'));
  render(filesView(findings), section('files'));
  stale.clear();
}

function hear(told: Told): void {
  findings.add(told);
  if (told.type === 'begun') {
    part = told.part;
    // The button of every part waits for the end of this one.
    refreshAll();
  } else if (told.type === 'finished' || told.type === 'failed') {
    notice = told.type === 'finished' ? null : { text: failureText(), isBad: true };
    part = null;
    refreshAll();
  } else if (part) refresh('controls', ...(told.type === 'doing' ? [] : [part]));
  // Shares of ceilings stand elsewhere too.
  if (told.type === 'measured' && told.part === 'ceilings') refresh('benchmarks', 'variants');
}

function failureText(): string {
  const { message = '', at = null } = findings.failure ?? {};
  const where = at === null ? '' : ` It came at ${at}.`;
  const kept = findings.adapter ? ' What was found until then is kept below, and can be downloaded.' : '';
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}${where}${kept}`;
}

function run(parts: readonly Part[]): void {
  // Buttons are not disabled meanwhile: whoever goes by keyboard would lose the place.
  if (session.isBusy) return;
  notice = null;
  session.run(parts, gpu, only.split(/[\s,]+/).filter(Boolean));
  refreshAll();
}

function stop(): void {
  session.stop();
  findings.breakOff('stopped');
  part = null;
  notice = { text: 'Stopped. What was found until then is kept below.', isBad: false };
  refreshAll();
}

function toAddress(): void {
  const next = new URLSearchParams();
  if (gpu !== 'high-performance') next.set('gpu', gpu);
  if (only.trim() !== '') next.set('only', only.trim());
  history.replaceState(null, '', next.size > 0 ? `?${next}` : location.pathname);
}

/** Results of one adapter only stand together. */
function choose(choice: GpuChoice): void {
  session.stop();
  gpu = choice;
  findings = new Findings();
  toAddress();
  run(['adapter']);
}

function controls(): TemplateResult {
  const { isBusy } = session;
  return html`<div class="card controls"><div class="buttons">
      <button class="primary" aria-disabled=${isBusy} @click=${() => run(PARTS)}>Run everything</button>
      <button ?disabled=${!isBusy} @click=${stop}>Stop</button></div>
    <div class="fields"><div><label for="gpu">Which GPU</label>
      <select id="gpu" ?disabled=${isBusy} @change=${({ target }: Event) => choose((target as HTMLSelectElement).value as GpuChoice)}>${GPUS.map(
        (name) => html`<option value=${name} ?selected=${name === gpu}>${GPU_SAYS[name]}</option>`,
      )}</select></div>
    <div class="wide"><label for="only">Only what begins with</label>
      <input id="only" .value=${only} ?disabled=${isBusy} placeholder="everything" spellcheck="false" autocomplete="off" aria-describedby="only-says"
        @change=${({ target }: Event) => {
          only = (target as HTMLInputElement).value;
          toAddress();
        }}>
      <p class="soft small" id="only-says">Beginnings of names, such as <code>matmul conv2d_3 train-step/resnet8</code>: any benchmark of the project, piece of work or
      reference case.</p></div></div>
    ${status()}</div>`;
}

function status(): TemplateResult | typeof nothing {
  if (notice) return html`<p class=${notice.isBad ? 'notice bad' : 'notice'} role="alert">${notice.text}</p>`;
  if (!session.isBusy)
    return html`<p role="status" class="soft">${findings.isWhole ? 'All is done.' : 'A run of everything takes about a minute on a GPU, two without one.'}</p>`;
  const { doing } = findings;
  return html`<p role="status">${part ? PART_SAYS[part] : 'Beginning'}…</p>
    <div class="progress"><progress max=${doing?.total ?? 1} .value=${doing?.done ?? 0} aria-label="Progress of this part"></progress>
    <span class="soft small">${doing ? `${doing.done + 1} of ${doing.total}: ${doing.name}` : nothing}</span></div>`;
}

draw();
run(['adapter']);
