/**
 * Pictures in a folder a class, as ImageNet's are usually laid out: `train/CLASS/…` and `val/CLASS/…` (or `test/CLASS/…`). Classes
 * are in the order of their folders' names.
 */
import { decodeImage } from '#decode';
import { DataError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { checkDataset, type DatasetSplit, type ImageDataset } from './dataset.ts';
import { joinPath } from './files.ts';
import { bytesPerImage, formatName, type ImageBytes } from './image-bytes.ts';
import type { DatasetReader, ReadOptions } from './reader.ts';
import { fromRgba } from './rgba.ts';
import type { DataSource } from './source.ts';

/** What is taken for a picture; other files in the folders are passed over. */
const PICTURE = /\.(jpe?g|png|webp)$/i;
const TEST_FOLDERS = ['val', 'test'];
const CHANNELS = 3;
/** Pictures that are decoded at the same time: as many as Node has threads for it. */
const AT_ONCE = 4;

/** A source that can say what is in its folders. */
type Folders = DataSource & Required<Pick<DataSource, 'list'>>;

interface Picture {
  /** Within the source. */
  readonly name: string;
  readonly label: number;
}

async function picturesIn(source: Folders, part: string, classNames: readonly string[]): Promise<Picture[]> {
  const pictures: Picture[] = [];
  // A part need not have all the classes.
  const there = await source.list(part);
  for (const [label, className] of classNames.entries()) {
    if (!there.includes(className)) continue;
    const folder = joinPath(part, className);
    const names = (await source.list(folder)).filter((name) => PICTURE.test(name));
    pictures.push(...names.map((name) => ({ name: joinPath(folder, name), label })));
  }
  return pictures;
}

async function readPicture(source: Folders, { name }: Picture, size: number): Promise<ImageBytes> {
  const where = joinPath(source.where, name);
  const file = new Blob([await source.read(name)]);
  return fromRgba(await decodeImage(file, where, size > 0 ? { size } : {}), CHANNELS, where);
}

/** @throws {DataError} when there are more pixels than an array holds. */
function pixels(count: number, bytes: number, where: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(count * bytes);
  } catch (cause) {
    throw new DataError({
      where,
      message: `${count} pictures of ${bytes} bytes are ${((count * bytes) / 1e9).toFixed(1)} GB, more than is to be had in one piece here.`,
      fix: 'Ask for a smaller size of the pictures (--image-size), or use a later Node on a machine with more memory.',
      cause,
    });
  }
}

async function readPart(
  source: Folders,
  part: string,
  classNames: string[],
  name: string,
  size: number,
): Promise<ImageDataset> {
  const where = joinPath(source.where, part);
  const pictures = await picturesIn(source, part, classNames);
  const [one] = pictures;
  if (!one)
    throw new DataError({
      where,
      message: 'there are no pictures in its folders.',
      fix: 'Put JPEG, PNG or WebP files there.',
    });
  const first = await readPicture(source, one, size);
  const { height, width, channels } = first;
  const bytes = bytesPerImage(first);
  const images = pixels(pictures.length, bytes, where);
  const take = async (picture: Picture, place: number): Promise<void> => {
    const found = await readPicture(source, picture, size);
    if (found.height !== height || found.width !== width) {
      throw new DataError({
        where: joinPath(source.where, picture.name),
        message: `this picture is ${formatName(found)}, the first one ${formatName(first)}.`,
        fix: 'Bring all to one size: --image-size N, or `imageSize` of loadDataset().',
      });
    }
    images.set(found.data, place * bytes);
  };
  for (let start = 0; start < pictures.length; start += AT_ONCE)
    await Promise.all(pictures.slice(start, start + AT_ONCE).map((picture, i) => take(picture, start + i)));
  const labels = Uint16Array.from(pictures, ({ label }) => label);
  return checkDataset({ name, images, labels, height, width, channels, classes: classNames.length, classNames }, where);
}

async function readSet(
  source: DataSource,
  name: string,
  { imageSize = 0 }: ReadOptions = {},
): Promise<DatasetSplit | undefined> {
  const { list } = source;
  const [train, test] = [await source.find(['train']), await source.find(TEST_FOLDERS)];
  if (!list || !train || !test) return undefined;
  const folders: Folders = { ...source, list };
  const classNames = await list(train);
  const strange = (await list(test)).find((one) => !classNames.includes(one));
  if (classNames.length === 0 || strange !== undefined) {
    throw new DataError({
      where: joinPath(source.where, strange === undefined ? train : joinPath(test, strange)),
      message:
        strange === undefined
          ? 'there is no class here.'
          : `there is no such class in ${train}: "${clipped(strange)}".`,
      fix: 'Lay both parts out alike: a folder for each class, pictures in it.',
    });
  }
  return {
    train: await readPart(folders, train, classNames, name, imageSize),
    test: await readPart(folders, test, classNames, name, imageSize),
  };
}

export const pictureFolders: DatasetReader = {
  format: 'folders of pictures (train/CLASS/…, val/CLASS/…)',
  read: readSet,
};
