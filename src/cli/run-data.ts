/** The data of a run, as its settings say. */
import type { Config } from '../continual/benchmark/config.ts';
import { readOptionsOf } from '../continual/benchmark/data-settings.ts';
import type { AnyDataset, DatasetSplit } from '../data/dataset.ts';
import { loadDataset } from '../data/load-dataset.ts';
import { loadStored, openPictures } from '../data/picture-store.ts';

/** To be learnt from: pixels in memory, or pictures in their files. @throws {DataError} */
export function openRunData(config: Config): Promise<DatasetSplit<AnyDataset>> {
  const { stream = false, data, imageSize = 0 } = config;
  const options = readOptionsOf(config);
  return stream ? openPictures(data, { ...options, imageSize }) : loadDataset(data, options);
}

/** In memory, whatever they were learnt from. @throws {DataError} */
export async function loadRunData(config: Config): Promise<DatasetSplit> {
  const { train, test, ...others } = await openRunData(config);
  const load = (part: AnyDataset) => ('stored' in part ? loadStored(part) : part);
  return { ...others, train: await load(train), test: await load(test) };
}
