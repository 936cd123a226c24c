/** The ablation's results as Markdown tables, one a scenario: mean ± standard deviation over the seeds. */

import { mean, standardDeviation } from '../../src/report/statistics.ts';
import { type Cell, cellName, cells, scenarios } from './ablation-design.ts';
import type { RunResult } from './experiment.ts';

/** What every cell is compared with, seed by seed: the usual distillation, all old classes in one softmax. */
const BASELINE: Cell = { pool: 'whole', weighting: 'fixed', temperature: 2, lambda: 1 };

const spread = (values: readonly number[], sign = false): string => {
  const center = mean(values);
  const shown = `${sign && center > 0 ? '+' : ''}${center.toFixed(1)}`;
  return values.length > 1 ? `${shown} ± ${standardDeviation(values).toFixed(1)}` : shown;
};

function groupBySeed(runs: readonly RunResult[]): Map<string, RunResult[]> {
  const groups = new Map<string, RunResult[]>();
  for (const run of runs) {
    const seed = run.name.slice(run.name.lastIndexOf('/') + 1);
    groups.set(seed, [...(groups.get(seed) ?? []), run]);
  }
  return groups;
}

type Figures = Pick<RunResult, 'average' | 'last' | 'forgetting'>;

/** The runs of a name as one: repeated on kernels that add up in another order, they differ by chance. */
function meanOf(runs: readonly RunResult[]): Figures {
  const of = (key: keyof Figures) => mean(runs.map((run) => run[key]));
  return { average: of('average'), last: of('last'), forgetting: of('forgetting') };
}

function rowsOf(scenario: string, results: readonly RunResult[]): string[] {
  const runsOf = (cell: Cell): RunResult[] =>
    results.filter(({ name }) => name.startsWith(`${scenario}/${cellName(cell)}/`));
  const bySeed = (cell: Cell): Map<string, Figures> =>
    new Map([...groupBySeed(runsOf(cell))].map(([seed, runs]) => [seed, meanOf(runs)]));
  const baseline = bySeed(BASELINE);
  return cells.flatMap((cell) => {
    const runs = bySeed(cell);
    if (runs.size === 0) return [];
    const of = (key: 'average' | 'last' | 'forgetting') => spread([...runs.values()].map((run) => run[key]));
    const gains = (key: 'average' | 'last') => {
      const pairs = [...runs].flatMap(([seed, run]) => {
        const other = baseline.get(seed);
        return other ? [run[key] - other[key]] : [];
      });
      return pairs.length > 0 ? spread(pairs, true) : '–';
    };
    const { pool, weighting, temperature, lambda } = cell;
    const setting =
      pool === 'none' ? ['none (replay)', '–', '–', '–'] : [pool, weighting, String(temperature), String(lambda)];
    const columns = [...setting, of('average'), of('last'), of('forgetting'), gains('average'), gains('last')];
    return [`| ${[...columns, runs.size, runsOf(cell).length].join(' | ')} |`];
  });
}

const HEAD = [
  '| pool | weighting | T | λ | average | last | forgetting | average − whole | last − whole | seeds | runs |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
];

/** Differences are taken seed by seed against `whole`, `fixed`, T = 2, λ = 1. Scenarios without results are left out. */
export function ablationTables(results: readonly RunResult[]): string {
  return Object.keys(scenarios)
    .map((scenario) => ({ scenario, rows: rowsOf(scenario, results) }))
    .filter(({ rows }) => rows.length > 0)
    .map(({ scenario, rows }) => [`### ${scenario}`, '', ...HEAD, ...rows].join('\n'))
    .join('\n\n');
}
