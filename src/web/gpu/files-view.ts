/** What was found, as files. */
import { html, type TemplateResult } from 'lit-html';
import { download } from '../shared/download.ts';
import type { Findings } from './findings.ts';

/** The adapter's name as part of a file's. */
const slugOf = ({ adapter }: Findings): string =>
  (adapter?.description ?? 'gpu')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

export function filesView(findings: Findings): TemplateResult {
  const name = `engram-${slugOf(findings)}-${new Date().toISOString().slice(0, 10)}`;
  const lines = () => [...findings.linesOf('ceilings'), ...findings.linesOf('benchmarks')].map((line) => `${line}\n`);
  return html`<h2 id="files-title">Take it along</h2>
    <p class="soft">Nothing is sent anywhere. A file of yours, attached to an issue, is how this project learns of GPUs that it has never seen.</p>
    <div class="buttons">
    <button ?disabled=${!findings.hasAny} @click=${() => download(`${name}.json`, findings.toJson(), 'application/json')}>Everything, as JSON</button>
    <button ?disabled=${findings.benchmarks.size + findings.ceilings.size === 0}
      @click=${() => download(`${name}.jsonl`, lines().join(''), 'application/jsonl')}>Benchmarks, as lines for bench/results</button></div>`;
}
