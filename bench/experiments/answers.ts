/** "Does dense distillation win here?", a line a protocol: what the README and the page of experiments say of it. Made, never typed. */
import { meanOf } from '../../src/report/statistics.ts';
import { differenceText, markdownTable, meanText } from '../../src/report/statistics-text.ts';
import { COMPARED, type Differences } from '../../src/sweep/comparison.ts';
import type { PlannedRun } from '../../src/sweep/plan.ts';
import { ANALYSED } from './model-analyses.ts';
import {
  bestWeights,
  type ComparedPool,
  comparedRuns,
  comparePools,
  isAhead,
  LEAST_ORDERS,
  type PoolResults,
  poolResults,
  shown,
} from './pool-comparison.ts';
import { type RecordedSweep, withoutSetting } from './recorded-sweep.ts';

/** A protocol in which pools are compared. */
interface Question {
  readonly title: string;
  /** Of `bench/sweeps`. */
  readonly sweep: string;
  /** The search for each pool's weight; where there is none all have the same. */
  readonly search?: string;
  /** What labels of the sweep end with that are this protocol's. */
  readonly ending?: string;
  /** Whether the default is decided here. */
  readonly decides?: true;
}

const QUESTIONS: readonly Question[] = [
  { title: '10 tasks of 10 glyphs', sweep: 'pools-glyphs-10x10', search: 'pools-weights-10x10', decides: true },
  { title: '20 tasks of 5 glyphs', sweep: 'pools-glyphs-20x5', search: 'pools-weights-20x5', decides: true },
  { title: '50 glyphs, then 5 tasks of 10', sweep: 'base-half-glyphs' },
  { title: '10 tasks, no exemplars', sweep: 'exemplar-free-glyphs' },
  { title: '10 tasks, 100 exemplars', sweep: 'memory-glyphs', ending: ' memory=100' },
  { title: '10 tasks, 300 exemplars', sweep: 'memory-glyphs', ending: ' memory=300' },
  { title: '10 tasks, 1000 exemplars', sweep: 'memory-glyphs', ending: ' memory=1000' },
  { title: '10 tasks, 16 channels', sweep: 'width-glyphs', ending: ' width=16' },
  { title: '10 tasks, 32 channels', sweep: 'width-glyphs', ending: ' width=32' },
  { title: '10 tasks of 4 glyphs, long', sweep: 'long-glyphs' },
  { title: 'Fashion-MNIST, 5 tasks of 2', sweep: 'pools-fashion' },
];

/** Sweeps in which the default is decided, by the titles of their protocols. */
export const DECIDING: ReadonlyMap<string, string> = new Map(
  QUESTIONS.flatMap(({ title, sweep, decides }) => (decides ? [[title, sweep] as const] : [])),
);

/** Sweeps in which each pool is compared at the weight that another one finds for it, and that one. */
export const SEARCHES: ReadonlyMap<string, string> = new Map(
  QUESTIONS.flatMap(({ sweep, search }) => (search === undefined ? [] : [[sweep, search] as const])),
);

/** Configurations of a sweep that are compared, once the search for their weights is over; the others only draw curves. */
export const comparedLabels = ({ runs }: RecordedSweep, search: RecordedSweep): string[] => [
  ...new Set(comparedRuns(runs, bestWeights(search.runs, search.results)).map(({ label }) => label)),
];

/** Of these the runs whose models are analysed. */
export function analysedRuns(sweep: RecordedSweep, search: RecordedSweep): PlannedRun[] {
  const pools = ANALYSED.get(sweep.name) ?? [];
  return comparedRuns(sweep.runs, bestWeights(search.runs, search.results)).filter(({ label }) =>
    pools.includes(withoutSetting(label, 'kdWeight')),
  );
}

/** A question with what is known of it. */
export interface Answer {
  readonly title: string;
  readonly pools: readonly ComparedPool[];
  /** Runs that it still wants, of the search as well; not those at other weights than are compared. */
  readonly missing: number;
  readonly decides: boolean;
}

/** Each pool at the weight that counts for it; of a pool whose weight is not known yet nothing. */
function atOwnWeights(pools: readonly PoolResults[], best: ReadonlyMap<string, number>): PoolResults[] {
  return pools.filter(({ pool, weight }) => weight === null || best.get(pool) === weight);
}

