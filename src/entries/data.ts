/**
 * Data sets from files, for those whose images are not in memory already.
 * @module engram/data
 */
// Nothing inside `src` imports this file.
export type { AnyDataset, LabelledSet, LotOf, StoredDataset } from '../data/dataset.ts';
export type { FileSlices, FileTree } from '../data/files.ts';
export { bundledNames, type LoadDatasetOptions, loadDataset } from '../data/load-dataset.ts';
export { loadStored, type OpenOptions, openPictures } from '../data/picture-store.ts';
export {
  type PictureBatch,
  PictureStream,
  type PictureStreams,
  type StreamOptions,
  streamPictures,
} from '../data/picture-stream.ts';
export type { DatasetReader, ReadOptions } from '../data/reader.ts';
export type { DataSource, DatasetFiles } from '../data/source.ts';
export type { Images, StoredImages } from '../data/stored-images.ts';
