/** The data of a run, as its settings say. */
import { files } from '#files';
import type { Config } from '../continual/benchmark/config.ts';
import { readOptionsOf } from '../continual/benchmark/data-settings.ts';
import type { AnyDataset, DatasetSplit } from '../data/dataset.ts';
import { bundledNames, loadDataset } from '../data/load-dataset.ts';
import { loadStored, openPictures } from '../data/picture-store.ts';
import { DataError } from '../errors.ts';

const isThere = async (data: string): Promise<boolean> => bundledNames.includes(data) || (await files.exists(data));

/**
 * Recipes name the folder that a data set usually lies in.
 * @param how it is said where it lies.
 * @throws {DataError} where there is none of this name.
 */
export async function assertData(name: string, how: string): Promise<void> {
  if (await isThere(name)) return;
  throw new DataError({
    where: name,
    message: 'this is neither a bundled data set nor a folder.',
    fix: `Say where it lies by ${how}; bundled are ${bundledNames.join(' and ')}.`,
  });
}

/**
 * For a run that was begun before, whose data may have been moved since, or whose paths are of another working directory.
 * @param folder the run's.
 * @throws {DataError} where the data, or the list of the pictures to test on, are not where the settings say.
 */
export async function assertRunData(folder: string, { data, testList }: Config): Promise<void> {
  const refuse = (message: string, fix: string) => new DataError({ where: folder, message, fix });
  if (!/^https?:/.test(data) && !(await isThere(data)))
    throw refuse(`the data of this run are not there (${data}).`, 'Say where they lie now by --data FOLDER.');
  if (testList === undefined || (await files.exists(testList))) return;
  throw refuse(
    `the list of the pictures that this run is tested on is not there (${testList}).`,
    'Put it back there; `engram train --resume` is told where it lies now by --test-list FILE.',
  );
}

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
