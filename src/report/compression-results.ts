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
  /** To the usual distillation, paired by seed; `null` for itself, and where it was not run. */
  readonly difference: PairedDifference | null;
  /** Mean over the students. */
  readonly seconds: number;
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
        difference: loss === COMPRESSION_BASELINE || differences.length === 0 ? null : pairedDifference(differences),
        seconds: meanOf(own.map(({ seconds }) => seconds)).mean,
      },
    ];
  });
}
