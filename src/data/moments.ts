/** Means and deviations of channels, of images in memory or not. */
import { channelMoments, type Normalization } from './dataset.ts';
import { type Images, isStored, pixelsOf } from './stored-images.ts';

/** Stored images that are looked at: the standard error of a mean is below a hundredth of the whole range. */
const LOOKED_AT = 256;

/** As many places of `count`, evenly spread. */
export const spreadPlaces = (count: number, most = LOOKED_AT): number[] =>
  Array.from({ length: Math.min(count, most) }, (_, i) => Math.floor((i * count) / Math.min(count, most)));

/**
 * {@link channelMoments}: of all images in memory, and of 256 that are evenly spread over those that are stored.
 * @throws {DataError} for one that cannot be read.
 */
export async function momentsOf(images: Images): Promise<Normalization> {
  const { channels } = images;
  const pixels = isStored(images) ? await pixelsOf(images, spreadPlaces(images.count)) : images.data;
  return channelMoments({ images: pixels, channels });
}
