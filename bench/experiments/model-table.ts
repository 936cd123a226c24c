/** What models are like, pool by pool: each figure next to that of the usual distillation, in the same order of the classes. */
import { PART_TITLES, type Quantity, quantitiesOf } from '../../src/report/analysis-quantities.ts';
import { meanOf, type PairedDifference, pairedDifference } from '../../src/report/statistics.ts';
import { differenceText, markdownTable, meanText } from '../../src/report/statistics-text.ts';
import type { SweepResult } from '../../src/sweep/results.ts';
import type { AnalysedResult } from './model-analyses.ts';
import { type PoolResults, poolResults, shown } from './pool-comparison.ts';

/** Models of one pool, an order of the classes each. */
interface PoolModels {
  readonly pool: string;
  readonly weight: number | null;
  readonly models: readonly { readonly pair: string; readonly value: (of: Quantity) => number | null }[];
}

/** What the others are compared with: the usual distillation, of all old classes as one group. */
const REFERENCE = 'whole';

function modelsOf({ pool, weight, results }: PoolResults, analyses: ReadonlyMap<string, AnalysedResult>): PoolModels {
  const models = results.flatMap(({ run, pair }) => {
    const found = analyses.get(run);
    return found ? [{ pair, value: ({ of }: Quantity) => of(found.record) ?? null }] : [];
  });
  return { pool, weight, models };
}

/** Differences to the reference's models, in the orders in which both have the figure. */
function differenceOf(quantity: Quantity, { models }: PoolModels, reference: PoolModels): PairedDifference {
  return pairedDifference(
    models.flatMap(({ pair, value }) => {
      const other = reference.models.find((one) => one.pair === pair)?.value(quantity) ?? null;
      const own = value(quantity);
      return own === null || other === null ? [] : [own - other];
    }),
  );
}

const cellOf = (quantity: Quantity, difference: PairedDifference): string => {
  const text = differenceText(difference, quantity.text);
  return shown(difference) === 0 ? text : `**${text}**`;
};

/**
 * A line a figure: its mean over the reference's models ± their standard deviation, and the others' differences to it.
 * @param results of the compared runs, each pool at the weight that counts for it.
 * @returns nothing before a pool beside the reference was analysed.
 */
export function modelTable(results: readonly SweepResult[], analyses: readonly AnalysedResult[]): string {
  const byRun = new Map(analyses.map((one) => [one.run, one]));
  const pools = poolResults(results)
    .map((pool) => modelsOf(pool, byRun))
    .filter(({ models }) => models.length > 0);
  const reference = pools.find(({ pool }) => pool === REFERENCE);
  const others = pools.filter((one) => one !== reference);
  if (!reference || others.length === 0) return '';
  const rows = quantitiesOf(analyses.map(({ record }) => record)).map((quantity) => {
    const own = reference.models.flatMap(({ value }) => value(quantity) ?? []);
    return [
      `${PART_TITLES[quantity.part].split(/[:;]/)[0]}: ${quantity.name}`,
      meanText(meanOf(own), quantity.text),
      ...others.map((pool) => cellOf(quantity, differenceOf(quantity, pool, reference))),
    ];
  });
  const title = ({ pool, weight, models }: PoolModels) =>
    `\`${pool}\`${weight === null ? '' : `, λ = ${weight}`}, ${models.length} orders`;
  return markdownTable(['', title(reference), ...others.map((pool) => `${title(pool)}, difference`)], rows);
}
