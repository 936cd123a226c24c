/** Images and labels out of Parquet files, a group of rows at a time. */
import { gunzipSync } from 'fflate/browser';
import { decompress } from 'fzstd';
import { type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { DataError } from '../errors.ts';
import { listed } from './class-folders.ts';
import { distinctNames } from './class-names.ts';
import { checkDataset, classesOf, type DatasetSplit, type ImageDataset, joinParts } from './dataset.ts';
import { type FileSlices, joinPath, slicesOf } from './files.ts';
import { kindOf } from './image-pixels.ts';
import { type ImageColumns, imageColumns } from './parquet-columns.ts';
import type { Shards } from './parquet-shards.ts';
import { isPart, TEST_NAMES, testParts, trainPart, VALIDATION_NAMES } from './part-names.ts';
import { type Picture, PictureDecoder } from './pictures.ts';
import type { ReadOptions } from './reader.ts';
import type { DataSource } from './source.ts';
import { chooseTestPart, drawnNote, drawnSplit } from './test-part.ts';

const TEST_PARTS = [...TEST_NAMES, ...VALIDATION_NAMES];
/** Labels have 16 bits. */
const MOST_CLASSES = 65536;

/** What image sets are compressed with, beside Snappy, which the reader of Parquet has itself. */
const compressors = {
  GZIP: (bytes: Uint8Array) => gunzipSync(bytes),
  ZSTD: (bytes: Uint8Array) => decompress(bytes),
};

/** A file whose metadata was read. */
interface Shard {
  readonly name: string;
  /** Names it in errors. */
  readonly where: string;
  readonly file: FileSlices;
  readonly metadata: FileMetaData;
  readonly columns: ImageColumns;
}

/** The numbers of classes; of labels that are words by the order that they came in. */
class Labels {
  private readonly words = new Map<string, number>();

  /** @throws {DataError} for what is no label. */
  numberOf(value: unknown, where: string): number {
    const word = wordOf(value);
    if (word !== undefined) {
      const label = this.words.get(word) ?? this.words.size;
      this.words.set(word, label);
      return label;
    }
    // `Number` makes numbers of much else: of [3] and of the bytes of "3".
    const isNumber = ['number', 'bigint', 'boolean'].includes(typeof value);
    const label = isNumber ? Number(value) : Number.NaN;
    if (Number.isInteger(label) && label >= 0 && label < MOST_CLASSES) return label;
    throw new DataError({
      where,
      message: `the label is ${isNumber ? String(value) : kindOf(value)}; a class number from 0 or a word was expected.`,
      fix:
        label === -1
          ? 'This part hides its labels: test on another one, --test-part.'
          : 'Choose another column: --labels.',
    });
  }

  /** Numbers in the order of the words, for those in the order that they came in; undefined where labels are no words. */
  get sorted(): { readonly names: string[]; readonly numbers: Uint16Array } | undefined {
    if (this.words.size === 0) return undefined;
    const names = [...this.words.keys()].sort();
    const numbers = new Uint16Array(names.length);
    for (const [number, name] of names.entries()) numbers[this.words.get(name)!] = number;
    return { names, numbers };
  }
}

/** Undefined for what is none. Columns that are not marked as text hold the bytes of their words. */
function wordOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(value);
  } catch {
    return undefined;
  }
}

const damaged = (where: string, cause: unknown): DataError =>
  cause instanceof DataError
    ? cause
    : new DataError({
        where,
        message: `this Parquet file cannot be read: ${(cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '')}.`,
        fix: 'Fetch the file again: it is cut off, damaged, or none.',
        cause,
      });

async function openShard(source: DataSource, name: string, labels: string | undefined): Promise<Shard> {
  const where = joinPath(source.where, name);
  const file = source.slices ? await source.slices(name) : slicesOf(await source.read(name));
  const metadata = await parquetMetadataAsync(file).catch((error: unknown) => {
    throw damaged(where, error);
  });
  return { name, where, file, metadata, columns: imageColumns(metadata, labels, where) };
}

