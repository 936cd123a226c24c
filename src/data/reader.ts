/** What reads a data set in one format; `readers.ts` lists them. */
import type { DatasetSplit } from './dataset.ts';
import type { DataSource } from './source.ts';

/** What formats leave open. */
export interface ReadOptions {
  /** Side of the square that pictures in files are brought to; 0 for their own size, which must be one for all. */
  readonly imageSize?: number;
}

/** Reads data sets in one format; those of your own are given to `loadDataset`. */
export interface DatasetReader {
  /** For people: what a folder in this format holds. */
  readonly format: string;
  /**
   * The set; undefined where the source holds none in this format.
   * @param name of the set.
   * @param options for formats that leave something open.
   * @throws {DataError} when the source holds one that is incomplete or damaged.
   */
  read(source: DataSource, name: string, options?: ReadOptions): Promise<DatasetSplit | undefined>;
}
