/** The experiments' results: `bench/results/evidence.md`, its charts, and the README's answers. All of it is made, never typed. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { remaining } from '../../src/cli/pace.ts';
import { compareConfigurations } from '../../src/sweep/comparison.ts';
import { plannedCounts } from '../../src/sweep/plan.ts';
import { sweepMarkdown } from '../../src/sweep/sweep-table.ts';
import {
  type Answer,
  analysedRuns,
  answersOf,
  answersTable,
  DECIDING,
  decision,
  poolTable,
  SEARCHES,
} from './answers.ts';
import { betweenMarks, marksOf } from './between-marks.ts';
import { ANALYSED, type AnalysedResult, MEASURES, recordedAnalyses } from './model-analyses.ts';
import { modelTable } from './model-table.ts';
import { poolChart } from './pool-chart.ts';
import { type RecordedSweep, recordedSweep, sweepNames } from './recorded-sweep.ts';
import { robustnessChart } from './robustness-chart.ts';

const FOLDER = 'bench/results';
const PAGE = `${FOLDER}/evidence.md`;
const README = 'README.md';
const MARKS = marksOf('answers');

/** Those that have pages of their own. */
const ELSEWHERE = /^(methods|search|seeds)-/;

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

/** A picture of the page. */
interface Chart {
  /** In the page's folder. */
  readonly file: string;
  readonly title: string;
  readonly caption: string;
  /** Null where too little was run. */
  readonly svg: string | null;
}

/** The pictures, those of which too little was run too. */
export function evidenceCharts(sweeps: readonly RecordedSweep[]): Chart[] {
  const named = (name: string) => sweeps.find((one) => one.name === name);
  const over = (name: string, key: string, label: string) => {
    const sweep = named(name);
    return sweep ? robustnessChart(sweep, key, label) : null;
  };
  const deciding = [...DECIDING].flatMap(([title, name]) => {
    const sweep = named(name);
    return sweep ? [[title, sweep] as const] : [];
  });
  return [
    {
      file: 'evidence-pools.svg',
      title: 'Average against last accuracy',
      caption:
        'Each pool at several weights λ of its distillation, which stand beside the points: means over six orders of the classes.',
      svg: poolChart(new Map(deciding)),
    },
    {
      file: 'evidence-memory.svg',
      title: 'Exemplars',
      caption:
        'Last accuracy with few and with many exemplars; bands are one standard error over the orders of the classes.',
      svg: over('memory-glyphs', 'memory', 'exemplars'),
    },
    {
      file: 'evidence-tasks.svg',
      title: 'Tasks',
      caption:
        'Last accuracy on the same hundred glyphs in few and in many tasks; bands are one standard error over the orders of the classes.',
      svg: over('tasks-glyphs', 'tasks', 'tasks'),
    },
  ];
}

const chartSection = ({ file, title, caption }: Chart): string =>
  `## ${title}\n\n${caption}\n\n![${title}](${file})\n\n`;

function answerSection({ title, pools, missing }: Answer): string {
  const compared = pools.filter(({ results }) => results.length > 0);
  if (compared.length === 0) return '';
  return `### ${title}\n\n${missing > 0 ? `${missing} runs are missing.\n\n` : ''}${poolTable(compared)}\n\n`;
}

/** What was measured of models, by the sweeps whose runs they are of. */
export type Analyses = ReadonlyMap<string, readonly AnalysedResult[]>;

/** What the models of compared runs are like; nothing before some are analysed. */
function modelSection(sweeps: readonly RecordedSweep[], analyses: Analyses): string {
  return [...DECIDING]
    .flatMap(([title, name]) => {
      const [sweep, search] = [name, SEARCHES.get(name)].map((one) => sweeps.find((other) => other.name === one));
      const known = analyses.get(name) ?? [];
      if (!sweep || !search || known.length === 0) return [];
      const compared = new Set(analysedRuns(sweep, search).map(({ id }) => id));
      const table = modelTable(
        sweep.results.filter(({ run }) => compared.has(run)),
        known,
      );
      if (table === '') return [];
      return [
        `## What the models are like: ${title}\n\nBy \`engram analyse\` ([formulas and sources](../../src/analysis/README.md)), curvature and ` +
          `sharpness on ${MEASURES[0].images} training images of all tasks, the others on ${MEASURES[1].images}. The first column has means ± standard deviations over the orders of the ` +
          'classes, the others differences to it ± their standard error, and how many orders are above and below; bold where it is two standard errors ' +
          `over six orders. Chance alone makes one in twenty bold.\n\n${table}\n\n`,
      ];
    })
    .join('');
}

/** The answers, for the README: what is claimed, and of what it is not known yet. */
export function answersText(answers: readonly Answer[]): string {
  const table = answersTable(answers);
  const open = answers.flatMap(({ title, missing }) => (missing > 0 ? [`${title} (${missing} runs)`] : []));
  return [`${decision(answers)}`, table, open.length > 0 ? `Still to be run, or to be run on: ${open.join('; ')}.` : '']
    .filter(Boolean)
    .join('\n\n');
}

/** @param sweeps with what is recorded of them. */
export function evidencePage(sweeps: readonly RecordedSweep[], analyses: Analyses = new Map()): string {
  const answers = answersOf(sweeps);
  const charts = evidenceCharts(sweeps).filter(({ svg }) => svg !== null);
  return `# Experiments

Made by \`npm run -s evidence\`, which runs what is missing of the sweeps in \`bench/sweeps\` and writes this page, its charts and the README's
answers; with \`--table\` it only writes them. Means and sample standard deviations over runs. Differences are means over pairs of runs in the same
order of the classes, ± their standard error, and how many pairs are ahead and behind. A difference under two standard errors, or over fewer than six
orders, is no claim. What decides was [planned before](../sweeps/README.md).

## Does dense distillation win?

${answersText(answers)}

${answers.map(answerSection).join('')}${modelSection(sweeps, analyses)}${charts.map(chartSection).join('')}${sweeps.map(section).join('\n')}`;
}

/** The sweeps of the page, with what is recorded of them. */
export async function evidenceSweeps(): Promise<RecordedSweep[]> {
  const names = (await sweepNames()).filter((name) => !ELSEWHERE.test(name));
  return Promise.all(names.map(recordedSweep));
}

/** What is recorded of the models of the page's sweeps. */
export const evidenceAnalyses = async (): Promise<Analyses> =>
  new Map(await Promise.all([...ANALYSED.keys()].map(async (name) => [name, await recordedAnalyses(name)] as const)));

/** The README with the answers between its marks replaced. */
export const withAnswers = (readme: string, sweeps: readonly RecordedSweep[]): string =>
  betweenMarks(readme, MARKS, answersText(answersOf(sweeps)));

/** Makes the page, its charts and the README's answers of what is recorded. */
export async function writeEvidence(): Promise<void> {
  const sweeps = await evidenceSweeps();
  for (const { file, svg } of evidenceCharts(sweeps)) {
    if (svg === null) await rm(`${FOLDER}/${file}`, { force: true });
    else await writeFile(`${FOLDER}/${file}`, svg);
  }
  await writeFile(PAGE, evidencePage(sweeps, await evidenceAnalyses()));
  await writeFile(README, withAnswers(await readFile(README, 'utf8'), sweeps));
}
