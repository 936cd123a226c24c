/** What the experiments say: which weight counts for a pool, what is called a difference, and what is drawn. */
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { answersOf, comparedLabels, SEARCHES } from '../bench/experiments/answers.ts';
import {
  answersText,
  evidenceAnalyses,
  evidenceCharts,
  evidencePage,
  evidenceSweeps,
  withAnswers,
} from '../bench/experiments/evidence-page.ts';
import type { AnalysedResult } from '../bench/experiments/model-analyses.ts';
import { modelTable } from '../bench/experiments/model-table.ts';
import { bestWeights, comparePools, isAhead, poolResults, shown } from '../bench/experiments/pool-comparison.ts';
import type { RecordedSweep } from '../bench/experiments/recorded-sweep.ts';
import { pairedDifference } from '../src/report/statistics.ts';
import type { PlannedRun } from '../src/sweep/plan.ts';
import { resultOf, type SweepResult } from '../src/sweep/results.ts';

const sweeps = await evidenceSweeps();
const sweepCalled = (name: string) => sweeps.find((one) => one.name === name)!;

type Figures = (label: string, order: number) => { average: number; last: number } | null;

const resultFor = (run: PlannedRun, { average, last }: { average: number; last: number }): SweepResult =>
  resultOf(
    run,
    {
      ...{ average, last, forgetting: 0, curve: [], matrix: [], seconds: 100, cpuSeconds: 100 },
      ...{ adapter: 'an adapter', date: '2026-11-29', version: '0.1.0' },
    },
    null,
  );

/** The experiments as if these figures had come out. */
const withFigures = (figures: Readonly<Record<string, Figures>>): RecordedSweep[] =>
  sweeps.map((sweep) => {
    const of = figures[sweep.name];
    const results = sweep.runs.flatMap((run) => {
      const found = of?.(run.label, Number(run.pair.replace('order ', '')));
      return found ? [resultFor(run, found)] : [];
    });
    return { ...sweep, results };
  });

/** Orders differ by ten points, which no paired difference shows; tasks are ahead of whole by `lead`, at λ = 2 most. */
const poolFigures =
  (lead: Readonly<Record<string, number>>): Figures =>
  (label, order) => {
    const [pool = '', weight = ''] = label.split(' kdWeight=');
    const heavier = { '0.5': -4, '1': -3, '2': 0, '4': -1 }[weight] ?? 0;
    const noise = ((order * 7 + pool.length * 3) % 5) / 5;
    const accuracy = 50 + 10 * order + (lead[pool] ?? 0) + heavier + noise;
    return { average: accuracy, last: accuracy - 2 };
  };

test('the weight that counts for a pool is the one that was best in the search, and none before all of it is there', () => {
  const all = withFigures({
    'pools-weights-10x10': (label, order) =>
      label.startsWith('pairs') && order === 7
        ? null
        : { average: 40 + order, last: label === 'dense kdWeight=4' || label === 'whole kdWeight=1' ? 60 : 50 },
  });
  const { runs, results } = all.find(({ name }) => name === 'pools-weights-10x10')!;
  const best = bestWeights(runs, results);
  assert.equal([best.get('dense'), best.get('whole'), best.has('pairs')], [4, 1, false]);
});

test('runs that are compared come before those that only draw curves', () => {
  const named = (figures: Record<string, Figures>) => {
    const all = withFigures(figures);
    const [pools, search] = ['pools-glyphs-20x5', 'pools-weights-20x5'].map((name) =>
      all.find((one) => one.name === name),
    );
    return comparedLabels(pools!, search!);
  };
  const search: Figures = (label) => ({
    average: 50,
    last: label.endsWith(label.startsWith('pairs') ? '=0.5' : '=2') ? 60 : 50,
  });
  assert.equal(named({ 'pools-weights-20x5': search }), [
    ...[
      'replay',
      'whole kdWeight=2',
      'tasks kdWeight=2',
      'dense kdWeight=2',
      'balanced kdWeight=2',
      'pairs kdWeight=0.5',
    ],
  ]);
  // Of a pool whose search is not over, one weight stands for the one to come.
  const half: Figures = (label, order) => (label.startsWith('dense') && order === 7 ? null : search(label, order));
  assert.ok(named({ 'pools-weights-20x5': half }).includes('dense kdWeight=0.25'));
});

