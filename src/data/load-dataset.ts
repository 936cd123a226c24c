/** From a name or a folder to a data set. */
import { files } from '#files';
import { DataError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import type { DatasetSplit } from './dataset.ts';
import { checkReadOptions } from './read-options.ts';
import type { DatasetReader, ReadOptions } from './reader.ts';
import { readers } from './readers.ts';
import {
  addressSource,
  bundledSource,
  type DataSource,
  type DatasetFiles,
  fileSource,
  folderSource,
} from './source.ts';
import { untestedNotes } from './test-part.ts';

/** The bundled sets: their names for users, and their folders. */
const bundled = new Map([
  ['fashion-mini', 'fashion-mnist-mini'],
  ['glyphs', 'glyphs'],
]);

/** A set that is one file by itself. */
const ONE_FILE = /\.(npz|parquet)$/i;
/** As many of what was found instead are named. */
const MOST_NAMED = 8;

/** Names that `loadDataset` knows without a folder. */
export const bundledNames: readonly string[] = [...bundled.keys()];

/** Where data lie, and how they are read. */
export interface LoadDatasetOptions extends ReadOptions {
  /** Where the bundled data lies, for those who moved it. */
  bundledBase?: string;
  /** Readers of further formats, tried before the engine's own. */
  readers?: readonly DatasetReader[];
}

/** A set, and what it was found as. */
export interface FoundDataset {
  readonly split: DatasetSplit;
  /** For people: {@link DatasetReader.format}. */
  readonly format: string;
}

/**
 * Loads `fashion-mini` or `glyphs` (bundled), or a folder (in the browser also a URL) in a format that is known: the four IDX files
 * of MNIST's naming, CIFAR-10's or CIFAR-100's binary version, NumPy's `.npz`, Parquet as the Hugging Face hub stores images, or
 * pictures in a folder a class; or the files of a set, wherever they lie. A `.npz` or `.parquet` file may be named itself. The number
 * of classes is that of their names, or the largest label and one. What was left out or decided on the way is in `notes`.
 *
 * The bundled sets are a package of their own, `engram-data`. In Node their names are enough once it is installed; a page
 * imports the set, and its bundler copies the files.
 * @throws {DataError} when anything is missing, damaged or does not fit together.
 * @throws {ArgumentError} for options out of their ranges.
 * @example
 * import { loadDataset } from 'engram/data';
 * import { glyphs } from 'engram-data';
 * const { train, test } = await loadDataset(glyphs);
 * const photos = await loadDataset('photos', { imageSize: 64, testFraction: 0.1 });
 */
export const loadDataset = async (
  dataset: string | DatasetFiles,
  options: LoadDatasetOptions = {},
): Promise<DatasetSplit> => (await findDataset(dataset, options)).split;

/** As {@link loadDataset}, and tells the format. @throws {DataError | ArgumentError} */
export async function findDataset(
  dataset: string | DatasetFiles,
  { bundledBase, readers: own = [], ...options }: LoadDatasetOptions = {},
): Promise<FoundDataset> {
  checkReadOptions('loadDataset', options);
  const { source, name } = await sourceOf(dataset, bundledBase);
  const known = [...own, ...readers];
  for (const reader of known) {
    const split = await reader.read(source, name, options);
    if (!split) continue;
    const { train, test } = split;
    const untested = untestedNotes({ train: train.labels, test: test.labels }, train.classNames);
    const notes = [...(split.notes ?? []), ...untested, ...unheeded(reader, options)];
    return { split: notes.length > 0 ? { ...split, notes } : split, format: reader.format };
  }
  throw new DataError({
    where: source.where || name,
    message: `there is no data set in a known format here${await contents(source)}.`,
    fix: `Known are ${known.map(({ format }) => format).join('; ')}.`,
  });
}

/** Notes on options that mean nothing to a format. */
function unheeded({ heeds, format }: DatasetReader, options: ReadOptions): string[] {
  if (!heeds) return [];
  const given = (Object.keys(options) as (keyof ReadOptions)[]).filter((key) => options[key] !== undefined);
  const others = given.filter((key) => !heeds.includes(key));
  return others.length > 0 ? [`${others.join(', ')}: not used, as this means nothing to ${format}`] : [];
}

/** For people: what a source has instead, where it tells. */
async function contents({ list }: DataSource): Promise<string> {
  const names = await list?.('');
  if (!names) return '';
  if (names.length === 0) return ': the folder is empty';
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return `; found were ${names
    .slice(0, MOST_NAMED)
    .map((name) => clipped(name))
    .join(', ')}${more}`;
}

/** Where a set lies, and what it is called. @throws {DataError} for a name of nothing. */
export async function sourceOf(
  dataset: string | DatasetFiles,
  bundledBase?: string,
): Promise<{ source: DataSource; name: string }> {
  if (typeof dataset !== 'string') return { source: addressSource(dataset), name: dataset.name };
  const folder = bundled.get(dataset);
  if (folder !== undefined) return { source: bundledSource(dataset, folder, bundledBase), name: dataset };
  const isUrl = /^https?:/.test(dataset);
  if (!isUrl && !(await files.exists(dataset))) {
    throw new DataError({
      where: dataset,
      message: 'this is neither a bundled data set nor a folder.',
      fix: `Bundled sets are ${bundledNames.join(' and ')}; any other name is a folder with ${readers.map(({ format }) => format).join('; or ')}.`,
    });
  }
  const name = dataset.replace(/\/+$/, '').split('/').at(-1) || dataset;
  return ONE_FILE.test(dataset)
    ? { source: await fileSource(dataset), name: name.replace(ONE_FILE, '') }
    : { source: folderSource(dataset), name };
}
