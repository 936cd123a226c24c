/** A labelled set of images as bytes, and the views of it that protocols speak of. */
import { ArgumentError, DataError } from '../errors.ts';
import { bytesPerImage, type ImageBytes } from './image-bytes.ts';

export interface ImageDataset {
  name: string;
  /** Pixels 0 … 255, row-major [count, height, width, channels]. */
  images: Uint8Array<ArrayBuffer>;
  /** One class number an image, 0 … classes - 1. */
  labels: Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
  height: number;
  width: number;
  channels: number;
  /** How many classes there are; some may have no image in this part. */
  classes: number;
  /** In label order. */
  classNames?: string[];
}

/** Two parts of one data set: the same image size, the same classes. */
export interface DatasetSplit {
  train: ImageDataset;
  test: ImageDataset;
}

/** Per channel, for pixels scaled to 0 … 1: (pixel / 255 - mean) / std. */
export interface Normalization {
  mean: readonly number[];
  std: readonly number[];
}

/** How many images the set holds. */
export const imageCount = (dataset: ImageDataset): number => dataset.labels.length;

/** The images without their labels; the same memory. */
export const datasetImages = ({ images, labels, height, width, channels }: ImageDataset): ImageBytes => ({
  data: images,
  count: labels.length,
  height,
  width,
  channels,
});

/** The indices of the images of each class, in the set's order: `classIndices(set)[3]` are those of class 3. */
export function classIndices(dataset: ImageDataset): number[][] {
  const indices = Array.from({ length: dataset.classes }, (): number[] => []);
  dataset.labels.forEach((label, index) => {
    indices[label]!.push(index);
  });
  return indices;
}

/**
 * The images at these indices, in this order.
 * @throws {ArgumentError} for an index outside the set.
 */
export function subset(dataset: ImageDataset, indices: ArrayLike<number>): ImageDataset {
  const bytes = bytesPerImage(dataset);
  const images = new Uint8Array(indices.length * bytes);
  const labels =
    dataset.labels instanceof Uint8Array ? new Uint8Array(indices.length) : new Uint16Array(indices.length);
  for (let place = 0; place < indices.length; place++) {
    const index = indices[place]!;
    const label = dataset.labels[index];
    if (label === undefined) {
      throw new ArgumentError({
        where: `subset of ${dataset.name}`,
        message: `unknown image ${index}: the set has ${imageCount(dataset)}.`,
        fix: 'Use indices from 0 up to one less than the count.',
      });
    }
    images.set(dataset.images.subarray(index * bytes, (index + 1) * bytes), place * bytes);
    labels[place] = label;
  }
  return { ...dataset, images, labels };
}

/**
 * The first `count` images of every class, in the set's order: a small protocol that anyone can repeat.
 * @throws {DataError} if a class has fewer.
 */
export function firstPerClass(dataset: ImageDataset, count: number): ImageDataset {
  const short = classIndices(dataset).findIndex((indices) => indices.length < count);
  if (short >= 0) {
    const has = classIndices(dataset)[short]!.length;
    throw new DataError({
      where: dataset.name,
      message: `${count} images a class were asked for, but class ${className(dataset, short)} has ${has}.`,
      fix: has > 0 ? `Ask for ${has} a class or fewer.` : 'Leave this class out.',
    });
  }
  const taken = new Uint32Array(dataset.classes);
  const indices: number[] = [];
  dataset.labels.forEach((label, index) => {
    if (taken[label]! < count) indices.push(index);
    taken[label]!++;
  });
  return subset(dataset, indices);
}

/** The mean and the standard deviation of each channel over all pixels; a channel of one value gets deviation 1. */
export function channelMoments({ images, channels }: Pick<ImageDataset, 'images' | 'channels'>): Normalization {
  const sums = new Array<number>(channels).fill(0);
  const squares = new Array<number>(channels).fill(0);
  // Sums of whole numbers: exact, whatever their order.
  for (let at = 0; at < images.length; at++) {
    const pixel = images[at]!;
    sums[at % channels]! += pixel;
    squares[at % channels]! += pixel * pixel;
  }
  const count = images.length / channels;
  const mean = sums.map((sum) => sum / count / 255);
  const std = squares.map((sum, channel) => Math.sqrt(Math.max(0, sum / count / 255 ** 2 - mean[channel]! ** 2)) || 1);
  return { mean, std };
}

/** The name of a class, or its number where names are not known. */
export const className = (dataset: ImageDataset, label: number): string => dataset.classNames?.[label] ?? String(label);

/**
 * Checks that a set holds together, so that nothing above has to. `where` names the file of the labels.
 * @throws {DataError} if the counts differ, if the set is empty or if a label is outside its classes.
 */
export function checkDataset(dataset: ImageDataset, where: string): ImageDataset {
  const count = imageCount(dataset);
  const images = dataset.images.length / bytesPerImage(dataset);
  if (images !== count) {
    throw new DataError({
      where,
      message: `there are ${count} labels for ${images} images.`,
      fix: 'Use the label file that belongs to these images.',
    });
  }
  if (count === 0) throw new DataError({ where, message: 'there are no images.', fix: 'Fetch the data set again.' });
  const outside = dataset.labels.findIndex((label) => label >= dataset.classes);
  if (outside >= 0) {
    throw new DataError({
      where,
      message: `label ${dataset.labels[outside]} of image ${outside} is out of range: there are ${dataset.classes} classes, 0 to ${dataset.classes - 1}.`,
      fix: 'Mend the labels, or name every class in classes.json.',
    });
  }
  return dataset;
}
