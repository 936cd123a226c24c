/** The figures that analysed runs are compared by, each a number a run. */
import type { AnalysisName, AnalysisRecord } from '../analysis/run/analysis-record.ts';
import { mean, median } from './statistics.ts';

/** One figure. */
export interface Quantity {
  readonly part: AnalysisName;
  readonly name: string;
  readonly text: (value: number) => string;
  readonly of: (record: AnalysisRecord) => number | null | undefined;
}

/** Three digits that count. */
const significant = (value: number): string => {
  const size = Math.abs(value);
  const isOdd = size !== 0 && (size >= 1e6 || size < 1e-3);
  const text = isOdd ? value.toExponential(2) : size >= 100 ? value.toFixed(0) : value.toPrecision(3);
  return text.replace('-', '−');
};
const one = (value: number): string => value.toFixed(1).replace('-', '−');
const three = (value: number): string => value.toFixed(3).replace('-', '−');

const meanOrNone = (values: readonly number[]): number | null => (values.length === 0 ? null : mean(values));

const ORDINALS = ['largest', 'second', 'third'];

const hessian: Quantity[] = [
  ...ORDINALS.map(
    (which, place): Quantity => ({
      part: 'hessian',
      name: `${which} eigenvalue`,
      text: significant,
      of: ({ parts }) => parts.hessian?.result.eigenvalues[place],
    }),
  ),
  { part: 'hessian', name: 'trace', text: significant, of: ({ parts }) => parts.hessian?.result.trace },
];

/** Those of the first record that has some: all are measured at the same sizes. */
function sharpness(records: readonly AnalysisRecord[]): Quantity[] {
  const first = records.find(({ parts }) => parts.sharpness)?.parts.sharpness?.result;
  if (!first) return [];
  return [
    ...first.average.map(
      ({ rho }): Quantity => ({
        part: 'sharpness',
        name: `average rise, ρ = ${rho}`,
        text: significant,
        of: ({ parts }) => parts.sharpness?.result.average.find((one) => one.rho === rho)?.rise,
      }),
    ),
    ...first.worst.map(
      ({ norm, rho }): Quantity => ({
        part: 'sharpness',
        name: `worst rise, ${norm === 'max' ? 'ℓ∞' : 'ℓ2'}, ρ = ${rho}`,
        text: significant,
        of: ({ parts }) => parts.sharpness?.result.worst.find((one) => one.rho === rho && one.norm === norm)?.rise,
      }),
    ),
  ];
}

const blocksOf = ({ parts }: AnalysisRecord) => parts.classifier?.result.blocks ?? null;

/** Of the newest task's block and of those before it. */
function newAgainstOld(
  record: AnalysisRecord,
  of: (block: { norm: number; bias: number | null }) => number | null,
): [fresh: number, old: number] | null {
  const values = blocksOf(record)
    ?.map(of)
    .filter((value) => value !== null);
  const [fresh, old] = [values?.at(-1), meanOrNone(values?.slice(0, -1) ?? [])];
  return fresh === undefined || old === null ? null : [fresh, old];
}

const classifier: Quantity[] = [
  {
    part: 'classifier',
    name: 'weights, new / old',
    text: three,
    of(record) {
      const pair = newAgainstOld(record, ({ norm }) => norm);
      return pair && pair[0] / pair[1];
    },
  },
  {
    part: 'classifier',
    name: 'biases, new − old',
    text: three,
    of(record) {
      const pair = newAgainstOld(record, ({ bias }) => bias);
      return pair && pair[0] - pair[1];
    },
  },
  {
    part: 'classifier',
    name: 'calibration error',
    text: one,
    of: ({ parts }) => parts.classifier?.result.calibration.all,
  },
  {
    part: 'classifier',
    name: 'calibration error, task 1',
    text: one,
    of: ({ parts }) => parts.classifier?.result.calibration.tasks[0],
  },
];

const drift: Quantity[] = [
  {
    part: 'drift',
    name: 'first to last model',
    text: three,
    of: ({ parts }) => parts.drift?.result.similarity.at(-1)?.[0]?.at(-1),
  },
  {
    part: 'drift',
    name: 'from task to task',
    text: three,
    of: ({ parts }) => {
      const features = parts.drift?.result.similarity.at(-1);
      return features && meanOrNone(features.slice(1).map((row, stage) => row[stage] as number));
    },
  },
];

/** The accuracies of the first kept extractor and the last one. */
const stabilityOf = ({ parts }: AnalysisRecord) => parts.stability?.result;

const stability: Quantity[] = [
  { part: 'stability', name: 'untrained extractor', text: one, of: (record) => stabilityOf(record)?.accuracy[0] },
  { part: 'stability', name: 'first extractor', text: one, of: (record) => stabilityOf(record)?.accuracy[1] },
  { part: 'stability', name: 'last extractor', text: one, of: (record) => stabilityOf(record)?.accuracy.at(-1) },
  {
    part: 'stability',
    name: 'first one, on task 1',
    text: one,
    of: (record) => stabilityOf(record)?.blocks[1]?.[0],
  },
  {
    part: 'stability',
    name: 'last one, on task 1',
    text: one,
    of: (record) => stabilityOf(record)?.blocks.at(-1)?.[0],
  },
  {
    part: 'stability',
    name: 'first one, on the last task',
    text: one,
    of: (record) => stabilityOf(record)?.blocks[1]?.at(-1),
  },
  {
    part: 'stability',
    name: 'last one, on the last task',
    text: one,
    of: (record) => stabilityOf(record)?.blocks.at(-1)?.at(-1),
  },
];

const landscape: Quantity[] = [
  {
    part: 'landscape',
    name: 'rise at the edge, median',
    text: significant,
    of({ parts }) {
      const rows = parts.landscape?.result.losses;
      if (!rows) return null;
      const last = rows.length - 1;
      const edge = rows.flatMap((row, i) => row.filter((_, j) => i === 0 || j === 0 || i === last || j === last));
      // What is not finite is above all others.
      const height = median(edge.map((loss) => loss ?? Number.POSITIVE_INFINITY));
      const center = rows[last / 2]?.[last / 2];
      return center === null || center === undefined || !Number.isFinite(height) ? null : height - center;
    },
  },
];

/** What each part is about, in a few words with its unit. */
export const PART_TITLES: Readonly<Record<AnalysisName, string>> = {
  hessian: 'curvature: Hessian of the training loss',
  sharpness: 'adaptive sharpness: rise of the training loss',
  classifier: 'classifier; calibration error in points',
  drift: 'drift: CKA of features',
  stability: 'linear probes on frozen extractors, accuracy in %',
  landscape: 'landscape: training loss on a plane',
};

/** Those that some record has. */
export function quantitiesOf(records: readonly AnalysisRecord[]): Quantity[] {
  const all = [...hessian, ...sharpness(records), ...classifier, ...drift, ...stability, ...landscape];
  return all.filter(({ of }) => records.some((record) => (of(record) ?? null) !== null));
}
