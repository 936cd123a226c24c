/**
 * Sets in one `.npz` file of NumPy, as MedMNIST's (`train_images`, `train_labels`, `val_images`, … `test_labels`), as Keras's
 * (`x_train`, `y_train`, `x_test`, `y_test`), or `images` and `labels` without parts. Images are bytes, [count, height, width] or
 * [count, height, width, channels].
 */
import { DataError } from '../errors.ts';
import { readClassNames } from './class-names.ts';
import { checkDataset, classesOf, type DatasetSplit, type ImageDataset, joinParts } from './dataset.ts';
import { joinPath } from './files.ts';
import type { ImageFormat } from './image-bytes.ts';
import { type NpyArray, npyBytes, npyNumbers } from './npy.ts';
import type { DatasetReader, ReadOptions } from './reader.ts';
import type { DataSource } from './source.ts';
import { chooseTestPart, drawnNote, drawnSplit } from './test-part.ts';

const TRAIN = 'train';
const TEST_PARTS = ['test', 'val', 'valid', 'validation'];
/** Labels have 16 bits. */
const MOST_CLASSES = 65536;
/** More would be pictures in another order, or volumes. */
const MOST_CHANNELS = 4;

/** The names of the two arrays of a part, in the ways that they are called. */
const spellings = (part: string): [images: string, labels: string][] => [
  [`${part}_images`, `${part}_labels`],
  [`x_${part}`, `y_${part}`],
  [`X_${part}`, `y_${part}`],
  [`${part}_x`, `${part}_y`],
];
const WHOLE: [images: string, labels: string][] = [
  ['images', 'labels'],
  ['x', 'y'],
  ['X', 'y'],
];

/** The arrays of each part of a set, by the parts' names; empty for one without parts. */
function partsOf(names: readonly string[]): Map<string, [images: string, labels: string]> {
  const has = (pair: readonly string[]): boolean => pair.every((name) => names.includes(name));
  const parts = new Map<string, [string, string]>();
  for (const part of [TRAIN, ...TEST_PARTS]) {
    const pair = spellings(part).find(has);
    if (pair) parts.set(part, pair);
  }
  const whole = WHOLE.find(has);
  if (!parts.has(TRAIN) && whole) parts.set('', whole);
  return parts;
}

function formatOf(shape: readonly number[], where: string): ImageFormat {
  const [, height = 0, width = 0, channels = 1] = shape;
  if ((shape.length === 3 || shape.length === 4) && height * width > 0 && channels >= 1 && channels <= MOST_CHANNELS)
    return { height, width, channels };
  throw new DataError({
    where,
    message: `an array of shape [${shape.join(', ')}] is none of images.`,
    fix: `Save [count, height, width] or [count, height, width, channels], up to ${MOST_CHANNELS} channels last.`,
  });
}

/** @throws {DataError} unless there is one number an image, as a column if need be. */
function labelsOf({ shape, values }: NpyArray<readonly number[]>, where: string): Uint16Array<ArrayBuffer> {
  const [count = 0, ...others] = shape;
  if (others.some((length) => length !== 1)) {
    throw new DataError({
      where,
      message: `labels of shape [${shape.join(', ')}] are several an image.`,
      fix: 'A set with one class an image is needed: save [count] class numbers.',
    });
  }
  const outside = values.find((value) => value < 0 || value >= MOST_CLASSES);
  if (outside !== undefined) {
    throw new DataError({
      where,
      message: `label ${outside} is no class number from 0 to ${MOST_CLASSES - 1}.`,
      fix: 'Number the classes from 0 on.',
    });
  }
  return Uint16Array.from({ length: count }, (_, at) => values[at]!);
}

/** The only `.npz` file; undefined where there is none. @throws {DataError} when there are several. */
async function fileOf(source: DataSource): Promise<string | undefined> {
  const names = source.list ? await source.list('') : (await source.tree?.())?.files;
  const [first, ...others] = (names ?? []).filter((name) => /\.npz$/i.test(name));
  if (others.length === 0) return first;
  throw new DataError({
    where: source.where,
    message: `there are ${others.length + 1} .npz files here.`,
    fix: `Name one of them, such as ${joinPath(source.where, first ?? '')}.`,
  });
}

async function readSet(source: DataSource, name: string, options: ReadOptions = {}): Promise<DatasetSplit | undefined> {
  const file = await fileOf(source);
  if (file === undefined) return undefined;
  const where = joinPath(source.where, file);
  const { names: classNames, notes } = (await readClassNames(source, MOST_CLASSES)) ?? { names: undefined, notes: [] };
  const { unpackArrays } = await import('./npz-arrays.ts');
  let pairs: ReadonlyMap<string, readonly [images: string, labels: string]> = new Map();
  let choice: ReturnType<typeof chooseTestPart> = { part: undefined, notes: [] };
  const arrays = unpackArrays(await source.read(file), where, (names) => {
    pairs = partsOf(names);
    if (!pairs.has(TRAIN) && !pairs.has('')) throw noImages(names, where);
    choice = chooseTestPart(
      TEST_PARTS.filter((part) => pairs.has(part)),
      options,
      where,
    );
    return [TRAIN, '', choice.part ?? TRAIN].flatMap((part) => pairs.get(part) ?? []);
  });
  const partOf = (part: string): ImageDataset => {
    const [imagesName, labelsName] = pairs.get(part) as readonly [string, string];
    const [imagesAt, labelsAt] = [`${where}, ${imagesName}`, `${where}, ${labelsName}`];
    const images = npyBytes(arrays.get(imagesName)!, imagesAt);
    const labels = labelsOf(npyNumbers(arrays.get(labelsName)!, labelsAt), labelsAt);
    const classes = classNames?.length ?? classesOf(labels);
    const format = formatOf(images.shape, imagesAt);
    const set: ImageDataset = { name, images: images.values, labels, ...format, classes };
    return checkDataset(classNames ? { ...set, classNames } : set, labelsAt);
  };
  const whole = partOf(pairs.has(TRAIN) ? TRAIN : '');
  if (choice.part === undefined) {
    return { ...drawnSplit(whole, options), notes: [drawnNote(options), ...notes] };
  }
  return { ...joinParts(whole, partOf(choice.part), where), notes: [...choice.notes, ...notes] };
}

const noImages = (names: readonly string[], where: string): DataError =>
  new DataError({
    where,
    message: `there are no arrays of images to learn from; found were ${names.slice(0, 8).join(', ') || 'none'}.`,
    fix: `Name them ${spellings(TRAIN)
      .concat(WHOLE)
      .map((pair) => pair.join(' and '))
      .slice(0, 5)
      .join(', or ')}.`,
  });

export const npz: DatasetReader = {
  format: "NumPy's .npz (train_images, train_labels, test_images …, or x_train, y_train, x_test …)",
  heeds: ['testPart', 'testFraction', 'splitSeed'],
  read: readSet,
};
