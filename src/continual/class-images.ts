/** The images of a task as users give them: by class, in whatever form. */
import type { ImageFormat } from '../data/image-bytes.ts';
import { type ImageInput, toImages } from '../data/image-input.ts';
import { kindOf } from '../data/image-pixels.ts';
import type { Images } from '../data/stored-images.ts';
import { ArgumentError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import type { Engine } from '../tensor/engine.ts';
import { Tensor } from '../tensor/tensor.ts';

/**
 * Images by the name of their class. An object's keys that look like whole numbers come first and in ascending order, as
 * JavaScript has it: give a map or pairs where the order of such names matters.
 */
export type ClassImages =
  | Readonly<Record<string, ImageInput>>
  | ReadonlyMap<string, ImageInput>
  | Iterable<readonly [name: string, images: ImageInput]>;

const isMadeOfPairs = (pairs: readonly unknown[]): pairs is (readonly [string, ImageInput])[] =>
  pairs.every((pair) => Array.isArray(pair) && pair.length === 2);

/** @throws {ArgumentError} for what does not say which images are of which class. */
function pairsOf(images: ClassImages, where: string): (readonly [string, ImageInput])[] {
  const refuse = (fix = 'Give images by class: { cup: images, pen: images }.') =>
    new ArgumentError({ where, message: `${kindOf(images)} does not say which class its images are of.`, fix });
  if (typeof images !== 'object' || images === null || images instanceof Tensor) throw refuse();
  if (Symbol.iterator in images) {
    const pairs = [...(images as Iterable<unknown>)];
    if (!isMadeOfPairs(pairs)) throw refuse();
    return pairs;
  }
  // No class's images are bare numbers: what has them in these fields is images, or a data set.
  const { data, labels } = images as Readonly<Record<string, unknown>>;
  if (ArrayBuffer.isView(labels)) throw refuse('Give the images of a data set by class: imagesByClass(dataset).');
  if (ArrayBuffer.isView(data)) throw refuse();
  return Object.entries(images);
}

/** The logit of each image, lot by lot. @param names of all classes, in the order of the logits. */
export const labelsOf = (lots: ReadonlyMap<string, Images>, names: readonly string[]): Int32Array<ArrayBuffer> =>
  Int32Array.from([...lots].flatMap(([name, { count }]) => new Array<number>(count).fill(names.indexOf(name))));

export interface ReadOptions {
  /** What the caller's images have to be; decided by the first ones by default. */
  readonly format: ImageFormat | null;
  /** Brings images of other sizes to that format, instead of refusing them. */
  readonly resize: boolean;
  readonly where: string;
}

/**
 * Every class's images of one format: as bytes, or stored.
 * @throws {ArgumentError} for images without classes, or when two have one name, or one has no name or no images.
 * @throws {ShapeError | DataError} when images cannot be read, or are of another size.
 */
export async function readClassImages(
  engine: Engine,
  images: ClassImages,
  { format, resize, where }: ReadOptions,
): Promise<Map<string, Images>> {
  const pairs = pairsOf(images, where);
  if (pairs.length === 0) {
    throw new ArgumentError({
      where,
      message: 'there are no classes.',
      fix: 'Give images by class: { cup: images, pen: images }.',
    });
  }
  const read = new Map<string, Images>();
  let common = format;
  for (const [name, input] of pairs) {
    if (typeof name !== 'string' || name === '') {
      throw new ArgumentError({
        where,
        message: 'a class has no name.',
        fix: 'Name every class by a text that is not empty.',
      });
    }
    if (read.has(name)) {
      throw new ArgumentError({
        where,
        message: `two classes are called "${clipped(name)}".`,
        fix: 'Give their images together, or other names.',
      });
    }
    const lot = await toImages(engine, input, {
      where: `${where}, class "${clipped(name)}"`,
      resize,
      ...(common ? { format: common } : {}),
    });
    common ??= lot;
    read.set(name, lot);
  }
  return read;
}
