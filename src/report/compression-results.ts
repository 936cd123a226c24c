/** Results of a compression: a line a student, and losses side by side. */
import * as v from 'valibot';
import { COMPRESSION_LOSSES, type CompressionLoss } from '../continual/compression/settings.ts';
import { type Mean, meanOf, type PairedDifference, pairedDifference } from './statistics.ts';

const finite = v.pipe(v.number(), v.finite());

export const studentResultSchema = v.object({
  /** Of its configuration. */
  run: v.string(),
  loss: v.picklist(COMPRESSION_LOSSES),
  seed: finite,
  /** Percent of the test images. */
  accuracy: finite,
  /** Of its training. */
  seconds: finite,
  adapter: v.string(),
  /** When it was done, ISO 8601. */
  date: v.string(),
  version: v.string(),
  /** What it was trained by, defaults included, and what tells its teacher and its groups from others. */
  config: v.record(v.string(), v.unknown()),
});
export type StudentResult = v.InferOutput<typeof studentResultSchema>;

export interface LossResult {
  readonly loss: CompressionLoss;
  /** Percent, in the order of the seeds. */
  readonly accuracies: readonly number[];
  readonly accuracy: Mean;
  /** λ; null where it distils nothing. */
  readonly weight: number | null;
  /** To the usual distillation, paired by seed; `null` for itself, and where it was not run. */
  readonly difference: PairedDifference | null;
  /** Mean over the students. */
  readonly seconds: number;
}

/** One loss at one weight, on images held out of the training ones. */
export interface WeightResult {
  readonly loss: CompressionLoss;
  /** λ. */
  readonly weight: number;
  /** Percent. */
  readonly accuracy: Mean;
}

/** Students that weights are chosen by, a line a loss and weight: losses in their own order, weights rising. */
export function compareWeights(trials: readonly StudentResult[]): WeightResult[] {
  const weightOf = ({ config }: StudentResult) => config.kdWeight as number;
  return COMPRESSION_LOSSES.flatMap((loss) => {
    const own = trials.filter((one) => one.loss === loss);
    const weights = [...new Set(own.map(weightOf))].sort((a, b) => a - b);
    return weights.map((weight) => ({
      loss,
      weight,
      accuracy: meanOf(own.filter((one) => weightOf(one) === weight).map(({ accuracy }) => accuracy)),
    }));
  });
}

/** Of each loss the weight with the highest mean; of equals the least. */
export function bestWeights(tried: readonly WeightResult[]): Map<CompressionLoss, number> {
  const best = new Map<CompressionLoss, WeightResult>();
  for (const one of tried) {
    const known = best.get(one.loss);
    if (!known || one.accuracy.mean > known.accuracy.mean) best.set(one.loss, one);
  }
  return new Map([...best].map(([loss, { weight }]) => [loss, weight]));
}

/** Of losses whose best weight is the least or the greatest tried, that a better one may lie beyond. */
export function edgeNotes(tried: readonly WeightResult[]): string[] {
  return [...bestWeights(tried)].flatMap(([loss, weight]) => {
    const weights = tried.filter((one) => one.loss === loss).map((one) => one.weight);
    const edge = weight === Math.min(...weights) ? 'least' : weight === Math.max(...weights) ? 'greatest' : null;
    return edge ? [`${loss} tested best at λ = ${weight}, the ${edge} of --weights: a better one may lie beyond.`] : [];
  });
}

/** What others are compared with. */
export const COMPRESSION_BASELINE: CompressionLoss = 'kd';

/** Those losses of which some student is done, in the order of {@link COMPRESSION_LOSSES}. */
export function compareLosses(results: readonly StudentResult[]): LossResult[] {
  const of = (loss: CompressionLoss) =>
    results.filter((result) => result.loss === loss).sort((a, b) => a.seed - b.seed);
  const base = of(COMPRESSION_BASELINE);
  return COMPRESSION_LOSSES.flatMap((loss) => {
    const own = of(loss);
    if (own.length === 0) return [];
    const differences = own.flatMap(({ seed, accuracy }) => {
      const other = base.find((one) => one.seed === seed);
      return other ? [accuracy - other.accuracy] : [];
    });
    const accuracies = own.map(({ accuracy }) => accuracy);
    return [
      {
        loss,
        accuracies,
        accuracy: meanOf(accuracies),
        weight: (own[0]?.config.kdWeight as number | undefined) ?? null,
        difference: loss === COMPRESSION_BASELINE || differences.length === 0 ? null : pairedDifference(differences),
        seconds: meanOf(own.map(({ seconds }) => seconds)).mean,
      },
    ];
  });
}
