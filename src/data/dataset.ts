/** A labelled set of images as bytes, and the views of it that protocols speak of. */
import { ArgumentError, DataError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { bytesPerImage, formatName, type ImageBytes, pixelsAt, sameFormat } from './image-bytes.ts';
import { chosenIdentity, chosenImages, type StoredImages } from './stored-images.ts';

/** One part of a labelled set of images, such as its test images, wherever their pixels are. */
export interface LabelledSet {
  /** For people, in errors and records. */
  name: string;
  /** One class number an image, 0 … classes - 1. */
  labels: Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
  height: number;
  width: number;
  channels: number;
  /** How many classes there are; some may have no image in this part. */
  classes: number;
  /** In label order. */
  classNames?: string[];
  /** Where images are of several domains (styles, places, sensors): that of each image, a number from 0. */
  domains?: Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
  /** In the order of these numbers. */
  domainNames?: string[];
}

/** A labelled set with its pixels in memory. */
export interface ImageDataset extends LabelledSet {
  /** Pixels 0 … 255, row-major [count, height, width, channels]. */
  images: Uint8Array<ArrayBuffer>;
  /** What tells these images from others, where they were read from a store; see {@link StoredImages.identity}. */
  identity?: string;
}

/** A labelled set whose pixels are read when they are needed; see `openPictures`. */
export interface StoredDataset extends LabelledSet {
  /** As many as there are labels. */
  stored: StoredImages;
  /** Means and deviations of the channels, of as many images as were looked at. */
  moments: Normalization;
}

/** A labelled set, wherever its pixels are. */
export type AnyDataset = ImageDataset | StoredDataset;

/** Images of a labelled set, without their labels. */
export type LotOf<D extends AnyDataset> = D extends StoredDataset ? StoredImages : ImageBytes;

/** Two parts of one data set: the same image size, the same classes. */
export interface DatasetSplit<D extends LabelledSet = ImageDataset> {
  /** What is learnt from. */
  train: D;
  /** What is tested on. */
  test: D;
  /** For people: what was left out while it was read, and what was decided for them. */
  notes?: readonly string[];
  /** Where images were pictures in files: how large these are. */
  pictureSizes?: PictureSizes;
}

/** The pictures with the fewest pixels and with the most, as their files have them. */
export interface PictureSizes {
  readonly smallest: { readonly width: number; readonly height: number };
  readonly largest: { readonly width: number; readonly height: number };
}

/** Per channel, for pixels scaled to 0 … 1: (pixel / 255 - mean) / std. */
export interface Normalization {
  mean: readonly number[];
  std: readonly number[];
}

/** How many images the set holds. */
export const imageCount = (dataset: LabelledSet): number => dataset.labels.length;

/** The images without their labels; the same memory. */
export const datasetImages = ({ images, labels, height, width, channels }: ImageDataset): ImageBytes => ({
  data: images,
  count: labels.length,
  height,
  width,
  channels,
});

/** The images without their labels, in memory or not. */
export const imagesOfSet = <D extends AnyDataset>(dataset: D): LotOf<D> =>
  ('stored' in dataset ? dataset.stored : datasetImages(dataset)) as LotOf<D>;

/** The indices of the images of each class, in the set's order: `classIndices(set)[3]` are those of class 3. */
export function classIndices(dataset: LabelledSet): number[][] {
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
export function subset<D extends AnyDataset>(dataset: D, indices: ArrayLike<number>): D {
  const { labels, domains } = dataset;
  for (let place = 0; place < indices.length; place++) {
    const index = indices[place]!;
    if (labels[index] !== undefined) continue;
    throw new ArgumentError({
      where: `subset of ${dataset.name}`,
      message: `unknown image ${index}: the set has ${imageCount(dataset)}.`,
      fix: 'Use indices from 0 up to one less than the count.',
    });
  }
  return {
    ...dataset,
    ...pixelsOfSubset(dataset, indices),
    labels: numbersAt(labels, indices),
    ...(domains ? { domains: numbersAt(domains, indices) } : {}),
  };
}

function pixelsOfSubset(
  dataset: AnyDataset,
  indices: ArrayLike<number>,
): Pick<ImageDataset, 'images' | 'identity'> | Pick<StoredDataset, 'stored'> {
  if ('stored' in dataset) return { stored: chosenImages(dataset.stored, indices) };
  const images = pixelsAt(datasetImages(dataset), indices);
  return { images, ...(dataset.identity ? { identity: chosenIdentity(dataset.identity, indices) } : {}) };
}

function numbersAt(numbers: ImageDataset['labels'], indices: ArrayLike<number>): ImageDataset['labels'] {
  const chosen = numbers instanceof Uint8Array ? new Uint8Array(indices.length) : new Uint16Array(indices.length);
  for (let place = 0; place < indices.length; place++) chosen[place] = numbers[indices[place]!]!;
  return chosen;
}

/**
 * The first `count` images of every class, in the set's order: a small protocol that anyone can repeat.
 * @param eachDomain as many of every class in every domain.
 * @throws {DataError} if there are fewer.
 */
export function firstPerClass<D extends AnyDataset>(dataset: D, count: number, eachDomain = false): D {
  const { classes, labels } = dataset;
  const domains = eachDomain ? dataset.domains : undefined;
  const seen = new Uint32Array(classes * (domains ? domainCount(dataset) : 1));
  const indices: number[] = [];
  labels.forEach((label, index) => {
    const group = classes * (domains?.[index] ?? 0) + label;
    if (seen[group]! < count) indices.push(index);
    seen[group]!++;
  });
  const short = seen.findIndex((has) => has < count);
  if (short >= 0) {
    const has = seen[short]!;
    const where = domains ? ` of ${domainName(dataset, Math.floor(short / classes))}` : '';
    throw new DataError({
      where: dataset.name,
      message: `${count} images a class were asked for, but class ${className(dataset, short % classes)}${where} has ${has}.`,
      fix: has > 0 ? `Ask for ${has} a class or fewer.` : 'Leave this class out.',
    });
  }
  return subset(dataset, indices);
}

/** The mean and the standard deviation of each channel over all pixels; a channel of one value gets deviation 1. */
export function channelMoments({ images, channels }: Pick<ImageDataset, 'images' | 'channels'>): Normalization {
  const sums = new Array<number>(channels).fill(0);
  const squares = new Array<number>(channels).fill(0);
  const varies = new Array<boolean>(channels).fill(false);
  // Sums of whole numbers: exact, whatever their order.
  for (let at = 0; at < images.length; at++) {
    const pixel = images[at]!;
    const channel = at % channels;
    sums[channel]! += pixel;
    squares[channel]! += pixel * pixel;
    if (pixel !== images[channel]) varies[channel] = true;
  }
  const count = images.length / channels;
  const mean = sums.map((sum) => sum / count / 255);
  // The difference of two rounded numbers is seldom exactly 0 where a channel has one value.
  const std = squares.map((sum, channel) =>
    varies[channel] ? Math.sqrt(Math.max(0, sum / count / 255 ** 2 - mean[channel]! ** 2)) || 1 : 1,
  );
  return { mean, std };
}

/** The name of a class, or its number where names are not known. */
export const className = (dataset: LabelledSet, label: number): string => dataset.classNames?.[label] ?? String(label);

/** The name of a domain, or its number where names are not known. */
export const domainName = (dataset: LabelledSet, domain: number): string =>
  dataset.domainNames?.[domain] ?? `domain ${domain}`;

/** How many domains the set knows of: their names, or the largest number and one; 0 where it tells none apart. */
export function domainCount({ domains, domainNames }: LabelledSet): number {
  if (!domains) return 0;
  let count = domainNames?.length ?? 0;
  for (const domain of domains) count = Math.max(count, domain + 1);
  return count;
}

/**
 * Checks that a set holds together, so that nothing above has to. `where` names the file of the labels.
 * @throws {DataError} if the counts differ (of images, labels and domains), if the set is empty, if a label is outside its classes or
 * if two classes have one name.
 */
export function checkDataset<D extends AnyDataset>(dataset: D, where: string): D {
  const count = imageCount(dataset);
  const images = 'stored' in dataset ? dataset.stored.count : dataset.images.length / bytesPerImage(dataset);
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
  const labelOf = new Map<string, number>();
  dataset.classNames?.forEach((name, label) => {
    const other = labelOf.get(name);
    labelOf.set(name, label);
    if (other === undefined) return;
    throw new DataError({
      where,
      message: `classes ${other} and ${label} are both called "${clipped(name)}": learners know classes by their names, and would take them for one.`,
      fix: 'Give each class a name of its own.',
    });
  });
  if (dataset.domains && dataset.domains.length !== count) {
    throw new DataError({
      where,
      message: `there are ${dataset.domains.length} domains for ${count} images.`,
      fix: 'Give the domain of every image, or of none.',
    });
  }
  return dataset;
}

/** As many classes as the largest label asks for. */
export function classesOf(labels: Iterable<number>): number {
  let classes = 0;
  for (const label of labels) classes = Math.max(classes, label + 1);
  return classes;
}

/**
 * Two parts as one set, with as many classes as the part with more of them has.
 * @throws {DataError} when their images are of different formats.
 */
export function joinParts(train: ImageDataset, test: ImageDataset, where: string): DatasetSplit {
  if (!sameFormat(train, test)) {
    throw new DataError({
      where,
      message: `training images are ${formatName(train)}, test images ${formatName(test)} (height×width×channels).`,
      fix: 'Use files of one data set.',
    });
  }
  const classes = Math.max(train.classes, test.classes);
  return { train: { ...train, classes }, test: { ...test, classes } };
}
