/** The pictures of a set that are to stay in their files, before any is read. */
import { DataError } from '../errors.ts';
import { sourceOf } from './load-dataset.ts';
import { type LabelledPicture, type PictureLayout, pictureLayout } from './picture-layout.ts';
import { checkReadOptions } from './read-options.ts';
import type { ReadOptions } from './reader.ts';
import type { DataSource, DatasetFiles } from './source.ts';
import { untestedNotes } from './test-part.ts';

/**
 * Where they are, and which there are.
 * @param where names the caller in errors of the options.
 * @throws {DataError} when there are no folders of pictures, or they do not fit together.
 * @throws {ArgumentError} for options out of their ranges.
 */
export async function pictureFiles(
  dataset: string | DatasetFiles,
  options: ReadOptions,
  where: string,
): Promise<{ readonly source: DataSource; readonly name: string; readonly layout: PictureLayout }> {
  checkReadOptions(where, options);
  const { source, name } = await sourceOf(dataset);
  const tree = await source.tree?.();
  const layout = tree && (await pictureLayout(tree, options, source.where));
  if (layout) return { source, name, layout: { ...layout, notes: [...layout.notes, ...untested(layout)] } };
  throw new DataError({
    where: source.where,
    message: 'there are no folders of pictures here, which alone can be left in their files.',
    fix: 'Lay out a folder for each class, pictures in it; other formats are read whole, without --stream (loadDataset()).',
  });
}

const untested = ({ train, test, classNames }: PictureLayout): string[] => {
  const labelsOf = (pictures: readonly LabelledPicture[]) => pictures.map(({ label }) => label);
  return untestedNotes({ train: labelsOf(train), test: labelsOf(test) }, classNames);
};
