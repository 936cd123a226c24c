/** What a page says of all its runs together. */
import type { RunRecord } from '../continual/benchmark/run-record.ts';
import { runsLatex, runsMarkdown } from './copy-tables.ts';
import { differingSettings, unlikeProtocols } from './differing-settings.ts';
import { type Html, html } from './html.ts';
import { oldNewNames } from './old-new-names.ts';
import { runCommand } from './run-command.ts';
import { duration } from './run-facts.ts';
import { type GroupFigures, groupFigures, groupRuns, runsText } from './run-groups.ts';
import { spreadCell } from './spread-cell.ts';
import { meanText } from './statistics-text.ts';

const one = (value: number): string => (Number.isFinite(value) ? value.toFixed(1) : '');

type Figure = 'average' | 'last' | 'forgetting';

/** The best of each figure where runs can be compared: none of unlike protocols, nor of a single run. */
function bestOf(records: readonly RunRecord[]): Partial<Record<Figure, number>> {
  const measured = records.filter(({ matrix }) => matrix.length > 0);
  if (measured.length < 2 || unlikeProtocols(records).length > 0) return {};
  return {
    average: Math.max(...measured.map(({ average }) => average)),
    last: Math.max(...measured.map(({ last }) => last)),
    forgetting: Math.min(...measured.map(({ forgetting }) => forgetting)),
  };
}

/** A line a run. */
export function runsTable(records: readonly RunRecord[]): Html {
  const best = bestOf(records);
  const cell = (record: RunRecord, figure: Figure) => {
    // One task has nothing to forget.
    const text = figure === 'forgetting' && record.matrix.length < 2 ? '' : one(record[figure]);
    return record[figure] === best[figure] ? html`<td class="best">${text}</td>` : html`<td>${text}</td>`;
  };
  const rows = records.map(
    (record) => html`<tr><th scope="row">${record.name}</th><td class="text">${record.method}</td>
      ${cell(record, 'average')}${cell(record, 'last')}${cell(record, 'forgetting')}
      <td>${duration(record.seconds)}</td></tr>`,
  );
  return html`<div class="scroll"><table class="runs"><thead><tr><th scope="row">run</th><th scope="row">method</th><th>average, %</th>
    <th>last, %</th><th>forgetting, points</th><th>time</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** Runs that differ by seed and class order alone, taken together; nothing where there are none. */
export function groupsTable(records: readonly RunRecord[]): Html {
  const groups = groupRuns(records);
  if (groups.every((group) => group.records.length === 1)) return html``;
  const columns = ['average', 'last', 'forgetting', 'old', 'new'] as const satisfies readonly (keyof GroupFigures)[];
  const rows = groups.map(({ label, records: own }) => {
    const figures = groupFigures(own);
    return html`<tr><th scope="row">${label}</th><td>${runsText(figures, own)}</td>${columns.map((name) => html`<td>${spreadCell(meanText(figures[name]))}</td>`)}</tr>`;
  });
  const names = oldNewNames(records);
  const heads = ['runs', 'average, %', 'last, %', 'forgetting, points', `${names.old}, %`, `${names.new}, %`];
  return html`<figure><figcaption>Means ± standard deviations over seeds and class orders.</figcaption>
<div class="scroll"><table class="runs groups"><thead><tr><th scope="row">method</th>${heads.map((head) => html`<th>${head}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div></figure>`;
}

/** Said where figures say nothing of which run is better; nothing otherwise. */
export function protocolNote(records: readonly RunRecord[]): Html {
  const unlike = unlikeProtocols(records);
  if (unlike.length === 0) return html``;
  return html`<p class="note">These runs are of unlike protocols (${unlike.join(', ')}): none of them is marked as the best, for
their figures do not say which is better.</p>`;
}

/** A line a setting that is not the same in all runs. */
export function differencesTable(records: readonly RunRecord[]): Html {
  const differing = differingSettings(records);
  if (differing.length === 0) return html``;
  const rows = differing.map(
    ({ name, values }) =>
      html`<tr><th scope="row">${name}</th>${values.map((value) => html`<td class="text">${value || '–'}</td>`)}</tr>`,
  );
  return html`<figure><figcaption>What the runs differ by.</figcaption>
<div class="scroll"><table class="runs differences"><thead><tr><th scope="row">setting</th>${records.map(({ name }) => html`<th scope="row">${name}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div></figure>`;
}

/** Tables and commands as text. */
export function toCopy(records: readonly RunRecord[]): Html {
  const measured = records.filter(({ matrix }) => matrix.length > 0);
  const versions = records.map(({ version }) => (version === undefined ? 'not recorded' : `engram ${version}`));
  const told = [...new Set(versions)].join(', ');
  const tables =
    measured.length === 0
      ? html``
      : html`<details><summary>The figures as Markdown</summary><pre>${linesOf(runsMarkdown(measured))}</pre></details>
<details><summary>The figures as LaTeX</summary><pre>${linesOf(runsLatex(measured))}</pre></details>`;
  return html`${tables}<details><summary>Commands that learn the runs again</summary>
<p>Version: ${told}.</p><pre class="commands">${records.map((record) => html`${runCommand(record)}${NEW_LINE}`)}</pre></details>`;
}

/** What is put into a page is one line: these are several. */
const NEW_LINE = html`
`;
const linesOf = (text: string): Html[] => text.split('\n').map((line) => html`${line}${NEW_LINE}`);
