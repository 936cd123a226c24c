/**
 * Parquet files as the Hugging Face hub stores sets of images: shards of each part, `train-00000-of-00002.parquet` and so on, in a
 * folder, files that have the part as a word in their names, or files in a folder a part. What they hold is read by
 * `parquet-set.ts`, which only those load who have such files.
 */
import { shardsOf } from './parquet-shards.ts';
import { PICTURE_OPTIONS } from './pictures.ts';
import type { DatasetReader } from './reader.ts';

export const parquet: DatasetReader = {
  format: 'Parquet files as the Hugging Face hub stores images (train-00000-of-00001.parquet …)',
  heeds: [...PICTURE_OPTIONS, 'testPart', 'testFraction', 'splitSeed', 'labels'],
  async read(source, name, options = {}) {
    const paths = (await source.tree?.())?.files.filter((path) => /\.parquet$/i.test(path)) ?? [];
    if (paths.length === 0) return undefined;
    const { readParquetSet } = await import('./parquet-set.ts');
    return readParquetSet(source, shardsOf(paths, source.where), name, options);
  },
};
