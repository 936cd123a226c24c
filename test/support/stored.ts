/** Data sets in memory as if they lay elsewhere, for tests. */
import { channelMoments, datasetImages, type ImageDataset, type StoredDataset } from '../../src/data/dataset.ts';
import type { StoredImages } from '../../src/data/stored-images.ts';
import { pixelsOf } from '../../src/data/stored-images.ts';

/** What is read of a store. */
export interface Reading {
  /** Images that are read right now, in all calls. */
  underway: number;
  /** The most that ever were. */
  most: number;
  calls: number;
  /** Thrown by the call of this number, from 0. */
  fails?: number;
}

export const newReading = (): Reading => ({ underway: 0, most: 0, calls: 0 });

/** The same set, stored: reads come back in another order than they were asked for. */
export function storedOf(
  { images, ...set }: ImageDataset,
  identity: string,
  reading: Reading = newReading(),
): StoredDataset {
  const bytes = datasetImages({ images, ...set });
  const { height, width, channels } = set;
  const stored: StoredImages = {
    height,
    width,
    channels,
    count: set.labels.length,
    identity,
    async read(indices) {
      const call = reading.calls++;
      reading.underway += indices.length;
      reading.most = Math.max(reading.most, reading.underway);
      try {
        await new Promise((later) => setTimeout(later, (call * 7) % 4));
        if (call === reading.fails) throw new Error('the disk is gone');
        return await pixelsOf(bytes, indices);
      } finally {
        reading.underway -= indices.length;
      }
    },
  };
  return { ...set, stored, moments: channelMoments({ images, channels }) };
}