test('a pool is compared in the same orders, and ahead only by two standard errors over six of them', () => {
  const lead = { whole: 0, tasks: 1, dense: 1, balanced: -8, pairs: 6, replay: -12 };
  const { results } = withFigures({ 'pools-glyphs-10x10': poolFigures(lead) }).find(
    ({ name }) => name === 'pools-glyphs-10x10',
  )!;
  const at = (some: readonly SweepResult[]) => {
    const pools = comparePools(poolResults(some).filter(({ weight }) => weight === null || weight === 2));
    return (name: string) => pools.find(({ pool }) => pool === name)!;
  };
  const pool = at(results);
  const { average } = pool('pairs').differences.whole!;
  assert.is(average.runs, 6);
  assert.ok(Math.abs(average.mean - 6) < 0.7, `${average.mean}`);
  assert.ok(average.error < 0.4, 'ten points from order to order are no part of it');
  assert.is(pool('whole').differences.whole, null);
  assert.equal(
    ['replay', 'whole', 'tasks', 'dense', 'balanced', 'pairs'].map((name) => isAhead(pool(name))),
    [false, false, false, false, false, true],
  );
  const five = at(results.filter(({ pair }) => pair !== 'order 5'));
  assert.not.ok(isAhead(five('pairs')), 'five orders claim nothing');
  assert.equal(
    [0, 1, -1].map((difference) => shown(pairedDifference(Array(6).fill(difference)))),
    [0, 1, -1],
    'the same in every order is neither ahead nor behind',
  );
});

test('the default is decided when everything that decides is there, and by both protocols', () => {
  const search = poolFigures({});
  const searches = { 'pools-weights-10x10': search, 'pools-weights-20x5': search };
  const winning = poolFigures({ pairs: 6, dense: 1, tasks: 1 });
  const text = (figures: Record<string, Figures>) => answersText(answersOf(withFigures(figures)));
  const half = text({ ...searches, 'pools-glyphs-10x10': winning });
  assert.match(half, /^Not decided yet: 36 of the runs that decide are missing\./);
  assert.match(half, /\| 10 tasks of 10 glyphs \| \+1\.\d ± [\d.]+ \(6:0\) \/ .* \| \*\*ahead\*\* \|/);
  assert.match(half, /Still to be run, or to be run on: 20 tasks of 5 glyphs \(36 runs\);/);
  const both = { ...searches, 'pools-glyphs-10x10': winning, 'pools-glyphs-20x5': winning };
  assert.match(text(both), /^Ahead of both with 10 and with 20 tasks by two standard errors: `pairs`\.\n/);
  const without = poolFigures({ replay: 8, pairs: 0, dense: 0 });
  assert.match(
    text({ ...both, 'pools-glyphs-10x10': without, 'pools-glyphs-20x5': without }),
    /^No pool of groups is ahead of both/,
    'what distils nothing is no pool, however far ahead',
  );
  const two: Figures = (label, order) => (order < 2 && !label.startsWith('tasks') ? winning(label, order) : null);
  const few = text({ ...searches, 'pools-glyphs-10x10': two });
  assert.match(
    few,
    /\| 10 tasks of 10 glyphs \| \+1\.\d ± [\d.]+ \(2:0\) \/ [^|]* \| {2}\| – \| {2}\|/,
    'two orders find nothing',
  );
  const losing = poolFigures({ pairs: -6, dense: -1, tasks: 1 });
  assert.match(text({ ...both, 'pools-glyphs-20x5': losing }), /^No pool of groups is ahead of both/);
  assert.match(text({ ...both, 'pools-glyphs-20x5': losing }), /\| 20 tasks of 5 glyphs \|.*\| \*\*behind\*\* \|/);
});

