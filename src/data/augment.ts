/** Random crops, flips, rotations and scales, as one affine matrix an image, and brightness; `DeviceImages.sample` applies them. */
import { mat3d } from 'wgpu-matrix';
import { ArgumentError } from '../errors.ts';
import type { Random } from '../tensor/random.ts';

/** What may happen to an image, each independently; what is left out does not. */
export interface Augmentation {
  /** A random crop of the image's own size after padding by this many pixels on each side. */
  crop?: number;
  /** Probability of a mirror image, left and right exchanged. */
  flip?: number;
  /** Rotation about the centre by up to this many degrees either way, uniform. */
  rotate?: number;
  /** Magnification about the centre, uniform between these two. */
  scale?: readonly [low: number, high: number];
  /** Pixels times a factor uniform in 1 ± this, as torchvision's `ColorJitter`; 0 to 1. */
  brightness?: number;
}

/** Whether every matrix keeps to whole pixels, so that sampling needs no interpolation. */
export const keepsToPixels = ({ rotate = 0, scale }: Augmentation): boolean =>
  rotate === 0 && (scale === undefined || (scale[0] === 1 && scale[1] === 1));

/** @throws {ArgumentError} for an augmentation that means nothing. */
export function checkAugmentation(augmentation: Augmentation): void {
  const { crop = 0, flip = 0, rotate = 0, scale = [1, 1], brightness = 0 } = augmentation;
  const wrong = (message: string, fix: string) => new ArgumentError({ where: 'augmentation', message, fix });
  if (!Number.isInteger(crop) || crop < 0) {
    throw wrong(`a crop with padding ${crop} is impossible.`, 'Give a whole number of pixels, 0 for none.');
  }
  if (!(flip >= 0 && flip <= 1)) throw wrong(`a flip with probability ${flip} is impossible.`, 'Give 0 to 1.');
  if (!(rotate >= 0 && rotate <= 180))
    throw wrong(`a rotation by ±${rotate}° is impossible.`, 'Give 0 to 180 degrees.');
  if (!(scale[0] > 0 && scale[1] >= scale[0] && Number.isFinite(scale[1]))) {
    throw wrong(
      `a scale from ${scale[0]} to ${scale[1]} is impossible.`,
      'Give two factors above 0, the smaller one first.',
    );
  }
  if (!(brightness >= 0 && brightness <= 1))
    throw wrong(`a brightness of 1 ± ${brightness} is impossible.`, 'Give 0 to 1.');
}

/**
 * One random matrix an image, f32 [n, 2, 3] row-major: from an output pixel (x, y, 1) to the place in the input that it
 * is read at, pixel centres at whole numbers. An image is scaled and rotated about its centre, then padded and cropped,
 * then flipped, in torchvision's usual order. The numbers are drawn image by image, only for what may happen.
 * @throws {ArgumentError} for an augmentation that means nothing.
 */
export function randomTransforms(
  count: number,
  { height, width }: { height: number; width: number },
  augmentation: Augmentation,
  random: Random,
): Float32Array<ArrayBuffer> {
  checkAugmentation(augmentation);
  const { crop = 0, flip = 0, rotate = 0, scale } = augmentation;
  const transforms = new Float32Array(6 * count);
  const centre = [(width - 1) / 2, (height - 1) / 2];
  const back = centre.map((coordinate) => -coordinate);
  for (let image = 0; image < count; image++) {
    // From output to input: every step is the inverse of what happens to the image, and the last one multiplied acts first.
    const matrix = mat3d.identity();
    if (!keepsToPixels(augmentation)) {
      const angle = rotate > 0 ? (random.uniform(-rotate, rotate) * Math.PI) / 180 : 0;
      const shrink = scale ? 1 / random.uniform(...scale) : 1;
      mat3d.translate(matrix, centre, matrix);
      mat3d.rotate(matrix, angle, matrix);
      mat3d.scale(matrix, [shrink, shrink], matrix);
      mat3d.translate(matrix, back, matrix);
    }
    if (crop > 0) {
      mat3d.translate(matrix, [random.int(2 * crop + 1) - crop, random.int(2 * crop + 1) - crop], matrix);
    }
    if (flip > 0 && random.chance(flip)) {
      mat3d.translate(matrix, [width - 1, 0], matrix);
      mat3d.scale(matrix, [-1, 1], matrix);
    }
    // Its columns are padded to four numbers each.
    transforms.set([matrix[0]!, matrix[4]!, matrix[8]!, matrix[1]!, matrix[5]!, matrix[9]!], image * 6);
  }
  return transforms;
}

/**
 * One random factor an image, f32 [n], that its pixels are multiplied by.
 * @throws {ArgumentError} for an augmentation that means nothing.
 */
export function randomBrightness(count: number, augmentation: Augmentation, random: Random): Float32Array<ArrayBuffer> {
  checkAugmentation(augmentation);
  const { brightness = 0 } = augmentation;
  return Float32Array.from({ length: count }, () => random.uniform(1 - brightness, 1 + brightness));
}
