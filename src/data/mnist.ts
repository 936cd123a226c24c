/**
 * Sets in MNIST's format: four IDX files, `classes.json` where the classes have names, and two more IDX files where images are
 * of several domains.
 */
import { DataError } from '../errors.ts';
import { readClassNames } from './class-names.ts';
import { checkDataset, classesOf, type DatasetSplit, type ImageDataset, joinParts } from './dataset.ts';
import { joinPath } from './files.ts';
import { readIdx } from './idx.ts';
import type { DatasetReader } from './reader.ts';
import type { DataSource } from './source.ts';

/** As many as the labels, which are bytes, can distinguish. */
const MOST_CLASSES = 256;

const stems = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
};

/** The domain of each image, a byte each: of both parts, or of none. */
const domainStems = { train: 'train-domains-idx1-ubyte', test: 't10k-domains-idx1-ubyte' };

/** MNIST's names with a hyphen or (as some mirrors have it) a dot before `idx`, plain or gzipped. */
const spellings = (stem: string): string[] => [
  `${stem}.gz`,
  stem,
  `${stem.replace('-idx', '.idx')}.gz`,
  stem.replace('-idx', '.idx'),
];

async function readPart(
  source: DataSource,
  [imageStem, labelStem, domainStem]: readonly [images: string, labels: string, domains: string | undefined],
  classNames: string[] | undefined,
  name: string,
) {
  const read = async (stem: string, kind: 'images' | 'labels') => {
    const found = await source.find(spellings(stem));
    if (found === undefined) {
      throw new DataError({
        where: source.where,
        message: `there is no ${stem} or ${stem}.gz in this folder.`,
        fix:
          stem === domainStem
            ? `The domains of images are in ${Object.values(domainStems).join(' and ')}, or in neither.`
            : `A folder in MNIST's format holds ${Object.values(stems).join(', ')}, each plain or with .gz.`,
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
  const dataset: ImageDataset = {
    name,
    images: images.values,
    labels: labels.values,
    height,
    width,
    channels,
    classes: classNames?.length ?? classesOf(labels.values),
  };
  if (classNames) dataset.classNames = classNames;
  checkDataset(dataset, labels.where);
  if (domainStem === undefined) return dataset;
  const domains = await read(domainStem, 'labels');
  return checkDataset({ ...dataset, domains: domains.values }, domains.where);
}

async function readSet(source: DataSource, name: string): Promise<DatasetSplit | undefined> {
  if ((await source.find(Object.values(stems).flatMap(spellings))) === undefined) return undefined;
  const named = await readClassNames(source, MOST_CLASSES);
  const hasDomains = (await source.find(Object.values(domainStems).flatMap(spellings))) !== undefined;
  const part = (images: string, labels: string, domains: string) =>
    readPart(source, [images, labels, hasDomains ? domains : undefined], named?.names, name);
  const train = await part(stems.trainImages, stems.trainLabels, domainStems.train);
  const test = await part(stems.testImages, stems.testLabels, domainStems.test);
  return { ...joinParts(train, test, source.where), ...(named ? { notes: named.notes } : {}) };
}

export const mnist: DatasetReader = {
  format: `MNIST's IDX files (${Object.values(stems).join(', ')})`,
  heeds: [],
  read: readSet,
};
