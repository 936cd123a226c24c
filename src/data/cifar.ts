/**
 * The binary version of CIFAR-10 and CIFAR-100 (A. Krizhevsky, 2009). A record is its label bytes, then 32×32 pixels of
 * red, of green and of blue. CIFAR-10: one label byte, files data_batch_1.bin … data_batch_5.bin and test_batch.bin.
 * CIFAR-100: a coarse and a fine label byte, files train.bin and test.bin; the fine label is the class unless the coarse one is asked for.
 */

import { DataError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { checkDataset, type DatasetSplit, type ImageDataset } from './dataset.ts';
import { joinPath } from './files.ts';
import type { DatasetReader, ReadOptions } from './reader.ts';
import type { DataSource } from './source.ts';

const SIDE = 32;
const CHANNELS = 3;
const PLANE = SIDE * SIDE;

interface Version {
  name: string;
  labelBytes: number;
  train: string[];
  test: string[];
  /** By name, the usual ones first. */
  labels: Record<string, Labels>;
}

interface Labels {
  /** Which of the label bytes. */
  byte: number;
  classes: number;
  /** The file of the classes' names. */
  names: string;
}

const versions: Version[] = [
  {
    name: 'CIFAR-10',
    labelBytes: 1,
    train: [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`),
    test: ['test_batch.bin'],
    labels: { fine: { byte: 0, classes: 10, names: 'batches.meta.txt' } },
  },
  {
    name: 'CIFAR-100',
    labelBytes: 2,
    train: ['train.bin'],
    test: ['test.bin'],
    labels: {
      fine: { byte: 1, classes: 100, names: 'fine_label_names.txt' },
      coarse: { byte: 0, classes: 20, names: 'coarse_label_names.txt' },
    },
  },
];

/**
 * Records to pixels [count, 32, 32, 3] and labels.
 * @param labelByte which of a record's label bytes is taken.
 * @throws {DataError} unless the bytes are whole records.
 */
export function decodeCifar(
  bytes: Uint8Array,
  labelBytes: number,
  where: string,
  labelByte = labelBytes - 1,
): { images: Uint8Array<ArrayBuffer>; labels: Uint8Array<ArrayBuffer> } {
  const record = labelBytes + CHANNELS * PLANE;
  const count = bytes.length / record;
  if (!Number.isInteger(count) || count === 0) {
    throw new DataError({
      where,
      message: `${bytes.length} bytes are not a whole number of records of ${record} bytes: the file is cut off or of another version.`,
      fix: 'Fetch the binary version of the data set again.',
    });
  }
  const images = new Uint8Array(count * CHANNELS * PLANE);
  const labels = new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    const start = index * record + labelBytes;
    labels[index] = bytes[index * record + labelByte]!;
    const out = index * CHANNELS * PLANE;
    for (let channel = 0; channel < CHANNELS; channel++) {
      for (let pixel = 0; pixel < PLANE; pixel++) {
        images[out + pixel * CHANNELS + channel] = bytes[start + channel * PLANE + pixel]!;
      }
    }
  }
  return { images, labels };
}

async function readPart(
  source: DataSource,
  { name, labelBytes }: Version,
  { byte, classes }: Labels,
  names: string[],
  classNames: string[] | undefined,
): Promise<ImageDataset> {
  const decoded = [];
  for (const file of names) {
    decoded.push(decodeCifar(await source.read(file), labelBytes, joinPath(source.where, file), byte));
  }
  const count = decoded.reduce((sum, part) => sum + part.labels.length, 0);
  const images = new Uint8Array(count * CHANNELS * PLANE);
  const labels = new Uint8Array(count);
  let first = 0;
  for (const part of decoded) {
    images.set(part.images, first * CHANNELS * PLANE);
    labels.set(part.labels, first);
    first += part.labels.length;
  }
  const size = { height: SIDE, width: SIDE, channels: CHANNELS };
  const dataset: ImageDataset = { name, images, labels, ...size, classes };
  if (classNames) dataset.classNames = classNames;
  return checkDataset(dataset, joinPath(source.where, names.join(', ')));
}

/** @throws {DataError} for labels that the version has not. */
function labelsOf({ name, labels }: Version, asked: string | undefined, where: string): Labels {
  const kinds = Object.keys(labels);
  const found = Object.hasOwn(labels, asked ?? 'fine') ? labels[asked ?? 'fine'] : undefined;
  if (found) return found;
  throw new DataError({
    where,
    message: `${name} has no labels "${clipped(asked ?? '')}".`,
    fix: kinds.length > 1 ? `It has ${kinds.join(' and ')}: --labels.` : 'It has one kind: leave --labels out.',
  });
}

async function readSet(
  source: DataSource,
  _name: string,
  { labels: asked }: ReadOptions = {},
): Promise<DatasetSplit | undefined> {
  for (const version of versions) {
    if ((await source.find(version.train.slice(0, 1))) === undefined) continue;
    const labels = labelsOf(version, asked, source.where);
    const listed = await source.find([labels.names]);
    const text = listed === undefined ? '' : new TextDecoder().decode(await source.read(listed));
    const lines = text.split(/\r?\n/).filter(Boolean);
    const classNames = lines.length === labels.classes ? lines : undefined;
    return {
      train: await readPart(source, version, labels, version.train, classNames),
      test: await readPart(source, version, labels, version.test, classNames),
    };
  }
  return undefined;
}

export const cifar: DatasetReader = {
  format: "CIFAR's binary version",
  heeds: ['labels'],
  read: readSet,
};
