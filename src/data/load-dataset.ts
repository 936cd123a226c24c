/** From a name or a folder to a data set. */
import { files, readBundled } from '#files';
import { DataError } from '../errors.ts';
import { loadCifar } from './cifar.ts';
import { checkDataset, type DatasetSplit, type ImageDataset } from './dataset.ts';
import { joinPath } from './files.ts';
import { readIdx } from './idx.ts';

/** The bundled sets: their names for users, and their folders. */
const bundled = new Map([
  ['fashion-mini', 'fashion-mnist-mini'],
  ['glyphs', 'glyphs'],
]);

/** Names that `loadDataset` knows without a folder. */
export const bundledNames: readonly string[] = [...bundled.keys()];

/** As many as the labels, which are bytes, can distinguish. */
const MOST_CLASSES = 256;

const stems = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
};

/** Where a set's files lie: reads one of several names, the first that is there. */
interface Source {
  where: string;
  find(names: string[]): Promise<string | undefined>;
  read(name: string): Promise<Uint8Array<ArrayBuffer>>;
}

/** MNIST's names with a hyphen or (as some mirrors have it) a dot before `idx`, plain or gzipped. */
const spellings = (stem: string): string[] => [
  `${stem}.gz`,
  stem,
  `${stem.replace('-idx', '.idx')}.gz`,
  stem.replace('-idx', '.idx'),
];

async function readPart(
  source: Source,
  imageStem: string,
  labelStem: string,
  classNames: string[] | undefined,
  name: string,
) {
  const read = async (stem: string, kind: 'images' | 'labels') => {
    const found = await source.find(spellings(stem));
    if (found === undefined) {
      throw new DataError({
        where: source.where,
        message: `there is no ${stem} or ${stem}.gz in this folder.`,
        fix: `A folder in MNIST's format holds ${Object.values(stems).join(', ')}, each plain or with .gz; CIFAR's binary version is read too.`,
      });
    }
    return {
      where: joinPath(source.where, found),
      ...(await readIdx(await source.read(found), joinPath(source.where, found), kind)),
    };
  };
  const images = await read(imageStem, 'images');
  const labels = await read(labelStem, 'labels');
  const [count = 0, height = 0, width = 0, channels = 1] = images.shape;
  if (height * width * channels === 0) {
    throw new DataError({
      where: images.where,
      message: `images of ${height}×${width}×${channels} have no pixels.`,
      fix: 'Fetch the file again.',
    });
  }
  if (labels.shape[0] !== count) {
    throw new DataError({
      where: labels.where,
      message: `there are ${labels.shape[0]} labels for the ${count} images of ${images.where}.`,
      fix: 'Use the two files that belong together.',
    });
  }
  const largest = labels.values.reduce((most, label) => Math.max(most, label), 0);
  const dataset: ImageDataset = {
    name,
    images: images.values,
    labels: labels.values,
    height,
    width,
    channels,
    classes: classNames?.length ?? largest + 1,
  };
  if (classNames) dataset.classNames = classNames;
  return checkDataset(dataset, labels.where);
}

async function readClassNames(source: Source): Promise<string[] | undefined> {
  const found = await source.find(['classes.json']);
  if (found === undefined) return undefined;
  const where = joinPath(source.where, found);
  const bytes = await source.read(found);
  const wrong = (cause?: unknown) =>
    new DataError({
      where,
      message: 'a JSON array of at least one class name, in label order, was expected.',
      fix: 'Write it like ["cat", "dog"], or remove it: classes are then numbered.',
      cause,
    });
  let names: unknown;
  try {
    names = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw wrong(error);
  }
  if (!Array.isArray(names) || names.length === 0 || !names.every((name) => typeof name === 'string')) throw wrong();
  if (names.length > MOST_CLASSES) {
    throw new DataError({
      where,
      message: `there are ${names.length} class names, but labels of one byte distinguish at most ${MOST_CLASSES} classes.`,
      fix: 'Name each class once, in label order, or remove the file: classes are then numbered.',
    });
  }
  return names;
}

async function readIdxFolder(source: Source, name: string): Promise<DatasetSplit> {
  const classNames = await readClassNames(source);
  const train = await readPart(source, stems.trainImages, stems.trainLabels, classNames, name);
  const test = await readPart(source, stems.testImages, stems.testLabels, classNames, name);
  const size = (part: ImageDataset) => `${part.height}×${part.width}×${part.channels}`;
  if (size(train) !== size(test)) {
    throw new DataError({
      where: source.where,
      message: `training images are ${size(train)}, test images ${size(test)} (height×width×channels).`,
      fix: 'Use files of one data set.',
    });
  }
  const classes = Math.max(train.classes, test.classes);
  return { train: { ...train, classes }, test: { ...test, classes } };
}

/** A data set by the addresses of its files, as `engram-data` exports its own. */
export interface DatasetFiles {
  readonly name: string;
  /** Addresses (in Node also `file:`) by file names: those of MNIST, and `classes.json`. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Loads `fashion-mini` or `glyphs` (bundled), or a folder (in the browser also a URL) with the four IDX files of MNIST's
 * naming, or with CIFAR-10's or CIFAR-100's binary version; or the files of a set, wherever they lie. The number of classes
 * is that of `classes.json`, or the largest label and one.
 *
 * The bundled sets are a package of their own, `engram-data`. In Node their names are enough once it is installed; a page
 * imports the set, and its bundler copies the files.
 * @param options.bundledBase where the bundled data lies for those who moved it.
 * @throws {DataError} when anything is missing, damaged or does not fit together.
 * @example
 * import { glyphs } from 'engram-data';
 * const { train, test } = await loadDataset(glyphs);
 */
export async function loadDataset(
  dataset: string | DatasetFiles,
  options: { bundledBase?: string } = {},
): Promise<DatasetSplit> {
  return typeof dataset === 'string' ? loadNamed(dataset, options) : readIdxFolder(sourceOf(dataset), dataset.name);
}

const sourceOf = ({ name, files: addresses }: DatasetFiles): Source => ({
  where: name,
  find: async (names) => names.find((file) => Object.hasOwn(addresses, file)),
  read: (file) => files.read(addresses[file] ?? file),
});

async function loadNamed(nameOrFolder: string, options: { bundledBase?: string }): Promise<DatasetSplit> {
  const folder = bundled.get(nameOrFolder);
  if (folder !== undefined) {
    const source: Source = {
      where: nameOrFolder,
      find: async (names) => names[0],
      read: (name) => readBundled(joinPath(folder, name), options.bundledBase),
    };
    return readIdxFolder(source, nameOrFolder);
  }
  const isUrl = /^https?:/.test(nameOrFolder);
  if (!isUrl && !(await files.exists(nameOrFolder))) {
    throw new DataError({
      where: nameOrFolder,
      message: 'this is neither a bundled data set nor a folder.',
      fix: `Bundled sets are ${bundledNames.join(' and ')}; any other name is a folder in MNIST's or CIFAR's binary format.`,
    });
  }
  const cifar = await loadCifar(nameOrFolder);
  if (cifar) return cifar;
  const source: Source = {
    where: nameOrFolder,
    async find(names) {
      for (const name of names) if (await files.exists(joinPath(nameOrFolder, name))) return name;
      return undefined;
    },
    read: (name) => files.read(joinPath(nameOrFolder, name)),
  };
  const name = nameOrFolder.replace(/\/+$/, '').split('/').at(-1) || nameOrFolder;
  return readIdxFolder(source, name);
}
