/**
 * Pictures in a folder a class, as torchvision's `ImageFolder` reads them: in parts, `train/CLASS/…` and `val/CLASS/…`, as ImageNet's
 * are usually laid out, or `CLASS/…` right in the root, of which a list or a share of each class is tested on. Classes are in the
 * order of their folders' names, pictures in the order of their paths.
 */
import { checkDataset, type DatasetSplit, type ImageDataset } from './dataset.ts';
import { type LabelledPicture, pictureLayout } from './picture-layout.ts';
import { PICTURE_OPTIONS, type Picture, PictureDecoder } from './pictures.ts';
import type { DatasetReader, ReadOptions } from './reader.ts';
import type { DataSource } from './source.ts';

async function readSet(source: DataSource, name: string, options: ReadOptions = {}): Promise<DatasetSplit | undefined> {
  const tree = await source.tree?.();
  const layout = tree && (await pictureLayout(tree, options, source.where));
  if (!layout) return undefined;
  const { classNames, notes } = layout;
  const decoder = new PictureDecoder(source.where, options);
  const part = async (pictures: readonly LabelledPicture[]): Promise<ImageDataset> => {
    const all = pictures.map((one): Picture => ({ ...one, read: () => source.read(one.name) }));
    const pixels = await decoder.decode(all, all.length);
    return checkDataset({ name, ...pixels, classes: classNames.length, classNames: [...classNames] }, source.where);
  };
  const [train, test] = [await part(layout.train), await part(layout.test)];
  const { sizes } = decoder;
  return { train, test, notes: [...notes, ...decoder.notes], ...(sizes ? { pictureSizes: sizes } : {}) };
}

export const pictureFolders: DatasetReader = {
  format: 'folders of pictures (train/CLASS/… and val/CLASS/…, or CLASS/…)',
  heeds: [...PICTURE_OPTIONS, 'testPart', 'testList', 'testFraction', 'splitSeed'],
  read: readSet,
};
