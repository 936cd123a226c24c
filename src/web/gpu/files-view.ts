/** What was found, as files. */
import { html, type TemplateResult } from 'lit-html';
import type { Findings } from './findings.ts';

function download(name: string, type: string, text: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  // Not at once: the browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

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
    <button ?disabled=${!findings.hasAny} @click=${() => download(`${name}.json`, 'application/json', findings.toJson())}>Everything, as JSON</button>
    <button ?disabled=${findings.benchmarks.size + findings.ceilings.size === 0}
      @click=${() => download(`${name}.jsonl`, 'application/jsonl', lines().join(''))}>Benchmarks, as lines for bench/results</button></div>`;
}
