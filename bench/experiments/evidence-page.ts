/** The experiments' results as Markdown: `bench/results/evidence.md`. Made, never typed. */
import { writeFile } from 'node:fs/promises';
import { remaining } from '../../src/cli/pace.ts';
import { compareConfigurations } from '../../src/sweep/comparison.ts';
import { plannedCounts } from '../../src/sweep/plan.ts';
import { sweepMarkdown } from '../../src/sweep/sweep-table.ts';
import { type RecordedSweep, recordedSweep, sweepNames } from './recorded-sweep.ts';

const PAGE = 'bench/results/evidence.md';

/** Those that have pages of their own. */
const ELSEWHERE = /^(methods|search)-/;

function section({ name, sweep, runs, results, baseline }: RecordedSweep): string {
  const missing = runs.length - results.length;
  const took = results.reduce((total, { cpuSeconds, seconds }) => total + (cpuSeconds ?? seconds), 0);
  const adapters = [...new Set(results.map(({ adapter }) => adapter))].join(', ');
  const dates = results.map(({ date }) => date).sort();
  const about = [
    sweep.description ?? '',
    results.length === 0
      ? `None of its ${runs.length} runs is done yet.`
      : `${results.length} of ${runs.length} runs, ${remaining(took)} of processor time, on ${adapters}, ${dates[0]} to ${dates.at(-1)}.`,
    results.length > 0 && baseline !== undefined ? `Compared with \`${baseline}\`.` : '',
    missing > 0 ? `\`npm run -s evidence -- ${name}\` runs what is missing.` : '',
  ];
  const table =
    results.length === 0 ? '' : `\n\n${sweepMarkdown(compareConfigurations(results, baseline), plannedCounts(runs))}`;
  return `## ${name}\n\n${about.filter(Boolean).join(' ')}${table}\n`;
}

/** @param sweeps with what is recorded of them. */
export const evidencePage = (sweeps: readonly RecordedSweep[]): string => `# Experiments

Made by \`npm run -s evidence\`, which runs what is missing of the sweeps in \`bench/sweeps\` and writes this page; with \`--table\` it only writes it.
Means and sample standard deviations over runs. Δ: the mean difference to the configuration that a table is said to be compared with, over pairs of
runs in the same order of the classes, ± its standard error, and how many pairs are ahead and behind. A difference under two standard errors is no
claim.

${sweeps.map(section).join('\n')}`;

/** The sweeps of the page, with what is recorded of them. */
export async function evidenceSweeps(): Promise<RecordedSweep[]> {
  const names = (await sweepNames()).filter((name) => !ELSEWHERE.test(name));
  return Promise.all(names.map(recordedSweep));
}

/** Makes the page of what is recorded. */
export async function writeEvidence(): Promise<void> {
  await writeFile(PAGE, evidencePage(await evidenceSweeps()));
}
