/** The images of a task: on the device as bytes, with their logits beside them on the CPU. */
import { type Augmentation, keepsToPixels, randomBrightness, randomTransforms } from '../data/augment.ts';
import type { Normalization } from '../data/dataset.ts';
import { DeviceImages } from '../data/device-images.ts';
import type { ImageBytes } from '../data/image-bytes.ts';
import type { Engine } from '../tensor/engine.ts';
import type { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';

export class TaskImages {
  private readonly device: DeviceImages;

  /**
   * Uploads the images.
   * @param labels the right logit of each; −1 where there is none.
   * @throws {OutOfMemoryError} beyond the device's limits.
   */
  constructor(
    readonly engine: Engine,
    images: ImageBytes,
    readonly labels: Int32Array,
    normalization: Normalization,
  ) {
    this.device = new DeviceImages(engine, images, { normalization });
  }

  /** Images f32 [n, h, w, c] as they are, normalised. */
  raw(indices: ArrayLike<number>): Tensor {
    return this.device.sample({ indices });
  }

  /** A random matrix for each of `count` images, f32 [count, 2, 3]. */
  transforms(count: number, augmentation: Augmentation, random: Random): Tensor {
    return this.engine.tensor(randomTransforms(count, this.device, augmentation, random), [count, 2, 3]);
  }

  /** A random factor of brightness for each of `count` images, f32 [count]. */
  brightness(count: number, augmentation: Augmentation, random: Random): Tensor {
    return this.engine.tensor(randomBrightness(count, augmentation, random));
  }

  /**
   * Images [n, h, w, c], each transformed by its own matrix.
   * @param indices u32 [n].
   * @param transforms as {@link transforms} gives them.
   * @param brightness as {@link brightness} gives it; none where the augmentation has none.
   */
  augmented(indices: Tensor, transforms: Tensor, augmentation: Augmentation, brightness?: Tensor): Tensor {
    const interpolate = !keepsToPixels(augmentation);
    return this.device.sample({ indices, transforms, interpolate, ...(brightness ? { brightness } : {}) });
  }

  /** The logit of each image, i32 [n]. */
  targets(indices: ArrayLike<number>): Tensor {
    return this.engine.tensor(Int32Array.from(indices, (index) => this.labels[index] as number));
  }

  dispose(): void {
    this.device.dispose();
  }
}
