/** From a name or a folder to a data set. */
import { files } from '#files';
import { DataError } from '../errors.ts';
import type { DatasetSplit } from './dataset.ts';
import type { DatasetReader } from './reader.ts';
import { readers } from './readers.ts';
import { addressSource, bundledSource, type DataSource, type DatasetFiles, folderSource } from './source.ts';

/** The bundled sets: their names for users, and their folders. */
const bundled = new Map([
  ['fashion-mini', 'fashion-mnist-mini'],
  ['glyphs', 'glyphs'],
]);

/** Names that `loadDataset` knows without a folder. */
export const bundledNames: readonly string[] = [...bundled.keys()];

/** Where data lie, and how they are read. */
export interface LoadDatasetOptions {
  /** Where the bundled data lies, for those who moved it. */
  bundledBase?: string;
  /** Readers of further formats, tried before the engine's own. */
  readers?: readonly DatasetReader[];
  /** Side of the square that pictures in files are brought to; 0, the default, for their own size. */
  imageSize?: number | undefined;
}

/**
 * Loads `fashion-mini` or `glyphs` (bundled), or a folder (in the browser also a URL) with the four IDX files of MNIST's
 * naming, with CIFAR-10's or CIFAR-100's binary version, or with pictures in a folder a class; or the files of a set, wherever they lie. The number of classes
 * is that of `classes.json`, or the largest label and one.
 *
 * The bundled sets are a package of their own, `engram-data`. In Node their names are enough once it is installed; a page
 * imports the set, and its bundler copies the files.
 * @throws {DataError} when anything is missing, damaged or does not fit together.
 * @example
 * import { loadDataset } from 'engram/data';
 * import { glyphs } from 'engram-data';
 * const { train, test } = await loadDataset(glyphs);
 */
export async function loadDataset(
  dataset: string | DatasetFiles,
  { bundledBase, readers: own = [], imageSize = 0 }: LoadDatasetOptions = {},
): Promise<DatasetSplit> {
  const { source, name } = await sourceOf(dataset, bundledBase);
  const known = [...own, ...readers];
  for (const reader of known) {
    const split = await reader.read(source, name, { imageSize });
    if (split) return split;
  }
  throw new DataError({
    where: source.where,
    message: 'there is no data set in a known format here.',
    fix: `Known are ${known.map(({ format }) => format).join(', ')}.`,
  });
}

async function sourceOf(
  dataset: string | DatasetFiles,
  bundledBase: string | undefined,
): Promise<{ source: DataSource; name: string }> {
  if (typeof dataset !== 'string') return { source: addressSource(dataset), name: dataset.name };
  const folder = bundled.get(dataset);
  if (folder !== undefined) return { source: bundledSource(dataset, folder, bundledBase), name: dataset };
  const isUrl = /^https?:/.test(dataset);
  if (!isUrl && !(await files.exists(dataset))) {
    throw new DataError({
      where: dataset,
      message: 'this is neither a bundled data set nor a folder.',
      fix: `Bundled sets are ${bundledNames.join(' and ')}; any other name is a folder with ${readers.map(({ format }) => format).join(' or ')}.`,
    });
  }
  return { source: folderSource(dataset), name: dataset.replace(/\/+$/, '').split('/').at(-1) || dataset };
}
