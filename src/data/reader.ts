/** What reads a data set in one format; `readers.ts` lists them. */
import type { DatasetSplit } from './dataset.ts';
import type { DataSource } from './source.ts';

/** What formats leave open; each heeds what means something to it. */
export interface ReadOptions {
  /** Side of the square that pictures in files are brought to; 0, the default, for their own size, which must be one for all. */
  readonly imageSize?: number | undefined;
  /**
   * The shorter side that pictures are brought to before the middle square of `imageSize` is cut out of them; by default 8/7 of
   * that, as 256 for 224 in tests on ImageNet. The same as `imageSize` cuts nothing off the shorter side.
   */
  readonly imageResize?: number | undefined;
  /** What is done with pictures that cannot be decoded: the set is refused (default), or goes without them and says so. */
  readonly badPictures?: 'refuse' | 'skip' | undefined;
  /** Millions of pixels above which a picture is not decoded; 64 by default. */
  readonly maxMegapixels?: number | undefined;
  /** The part that is tested on, where a set has several beside the one that is learnt from: `val`, `test`. */
  readonly testPart?: string | undefined;
  /** A file that lists the pictures to test on, where a set has no such part: a path a line, or a CSV file. */
  readonly testList?: string | undefined;
  /** The share of each class's images to test on, where a set has no such part; 0.2 by default. */
  readonly testFraction?: number | undefined;
  /** Seed of the choice of these; 0 by default. */
  readonly splitSeed?: number | undefined;
  /** Which labels, where images have several: `fine` or `coarse`, or the name of a column. */
  readonly labels?: string | undefined;
}

/** Reads data sets in one format; those of your own are given to `loadDataset`. */
export interface DatasetReader {
  /** For people: what a folder in this format holds. */
  readonly format: string;
  /** The options that mean something to this format; of others that are given people are told that they do nothing. */
  readonly heeds?: readonly (keyof ReadOptions)[];
  /**
   * The set; undefined where the source holds none in this format.
   * @param name of the set.
   * @param options for formats that leave something open.
   * @throws {DataError} when the source holds one that is incomplete or damaged.
   */
  read(source: DataSource, name: string, options?: ReadOptions): Promise<DatasetSplit | undefined>;
}
