/**
 * Data sets from files, for those whose images are not in memory already.
 * @module engram/data
 */
// Nothing inside `src` imports this file.
export { bundledNames, type LoadDatasetOptions, loadDataset } from '../data/load-dataset.ts';
export type { DatasetReader } from '../data/reader.ts';
export type { DataSource, DatasetFiles } from '../data/source.ts';