test('charts show what is complete, and are not there before', () => {
  const titles = (charts: ReturnType<typeof evidenceCharts>) =>
    charts.flatMap(({ file, svg }) => (svg === null ? [] : [file]));
  assert.equal(titles(evidenceCharts(withFigures({}))), []);
  const figures = withFigures({
    'pools-glyphs-10x10': (label, order) =>
      label === 'dense kdWeight=4' && order === 5 ? null : { average: 50 + order, last: 40 + order },
    'memory-glyphs': (label, order) =>
      label === 'dense memory=2000' && order === 5
        ? null
        : { average: 50, last: 40 + order + (label.includes('memory=2000') ? 20 : 0) },
  });
  const charts = evidenceCharts(figures);
  assert.equal(titles(charts), ['evidence-pools.svg', 'evidence-memory.svg']);
  const [pools, memory] = charts;
  const weights = (weight: number) => pools!.svg!.match(new RegExp(`>${weight}</text>`, 'g'))?.length;
  assert.equal([weights(2), weights(4)], [5, 4], 'dense at 4 is not complete');
  assert.match(pools!.svg!, />dense</);
  assert.not.match(pools!.svg!, />replay</, 'has no weight');
  assert.match(memory!.svg!, /xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  for (const tick of [20, 100, 300, 1000, 2000]) assert.match(memory!.svg!, new RegExp(`>${tick}</text>`));
  assert.is(memory!.svg!.match(/<circle/g)?.length, 19, 'dense of 2000 is not complete');
  assert.match(evidencePage(figures), /!\[Exemplars\]\(evidence-memory\.svg\)/);
});

test('models are compared order by order, those of the compared weights alone', () => {
  const name = 'pools-glyphs-10x10';
  const all = withFigures({ 'pools-weights-10x10': poolFigures({}), [name]: poolFigures({}) });
  const { runs, results } = all.find((one) => one.name === name)!;
  /** Traces differ by a hundred from order to order; the dense pool's are lower by 7 or 8, those of tasks by as much as they are higher. */
  const traceOf = ({ label, pair }: PlannedRun): number => {
    const order = Number(pair.replace('order ', ''));
    const own = { dense: -7 - (order % 2), tasks: order % 2 === 0 ? 3 : -3 }[label.split(' ')[0]!] ?? 0;
    return 1000 + 100 * order + own;
  };
  const analysed = (run: PlannedRun): AnalysedResult => ({
    run: run.id,
    record: {
      ...{
        name: run.id,
        method: run.config.method,
        dataset: 'glyphs',
        config: run.config,
        tasks: 10,
        state: '',
        adapter: '',
      },
      parts: {
        hessian: {
          settings: {},
          result: { eigenvalues: [1], trace: traceOf(run), traceError: 0, parameters: 9, exact: true },
        },
      },
    },
  });
  const compared = comparedLabels(
    all.find((one) => one.name === name)!,
    all.find((one) => one.name === SEARCHES.get(name))!,
  );
  const records = runs.filter(({ label }) => compared.includes(label) && !label.startsWith('pairs')).map(analysed);
  const some = results.filter(({ label }) => compared.includes(label));
  const lines = modelTable(some, records).split('\n');
  assert.match(
    lines[0]!,
    /^\| +\| `whole`, λ = 2, 6 orders \|.* `tasks`, λ = 2, 6 orders, difference \| `dense`, λ = 2, 6 orders, difference \|/,
  );
  const trace = lines.find((line) => line.includes('trace'))!;
  assert.match(trace, /^\| curvature: trace \| 1250 ± 187 \|/);
  assert.match(trace, /\| 0\.00 ± 1\.34 \(3:3\) \| \*\*−7\.50 ± 0\.224 \(0:6\)\*\* \|/);
  assert.is(
    modelTable(
      some,
      records.filter(({ record }) => record.method === 'kd'),
    ),
    '',
    'nothing to compare with',
  );
  assert.match(evidencePage(all, new Map([[name, records]])), /## What the models are like: 10 tasks of 10 glyphs/);
  assert.not.match(evidencePage(all), /What the models are like/);
});

test('the page, its charts and the answers of the README are what is made of the results', async () => {
  const text = (name: string) => readFileSync(name, 'utf8');
  const how = 'npm run -s evidence -- --table makes it';
  assert.is(text('bench/results/evidence.md'), evidencePage(sweeps, await evidenceAnalyses()), how);
  for (const { file, svg } of evidenceCharts(sweeps)) {
    const path = `bench/results/${file}`;
    assert.is(existsSync(path) ? text(path) : null, svg, how);
  }
  assert.is(text('README.md'), withAnswers(text('README.md'), sweeps), how);
  assert.match(text('README.md'), /<!-- answers: made by/);
});

test('every sweep can be planned, and says what it is for', () => {
  for (const { name, sweep } of sweeps) assert.ok((sweep.description ?? '').length > 40, name);
  assert.is(sweepCalled('tasks-glyphs').runs.length, 96);
});

test.run();
