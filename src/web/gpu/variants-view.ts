/** The variants of pieces of work, the fastest first, and which are chosen. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { rate } from '../../../bench/bench-line.ts';
import type { Findings } from './findings.ts';
import { bar, figure, leftOut, milliseconds, type PartView, partHead } from './part-view.ts';
import type { MeasuredPiece, VariantTime } from './protocol.ts';

const slowness = ({ ms }: VariantTime): number => ms ?? Number.POSITIVE_INFINITY;

function row(piece: MeasuredPiece, one: VariantTime, findings: Findings): TemplateResult {
  const { variant, ms, isPromising, fault } = one;
  const marks = [
    ...(variant === piece.rule ? ['rule'] : []),
    ...(variant === piece.tuned ? ['tuner'] : []),
    ...(isPromising ? [] : ['not looked at']),
  ];
  const head = html`<th scope="row">${variant}${marks.map((mark) => html` <span class="mark" data-mark=${mark}>${mark}</span>`)}</th>`;
  if (ms === null)
    return html`<tr>${head}<td class="fault" colspan="3">does not run: ${fault ?? 'no reason told'}</td></tr>`;
  const share = ms > 0 ? findings.shareOf(piece.name, { flops: piece.flops, ms }) : null;
  const kind = variant === piece.tuned ? 'chosen' : 'other';
  return html`<tr>${head}<td>${milliseconds(ms)}</td><td>${ms > 0 ? figure(rate(piece.flops, ms) as number) : '–'}</td>
    <td>${share ? bar(share.share, kind) : '–'}</td></tr>`;
}

function verdict({ rule, tuned, variants }: MeasuredPiece): string {
  const msOf = (name: string | null) => variants.find(({ variant }) => variant === name)?.ms;
  const [ruled, best] = [msOf(rule), msOf(tuned)];
  if (tuned === null) return 'No variant runs.';
  if (tuned === rule) return `The rule’s ${rule} is the tuner’s choice too.`;
  if (!ruled || !best) return `The rule’s ${rule} gave no time; the tuner would choose ${tuned}.`;
  return `The tuner would choose ${tuned}, ${(ruled / best).toFixed(2)} times as fast as the rule’s ${rule}.`;
}

function card(piece: MeasuredPiece, findings: Findings): TemplateResult {
  const sorted = [...piece.variants].sort((a, b) => slowness(a) - slowness(b));
  return html`<article class="card"><h3>${piece.name}</h3><p class="small">${verdict(piece)}</p>
    <div class="scroll"><table class="rates"><caption>${piece.family}: ${piece.work}</caption>
    <thead><tr><th scope="col">variant</th><th scope="col">ms</th><th scope="col">GFLOP/s</th><th scope="col">of the ceiling</th></tr></thead>
    <tbody>${sorted.map((one) => row(piece, one, findings))}</tbody></table></div></article>`;
}

export function variantsView(view: PartView): TemplateResult {
  const pieces = [...view.findings.pieces.values()];
  const empty = html`<p class="soft">Not measured yet.</p>`;
  return html`${partHead('variants', 'Variants of the kernels', 'Measure', view)}
    <p class="soft">What one kernel family offers for a piece of work. Untuned, the <b>rule</b> chooses; the <b>tuner</b> measures, and leaves the rule’s
    only for one that is clearly faster. Those <b>not looked at</b> are no candidates on such an adapter.</p>
    ${pieces.length > 0 ? html`<div class="pieces">${pieces.map((piece) => card(piece, view.findings))}</div>` : empty}
    ${view.findings.leftOut.has('variants') ? leftOut('variants', view) : nothing}`;
}
