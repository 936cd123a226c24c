/** The adapter as it tells of itself. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { WANTED_LIMITS } from '../../gpu/adapter/device-descriptor.ts';
import { type PartView, partHead } from './part-view.ts';
import type { AdapterReport } from './protocol.ts';

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Limits in bytes are told in units that divide them. */
function limitText(name: string, value: number): string {
  if (!/(Size|StorageSize)$/.test(name) || /WorkgroupSize[XYZ]$/.test(name)) return value.toLocaleString('en');
  let [size, unit] = [value, 0];
  while (size % 1024 === 0 && size > 0 && unit < UNITS.length - 1) [size, unit] = [size / 1024, unit + 1];
  return unit === 0 ? `${value.toLocaleString('en')} bytes` : `${size.toLocaleString('en')} ${UNITS[unit]}`;
}

function textOf(value: unknown): string {
  if (value === '' || value === undefined) return 'not told';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A name that may be broken before its capitals. */
const breakable = (name: string): TemplateResult =>
  html`${name.split(/(?=[A-Z][a-z])/).map((piece, at) => (at === 0 ? piece : html`<wbr>${piece}`))}`;

const rows = (caption: string, entries: readonly (readonly [string, string])[]): TemplateResult =>
  html`<div class="scroll"><table class="told"><caption>${caption}</caption><tbody>${entries.map(
    ([name, text]) => html`<tr><th scope="row">${breakable(name)}</th><td>${text}</td></tr>`,
  )}</tbody></table></div>`;

function uses({ uses }: AdapterReport): TemplateResult {
  return html`<div class="scroll"><table class="uses"><caption>What the engine makes use of</caption>
    <thead><tr><th scope="col">feature</th><th scope="col">here</th><th scope="col">for</th></tr></thead>
    <tbody>${uses.map(
      ({ name, feature, has, says }) =>
        html`<tr><th scope="row">${name}${feature === name ? nothing : html`<small>${feature}</small>`}</th><td data-has=${has}>${has ? 'yes' : 'no'}</td><td>${says}</td></tr>`,
    )}</tbody></table></div>`;
}

function details(report: AdapterReport): TemplateResult {
  const { info, features, limits, kind, description } = report;
  const wanted = new Set<string>(WANTED_LIMITS);
  const told = Object.entries(info).map(([name, value]) => [name, textOf(value)] as const);
  const limitsOf = (isWanted: boolean) =>
    Object.entries(limits)
      .filter(([name]) => wanted.has(name) === isWanted)
      .map(([name, value]) => [name, limitText(name, value)] as const);
  return html`<p class="name"><strong>${description}</strong></p>
    ${
      kind === 'software'
        ? html`<p class="notice">This is no GPU: the browser computes on the processor in place of one. All works, slowly, and what is measured is small.</p>`
        : nothing
    }
    <div class="columns"><div>${uses(report)}</div>
    <div>${rows('Limits that the engine raises to what the adapter has', limitsOf(true))}</div></div>
    <details><summary>All that it tells: info, ${features.length} features, every limit</summary>
    <div class="columns"><div>${rows('Info', told)}
    <h3>Features</h3><p class="features">${features.map((feature) => html`<code>${feature}</code> `)}</p></div>
    <div>${rows('Other limits', limitsOf(false))}</div></div></details>`;
}

export function adapterView(view: PartView): TemplateResult {
  const { adapter } = view.findings;
  const waiting = html`<p class="soft">Not known yet.</p>`;
  return html`${partHead('adapter', 'The adapter', 'Ask', view)}<div class="card">${adapter ? details(adapter) : waiting}</div>`;
}
