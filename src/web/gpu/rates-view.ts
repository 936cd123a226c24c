/** The ceilings, and the benchmarks as shares of them. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { type Result, rate } from '../../../bench/bench-line.ts';
import type { Findings } from './findings.ts';
import { figure, leftOut, milliseconds, type PartView, partHead, shareCell } from './part-view.ts';

const CEILINGS: Readonly<Record<string, { title: string; says: string }>> = {
  'ceiling/copy': { title: 'Memory', says: 'a copy from one buffer to another, both counted' },
  'ceiling/fma': { title: 'Arithmetic', says: 'multiplications with additions in registers, f32' },
  'ceiling/fma-f16': { title: 'Arithmetic in f16', says: 'the same in half the bits' },
};

/** GFLOP/s beyond a thousand are TFLOP/s, and so for bytes. */
function rateText(value: number, unit: 'FLOP/s' | 'B/s'): TemplateResult {
  const [text, prefix] = value >= 1000 ? [figure(value / 1000), 'T'] : [figure(value), 'G'];
  return html`<strong>${text}</strong> ${prefix}${unit}`;
}

function ceiling(name: string, findings: Findings): TemplateResult | typeof nothing {
  const { title = name, says = '' } = CEILINGS[name] ?? {};
  const result = findings.ceilings.get(name);
  const most = findings.ceiling(name);
  if (!result || most === undefined) return nothing;
  return html`<div class="card ceiling"><h3>${title}</h3><p class="most">${rateText(most, result.flops === undefined ? 'B/s' : 'FLOP/s')}</p>
    <p class="soft small">${says}: ${milliseconds(result.min)} ms at best, ${milliseconds(result.ms)} ms in the median of ${result.runs} runs.</p></div>`;
}

export function ceilingsView(view: PartView): TemplateResult {
  const { findings } = view;
  return html`${partHead('ceilings', 'What it can do at most', 'Measure', view)}
    <p class="soft">Measured here and now. Everything below is told as a share of it.</p>
    <div class="ceilings">${Object.keys(CEILINGS).map((name) => ceiling(name, findings))}</div>${leftOut('ceilings', view)}`;
}

/** Groups of benchmarks by what their names begin with; others by their first word. */
const GROUPS: readonly (readonly [string, string])[] = [
  ['matmul/', 'Matrix product'],
  ['conv2d/forward/', 'Convolution'],
  ['conv2d/input-gradient/', 'Convolution, gradient of its input'],
  ['conv2d/weight-gradient/', 'Convolution, gradient of its weights'],
  ['dkd/', 'Dense distillation, with its gradient'],
  ['train-step/', 'Training step'],
];

function groupOf(name: string): readonly [string, string] {
  const first = `${name.split('/')[0]}/`;
  return GROUPS.find(([beginning]) => name.startsWith(beginning)) ?? [first, first.slice(0, -1)];
}

/** What else is known of a result. */
function remarks({ launches, javascript, handover, ratio, versus }: Result): string {
  return [
    ratio === undefined ? '' : `${figure(ratio)} × ${versus}`,
    launches === undefined ? '' : `${launches} launches`,
    javascript === undefined ? '' : `${milliseconds(javascript)} ms of JavaScript`,
    handover === undefined ? '' : `handed over in ${milliseconds(handover)} ms`,
  ]
    .filter(Boolean)
    .join(', ');
}

function row(result: Result, beginning: string, findings: Findings): TemplateResult {
  const { name, ms, min, flops, bytes } = result;
  const reached = rate(flops ?? bytes, ms);
  const unit = flops === undefined ? 'GB/s' : 'GFLOP/s';
  const more = remarks(result);
  return html`<tr><th scope="row">${name.slice(beginning.length)}${more ? html`<small>${more}</small>` : nothing}</th>
    <td>${milliseconds(ms)}</td><td>${milliseconds(min)}</td><td>${reached === undefined ? '–' : html`${figure(reached)} <small>${unit}</small>`}</td>
    ${shareCell(findings.shareOf(name, result))}</tr>`;
}

function table(findings: Findings): TemplateResult {
  const groups = new Map<string, { title: string; results: Result[] }>();
  for (const result of findings.benchmarks.values()) {
    const [beginning, title] = groupOf(result.name);
    const group = groups.get(beginning) ?? { title, results: [] };
    group.results.push(result);
    groups.set(beginning, group);
  }
  return html`<div class="scroll"><table class="rates">
    <caption>Milliseconds of one run, median and fastest; the rate of the median; and that as a share of the ceiling: arithmetic for FLOP/s, memory for
    B/s. What fits into caches may go beyond memory’s.</caption>
    <thead><tr><th scope="col">work</th><th scope="col">ms</th><th scope="col">fastest</th><th scope="col">rate</th><th scope="col">of the ceiling</th></tr></thead>
    ${[...groups].map(
      ([beginning, { title, results }]) =>
        html`<tbody><tr><th scope="rowgroup" colspan="5">${title}</th></tr>${results.map((result) =>
          row(result, beginning, findings),
        )}</tbody>`,
    )}</table></div>`;
}

export function benchmarksView(view: PartView): TemplateResult {
  const { findings } = view;
  const some = findings.benchmarks.size > 0;
  return html`${partHead('benchmarks', 'Kernels and training steps', 'Measure', view)}
    <div class="card">${some ? table(findings) : html`<p class="soft">Matrix products, convolutions with both gradients, dense distillation, a training step of ResNet-20.</p>`}${leftOut('benchmarks', view)}</div>`;
}