/** @param sweeps all that are recorded. */
export function answersOf(sweeps: readonly RecordedSweep[]): Answer[] {
  const named = (name: string) => sweeps.find((one) => one.name === name);
  return QUESTIONS.flatMap(({ title, sweep: name, search: searchName, ending = '', decides = false }) => {
    const sweep = named(name);
    if (!sweep) return [];
    const search = searchName === undefined ? undefined : named(searchName);
    const own = <T extends { label: string }>(all: readonly T[]) =>
      all.flatMap((one) => (one.label.endsWith(ending) ? [{ ...one, label: one.label.replace(ending, '') }] : []));
    const results = own(sweep.results);
    const done = new Set([...results, ...(search?.results ?? [])].map(({ run }) => run));
    const best = search && bestWeights(search.runs, search.results);
    const runs = own(sweep.runs);
    const wanted = search && best ? [...search.runs, ...comparedRuns(runs, best)] : runs;
    const pools = poolResults(results);
    return [
      {
        title,
        pools: comparePools(best ? atOwnWeights(pools, best) : pools),
        missing: wanted.filter(({ id }) => !done.has(id)).length,
        decides,
      },
    ];
  });
}

const both = (to: Differences | null): string =>
  to && to.average.runs > 0 ? COMPARED.map((accuracy) => differenceText(to[accuracy])).join(' / ') : '–';

/** Pools of one protocol: accuracies, and differences to both references. */
export const poolTable = (pools: readonly ComparedPool[]): string =>
  markdownTable(
    ['pool', 'λ', 'orders', 'average, %', 'last, %', 'to `whole`, average / last', 'to `tasks`, average / last'],
    pools.map(({ pool, weight, results, differences }) => [
      `\`${pool}\``,
      weight === null ? '' : `${weight}`,
      `${results.length}`,
      ...COMPARED.map((accuracy) => meanText(meanOf(results.map((one) => one[accuracy])))),
      both(differences.whole),
      both(differences.tasks),
    ]),
  );

/** What was found of a pool next to another one, in a word; nothing where too few orders were run to find anything. */
function verdict(to: Differences | null): string {
  if (!to || to.average.runs < LEAST_ORDERS) return '';
  const signs = COMPARED.map((accuracy) => shown(to[accuracy]));
  if (signs.includes(1)) return signs.includes(-1) ? 'better in one, worse in the other' : '**ahead**';
  return signs.includes(-1) ? '**behind**' : 'not told apart';
}

/** The answers as a table: dense distillation next to one group of all old classes and to each task for itself. */
export function answersTable(answers: readonly Answer[]): string {
  const rows = answers.flatMap(({ title, pools }) => {
    const dense = pools.find(({ pool }) => pool === 'dense');
    if (!dense?.differences.whole || dense.differences.whole.average.runs === 0) return [];
    const { whole, tasks } = dense.differences;
    return [[title, both(whole), verdict(whole), both(tasks), verdict(tasks)]];
  });
  if (rows.length === 0) return '';
  return markdownTable(
    ['protocol', 'dense − whole, average / last', '', 'dense − task by task, average / last', ''],
    rows,
  );
}

/** Whether any member of the family is to be the default, as it was planned to be decided. */
export function decision(answers: readonly Answer[]): string {
  const deciding = answers.filter(({ decides }) => decides);
  const open = deciding.reduce((count, { missing }) => count + missing, 0);
  if (open > 0) return `Not decided yet: ${open} of the runs that decide are missing.`;
  // What distils nothing is compared, and is no pool.
  const ahead = deciding.map(({ pools }) =>
    pools.filter((one) => one.weight !== null && isAhead(one)).map(({ pool }) => pool),
  );
  const leaders = ahead[0]?.filter((pool) => ahead.every((list) => list.includes(pool))) ?? [];
  return leaders.length > 0
    ? `Ahead of both with 10 and with 20 tasks by two standard errors: ${leaders.map((pool) => `\`${pool}\``).join(', ')}.`
    : 'No pool of groups is ahead of both one group and task-wise distillation by two standard errors with 10 and with 20 tasks.';
}
