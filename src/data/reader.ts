/** What reads a data set in one format; `readers.ts` lists them. */
import type { DatasetSplit } from './dataset.ts';
import type { DataSource } from './source.ts';

export interface DatasetReader {
  /** For people: what a folder in this format holds. */
  readonly format: string;
  /**
   * The set; undefined where the source holds none in this format.
   * @param name of the set.
   * @throws {DataError} when the source holds one that is incomplete or damaged.
   */
  read(source: DataSource, name: string): Promise<DatasetSplit | undefined>;
}