/** The rows of shards as pictures. @throws {DataError} for a file that is damaged, and for a row without a label. */
async function* picturesOf(shards: readonly Shard[], labels: Labels): AsyncGenerator<Picture> {
  for (const { name, where, file, metadata, columns } of shards) {
    let rowStart = 0;
    for (const { num_rows: count } of metadata.row_groups) {
      const rowEnd = rowStart + Number(count);
      const rows = await parquetReadObjects({
        file,
        metadata,
        columns: [columns.image, columns.label],
        rowStart,
        rowEnd,
        compressors,
        utf8: false,
      }).catch((error: unknown) => {
        throw damaged(where, error);
      });
      for (const [i, row] of rows.entries()) {
        const at = `row ${rowStart + i}`;
        const label = labels.numberOf(row[columns.label], `${where}, ${at}`);
        yield { name: `${name}, ${at}`, label, read: async () => pictureOf(row[columns.image], `${where}, ${at}`) };
      }
      rowStart = rowEnd;
    }
  }
}

/** @throws {DataError} when a row has no picture, or only the path of one. */
function pictureOf(value: unknown, where: string): Uint8Array<ArrayBuffer> {
  const bytes = typeof value === 'object' && value !== null && 'bytes' in value ? value.bytes : value;
  if (bytes instanceof Uint8Array) return bytes as Uint8Array<ArrayBuffer>;
  throw new DataError({
    where,
    message: 'this row holds no picture.',
    fix: 'Write the set with the pictures in it: `datasets` does so when it saves Parquet with embedded files.',
  });
}

/**
 * A set out of its files, each part in the order of its shards.
 * @throws {DataError} for files that are damaged or lack columns, for labels of no class, and for pictures that cannot be decoded.
 */
export async function readParquetSet(
  source: DataSource,
  shards: Shards,
  name: string,
  options: ReadOptions,
): Promise<DatasetSplit> {
  const whole = learntPart([...shards.keys()], source.where);
  const parts = [...shards.keys()].filter((part) => part !== whole && part !== '');
  const usual = testParts(parts, TEST_PARTS, source.where);
  const choice = chooseTestPart(options.testPart === undefined ? usual : parts, options, source.where);
  const { part } = choice;
  const others = [...shards].filter(([one]) => one !== whole && one !== part && !usual.includes(one));
  const notes = [...choice.notes, ...unusedNotes(others.flatMap(([, paths]) => paths))];
  const decoder = new PictureDecoder(source.where, options);
  const labels = new Labels();
  // Both parts have the same names, and tell the same of them.
  const told = new Set<string>();
  const read = async (of: string): Promise<ImageDataset> => {
    const files = await Promise.all((shards.get(of) ?? []).map((path) => openShard(source, path, options.labels)));
    const count = files.reduce((sum, { metadata }) => sum + Number(metadata.num_rows), 0);
    const pixels = await decoder.decode(picturesOf(files, labels), count);
    const classNames = files[0]?.columns.classNames;
    const set: ImageDataset = { name, ...pixels, classes: classNames?.length ?? classesOf(pixels.labels) };
    const named = classNames && distinctNames(classNames);
    for (const note of named?.notes ?? []) told.add(note);
    return checkDataset(named ? { ...set, classNames: named.names } : set, joinPath(source.where, of));
  };
  const train = await read(whole);
  const split =
    part === undefined
      ? { ...drawnSplit(inOrder(train, labels), options), notes: [drawnNote(options), ...notes] }
      : await read(part).then((test) => {
          const ordered = [train, test].map((set) => inOrder(set, labels)) as [ImageDataset, ImageDataset];
          return { ...joinParts(...ordered, source.where), notes };
        });
  const { sizes } = decoder;
  return { ...split, notes: [...split.notes, ...told, ...decoder.notes], ...(sizes ? { pictureSizes: sizes } : {}) };
}

/** The part that is learnt from: of files without parts all. @throws {DataError} when there is none, or are two. */
function learntPart(parts: readonly string[], where: string): string {
  const [only = '', ...others] = parts;
  const part = trainPart(parts, where) ?? (others.length === 0 && !isPart(only) ? only : '');
  if (parts.includes(part)) return part;
  throw new DataError({
    where,
    message: 'there is no part to learn from, "train".',
    fix: `There is ${parts.join(', ')}.`,
  });
}

/** What people are to know of files that are not read. */
const unusedNotes = (paths: readonly string[]): string[] =>
  paths.length > 0
    ? [`files that are no part to learn from or to test on by their names were passed over: ${listed(paths)}`]
    : [];

/** With the classes of labels that are words in the order of these. */
function inOrder(set: ImageDataset, labels: Labels): ImageDataset {
  const { sorted } = labels;
  if (!sorted) return set;
  const { names, numbers } = sorted;
  return {
    ...set,
    labels: Uint16Array.from(set.labels, (label) => numbers[label]!),
    classes: names.length,
    classNames: names,
  };
}
