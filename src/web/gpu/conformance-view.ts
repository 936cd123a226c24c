/** Whether the kernels compute what PyTorch does: what failed first, value by value. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Comparison, Mismatch } from '../../../bench/conformance/golden-case.ts';
import type { Findings } from './findings.ts';
import { type PartView, partHead } from './part-view.ts';
import type { Verdict } from './protocol.ts';

/** An error, or a value: as many digits as f32 has. */
const number = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(8))) : String(value);
export const errorText = (error: number): string =>
  error === 0 ? '0' : Number.isFinite(error) ? error.toExponential(1) : String(error);

function values({ tensor, furthest = [] }: Comparison, caption: string): TemplateResult {
  const line = ({ index, got, expected }: Mismatch) =>
    html`<tr><th scope="row">[${index.join(', ')}]</th><td>${number(got)}</td><td>${number(expected)}</td><td>${errorText(Math.abs(got - expected))}</td></tr>`;
  return html`<div class="scroll"><table class="values"><caption>${tensor}: ${caption}</caption>
    <thead><tr><th scope="col">index</th><th scope="col">got</th><th scope="col">expected</th><th scope="col">off by</th></tr></thead>
    <tbody>${furthest.map(line)}</tbody></table></div>`;
}

/** Of a case with very many tensors off, those that are told with values: the furthest off of them. */
const MOST_TENSORS = 3;

export function failure({ name, operation, way, off, fault, kernels, compared }: Verdict): TemplateResult {
  const worst = [...off].sort((a, b) => b.error / b.tolerance - a.error / a.tolerance);
  const others = worst.slice(MOST_TENSORS).map(({ tensor }) => tensor);
  return html`<article class="card failure"><h3>${name}, by ${way}</h3>
    <p>${fault === null ? nothing : html`<strong>${fault}</strong> `}${
      off.length > 0 ? `${off.length} of ${compared} tensors are off.` : nothing
    }</p>
    ${worst
      .slice(0, MOST_TENSORS)
      .map((one) =>
        values(
          one,
          `error ${errorText(one.error)}, at most ${errorText(one.tolerance)} allowed; the elements furthest off`,
        ),
      )}
    ${others.length > 0 ? html`<p class="small">Off too: ${others.join(', ')}.</p>` : nothing}
    <p class="small soft">${operation ? html`${operation}. ` : nothing}Kernels launched: ${kernels.length > 0 ? kernels.join(', ') : 'none'}.</p></article>`;
}

/** What all ways made of one case. */
function row(name: string, verdicts: readonly Verdict[]): TemplateResult {
  const passed = verdicts.filter((verdict) => verdict.passed).length;
  const worst = verdicts.reduce((a, b) => ((b.worst?.error ?? 0) > (a.worst?.error ?? 0) ? b : a));
  const isWell = passed === verdicts.length;
  return html`<tr data-passed=${isWell}><th scope="row">${name}</th><td class="verdict">${isWell ? 'passed' : 'failed'}<small>${passed} of ${verdicts.length}</small></td>
    <td>${worst.worst ? errorText(worst.worst.error) : '–'}</td><td>${worst.worst ? errorText(worst.worst.tolerance) : '–'}</td>
    <td class="where">${worst.worst ? `${worst.worst.tensor}, by ${worst.way}` : '–'}</td></tr>`;
}

function cases(findings: Findings): TemplateResult {
  const byName = Map.groupBy(findings.verdicts, ({ name }) => name);
  const isWell = (verdicts: readonly Verdict[]) => verdicts.every(({ passed }) => passed);
  // Those that failed first, else in order.
  const sorted = [...byName].sort(([, a], [, b]) => Number(isWell(a)) - Number(isWell(b)));
  return html`<div class="scroll"><table class="cases"><caption>Largest error of each case over all ways to run it, as a share of the norm of what is expected, and what is
    tolerated there</caption>
    <thead><tr><th scope="col">case</th><th scope="col">ways passed</th><th scope="col">largest error</th><th scope="col">tolerance</th><th scope="col">where</th></tr></thead>
    <tbody>${sorted.map(([name, verdicts]) => row(name, verdicts))}</tbody></table></div>`;
}

export function summary({ verdicts, failures }: Findings): string {
  const ways = new Set(verdicts.map(({ way }) => way)).size;
  const names = new Set(verdicts.map(({ name }) => name)).size;
  const checks = `${names} ${names === 1 ? 'case' : 'cases'}, ${ways} ${ways === 1 ? 'way' : 'ways'} to run the kernels, ${verdicts.length} checks`;
  return `${checks}: ${failures.length === 0 ? 'all passed' : `${failures.length} failed`}.`;
}

export function conformanceView(view: PartView): TemplateResult {
  const { findings } = view;
  const { verdicts, failures } = findings;
  return html`${partHead('conformance', 'Are the answers right?', 'Check', view)}
    <p class="soft">Cases computed by PyTorch in float64, forwards and backwards: by the adapter’s own rules, by every variant of matrix products and
    convolutions, and by the rules for adapters of the other kind. The files (1.6 MB) are fetched when this runs.</p>
    ${
      verdicts.length === 0
        ? nothing
        : html`<p class="verdicts" data-passed=${failures.length === 0}>${summary(findings)}</p>
          ${failures.length > 0 ? html`<div class="failures">${failures.map(failure)}</div>` : nothing}<div class="card">${cases(findings)}</div>`
    }`;
}
