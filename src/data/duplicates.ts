/** Images that two parts of a set have in common, pixel by pixel: what is tested on should not have been learnt. */
import type { ImageDataset } from './dataset.ts';
import { bytesPerImage, sameFormat } from './image-bytes.ts';

export interface SharedImages {
  /** Test images that are training images too. */
  readonly images: number;
  /** Those of them that are of another class there, and of none that agrees. */
  readonly otherClass: number;
}

/** FNV-1a of 32 bits: those that agree in it are compared. */
function hashOf(pixels: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const pixel of pixels) hash = Math.imul(hash ^ pixel, 0x01000193);
  return hash;
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.every((pixel, at) => pixel === b[at]);

/** How many of the test images are training images too; the same pixels under the same or another label. */
export function sharedImages(train: ImageDataset, test: ImageDataset): SharedImages {
  if (!sameFormat(train, test)) return { images: 0, otherClass: 0 };
  const bytes = bytesPerImage(train);
  const pixelsOf = ({ images }: ImageDataset, index: number) => images.subarray(index * bytes, (index + 1) * bytes);
  const byHash = new Map<number, number[]>();
  for (let index = 0; index < train.labels.length; index++) {
    const hash = hashOf(pixelsOf(train, index));
    const known = byHash.get(hash);
    if (known) known.push(index);
    else byHash.set(hash, [index]);
  }
  let [images, otherClass] = [0, 0];
  for (let index = 0; index < test.labels.length; index++) {
    const pixels = pixelsOf(test, index);
    const same = (byHash.get(hashOf(pixels)) ?? []).filter((other) => isSame(pixels, pixelsOf(train, other)));
    if (same.length === 0) continue;
    images++;
    if (!same.some((other) => train.labels[other] === test.labels[index])) otherClass++;
  }
  return { images, otherClass };
}
