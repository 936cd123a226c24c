/** What a data set is, in numbers. */
import {
  channelMoments,
  classIndices,
  className,
  domainCount,
  domainName,
  type ImageDataset,
  imageCount,
  type Normalization,
  type PictureSizes,
} from './dataset.ts';
import { type SharedImages, sharedImages } from './duplicates.ts';
import type { ImageFormat } from './image-bytes.ts';
import type { FoundDataset } from './load-dataset.ts';

export interface ClassCounts {
  readonly name: string;
  readonly train: number;
  readonly test: number;
}

export interface DatasetDescription {
  readonly name: string;
  readonly format: string;
  readonly images: ImageFormat;
  /** Of pictures in files, before they were brought to one size. */
  readonly pictureSizes?: PictureSizes;
  readonly train: number;
  readonly test: number;
  readonly classes: readonly ClassCounts[];
  /** Names, where images are of several domains. */
  readonly domains: readonly string[];
  /** Of the training images, for pixels scaled to 0 … 1. */
  readonly moments: Normalization;
  readonly shared: SharedImages;
  readonly notes: readonly string[];
}

/** Describes a set that was found; every pixel is looked at. */
export function describeDataset({ split, format }: FoundDataset): DatasetDescription {
  const { train, test, notes = [], pictureSizes } = split;
  const { name, height, width, channels } = train;
  const counts = (set: ImageDataset) => classIndices(set).map(({ length }) => length);
  const [ofTrain, ofTest] = [counts(train), counts(test)];
  return {
    name,
    format,
    images: { height, width, channels },
    ...(pictureSizes ? { pictureSizes } : {}),
    train: imageCount(train),
    test: imageCount(test),
    classes: ofTrain.map((count, label) => ({ name: className(train, label), train: count, test: ofTest[label] ?? 0 })),
    domains: Array.from({ length: domainCount(train) }, (_, domain) => domainName(train, domain)),
    moments: channelMoments(train),
    shared: sharedImages(train, test),
    notes,
  };
}
