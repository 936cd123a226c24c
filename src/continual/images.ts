/** A learner's images: kept on the GPU as bytes, with the data set's labels beside them on the CPU. */
import { type Augmentation, keepsToPixels, randomTransforms } from '../data/augment.ts';
import type { DatasetSplit, ImageDataset } from '../data/dataset.ts';
import { channelMoments, checkDataset, classIndices, firstPerClass } from '../data/dataset.ts';
import { DeviceImages } from '../data/device-images.ts';
import { ConfigError } from '../errors.ts';
import type { Engine } from '../tensor/engine.ts';
import type { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { RunConfig } from './config.ts';

/** The training or the test images of a run. */
export class LearnerImages {
  readonly byClass: readonly (readonly number[])[];
  private readonly device: DeviceImages;

  constructor(
    readonly engine: Engine,
    readonly dataset: ImageDataset,
    normalization: { mean: readonly number[]; std: readonly number[] },
  ) {
    this.byClass = classIndices(dataset);
    this.device = new DeviceImages(engine, dataset, { normalization });
  }

  /** Images [n, h, w, c] as they are. */
  raw(indices: ArrayLike<number>): Tensor {
    return this.device.sample({ indices });
  }

  /** A random matrix for each of `count` images, f32 [count, 2, 3]. */
  transforms(count: number, augmentation: Augmentation, random: Random): Tensor {
    return this.engine.tensor(randomTransforms(count, this.device, augmentation, random), [count, 2, 3]);
  }

  /** Images [n, h, w, c], each transformed by its own matrix. @param indices u32 [n]. @param transforms as {@link transforms} gives them. */
  augmented(indices: Tensor, transforms: Tensor, augmentation: Augmentation): Tensor {
    return this.device.sample({ indices, transforms, interpolate: !keepsToPixels(augmentation) });
  }

  /** The logit of each image, i32 [n]. */
  targets(indices: ArrayLike<number>, logitOf: Int32Array): Tensor {
    const labels = Int32Array.from(indices, (index) => logitOf[this.dataset.labels[index] as number] ?? -1);
    return this.engine.tensor(labels);
  }

  dispose(): void {
    this.device.dispose();
  }
}

/**
 * The part of the data that the run is about.
 * @throws {DataError} when the data do not hold together or are too few.
 */
export function cutImages(split: DatasetSplit, { trainPerClass, testPerClass }: RunConfig): DatasetSplit {
  const cut = (dataset: ImageDataset, perClass: number) => {
    checkDataset(dataset, dataset.name);
    return perClass > 0 ? firstPerClass(dataset, perClass) : dataset;
  };
  return { train: cut(split.train, trainPerClass), test: cut(split.test, testPerClass) };
}

/**
 * Uploads both parts, normalised as configured.
 * @throws {ConfigError}
 * @throws {OutOfMemoryError} when nothing stays uploaded.
 */
export function uploadImages(
  engine: Engine,
  { train, test }: DatasetSplit,
  config: RunConfig,
): { train: LearnerImages; test: LearnerImages } {
  const measured = config.mean && config.std ? null : channelMoments(train);
  const mean = config.mean ?? measured?.mean ?? [];
  const std = config.std ?? measured?.std ?? [];
  if (mean.length !== train.channels || std.length !== train.channels) {
    throw new ConfigError({
      where: 'normalisation',
      message: `the images have ${train.channels} channels, but there are ${mean.length} means and ${std.length} deviations.`,
      fix: 'Give one of each a channel, or leave both out.',
    });
  }
  const normalization = { mean, std };
  const uploaded = new LearnerImages(engine, train, normalization);
  try {
    return { train: uploaded, test: new LearnerImages(engine, test, normalization) };
  } catch (error) {
    uploaded.dispose();
    throw error;
  }
}

export function augmentationOf({ crop, flip, rotate, scale }: RunConfig): Augmentation {
  return scale ? { crop, flip, rotate, scale } : { crop, flip, rotate };
}
