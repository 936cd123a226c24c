/** Each loss's own weight λ, chosen on images that no student is compared on: a comparison at one weight says which loss it suits. */
import { Compression, type LabelledImages } from '../../continual/compression/compression.ts';
import type { CompressionLoss } from '../../continual/compression/settings.ts';
import { type ImageBytes, pixelsAt } from '../../data/image-bytes.ts';
import { drawnParts } from '../../data/test-part.ts';
import { ConfigError } from '../../errors.ts';
import { bestWeights, compareWeights, type WeightResult } from '../../report/compression-results.ts';
import type { DistillOptions } from './options.ts';
import { type Plan, plannedTrials } from './plan.ts';
import { trainStudents, type Work } from './students.ts';

/** @throws {ConfigError} where there is nothing to choose, or it was chosen. */
export function checkWeights({ weights, settings, loss }: Pick<DistillOptions, 'weights' | 'settings' | 'loss'>): void {
  if (weights.length === 0) return;
  const refuse = (message: string, fix: string) => new ConfigError({ where: '--weights', message, fix });
  if (settings.kdWeight !== undefined)
    throw refuse('each loss is to choose its own weight, and --kd-weight gives one for all.', 'Give one of the two.');
  if (loss.every((one) => one === 'scratch'))
    throw refuse('none of the losses has a weight: scratch distils nothing.', 'Leave it out, or add a loss.');
}

const rowsOf = ({ images, labels }: LabelledImages, rows: readonly number[]): LabelledImages => ({
  images: { ...images, data: pixelsAt(images, rows), count: rows.length } satisfies ImageBytes,
  labels: Int32Array.from(rows, (row) => labels[row] as number),
});

/**
 * A fifth of each class's images, drawn, and the others.
 * @throws {ConfigError} where a class has a single one.
 */
export function holdOut(train: LabelledImages): { readonly learnt: LabelledImages; readonly tested: LabelledImages } {
  const parts = drawnParts(Array.from(train.labels, String), {});
  const [learnt, tested] = [rowsOf(train, parts.train), rowsOf(train, parts.test)];
  if (new Set(Array.from(tested.labels)).size < new Set(Array.from(train.labels)).size) {
    throw new ConfigError({
      where: '--weights',
      message: 'a class has a single training image, of which none can be held out to choose weights by.',
      fix: 'Give one weight for all by --kd-weight.',
    });
  }
  return { learnt, tested };
}

/** What was tried, and of each loss the weight that tested best. */
export interface ChosenWeights {
  readonly tried: readonly WeightResult[];
  readonly best: ReadonlyMap<CompressionLoss, number>;
}

/** Trains what is missing of the students that weights are chosen by; chooses nothing where none were asked for. */
export async function chooseWeights(work: Work, options: DistillOptions, plan: Plan): Promise<ChosenWeights> {
  if (options.weights.length === 0) return { tried: [], best: new Map() };
  const { engine, teacher, folder } = work;
  const { learnt, tested } = holdOut(teacher.train);
  const { model, format } = teacher;
  using compression = new Compression(engine, {
    teacher: model,
    train: learnt,
    normalization: format,
    settings: plan.settings,
  });
  const students = plannedTrials(options, plan);
  await trainStudents(work, { students, compression, tested, results: folder.trials, isKept: false });
  const tried = compareWeights(students.flatMap(({ run }) => folder.trials.get(run) ?? []));
  return { tried, best: bestWeights(tried) };
}
