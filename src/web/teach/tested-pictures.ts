/** Test pictures of the network's own classes, as a file of the site. */
import { DataError, type ImageBytes, readSafetensors, writeSafetensors } from 'engram';
import { bytesPerImage } from '../../data/image-bytes.ts';
import { joinedBytes } from './joined-bytes.ts';

export interface TestedPictures {
  readonly images: ImageBytes;
  /** The class of each. */
  readonly labels: readonly string[];
}

export function writeTested({ images, labels }: TestedPictures): Uint8Array<ArrayBuffer> {
  const { count, height, width, channels, data } = images;
  const pictures = { dtype: 'U8', shape: [count, height, width, channels], data } as const;
  return writeSafetensors(new Map([['pictures', pictures]]), { labels: JSON.stringify(labels) });
}

/** @throws {DataError} when there are no such pictures in it. */
export function readTested(bytes: Uint8Array, where: string): TestedPictures {
  const { tensors, metadata } = readSafetensors(bytes, where);
  const { data, shape = [] } = tensors.get('pictures') ?? {};
  const [count = 0, height = 0, width = 0, channels = 0] = shape;
  const labels = JSON.parse(metadata.labels ?? '[]') as string[];
  if (!(data instanceof Uint8Array) || labels.length !== count) {
    throw new DataError({ where, message: 'there are no test pictures in it.', fix: 'Build the site anew.' });
  }
  return { images: { data: new Uint8Array(data), count, height, width, channels }, labels };
}

/** Those of some classes. */
export function testedOf({ images, labels }: TestedPictures, classes: ReadonlySet<string>): TestedPictures {
  const { data } = images;
  const bytes = bytesPerImage(images);
  const chosen = [...labels.keys()].filter((at) => classes.has(labels[at] as string));
  const own = joinedBytes(chosen.map((at) => data.subarray(at * bytes, (at + 1) * bytes)));
  return { images: { ...images, data: own, count: chosen.length }, labels: chosen.map((at) => labels[at] as string) };
}
