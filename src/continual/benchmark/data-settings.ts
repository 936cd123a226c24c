/** How data sets are read from files, as far as formats leave it open: what `loadDataset` takes, as settings of a run. */
import * as v from 'valibot';
import type { ReadOptions } from '../../data/reader.ts';
import { choiceSetting, number, setting, type ValuesOf } from '../setting.ts';

/** What readers heed. None has a default here: the readers do, and runs that were begun before one came go on as they were. */
export const readSettings = {
  imageSize: setting(
    number({ whole: true, least: 1, most: 65536 }),
    undefined,
    'side of the square that pictures in files are brought to (default: their own size, one for all)',
    'pixels',
  ),
  imageResize: setting(
    number({ whole: true, least: 1, most: 65536 }),
    undefined,
    'their shorter side before the middle of --image-size is cut out (default: 8/7 of that, as 256 for 224)',
    'pixels',
  ),
  badPictures: choiceSetting(
    ['refuse', 'skip'],
    undefined,
    'what is done with pictures that cannot be decoded (default refuse)',
  ),
  maxMegapixels: setting(number({ above: 0 }), undefined, 'larger pictures are bad, and not decoded (default 64)', 'n'),
  testPart: setting(
    v.pipe(v.string(), v.nonEmpty()),
    undefined,
    'the part to test on, of several: val, test (default: val of folders, test of files)',
    'name',
  ),
  testList: setting(
    v.pipe(v.string(), v.nonEmpty()),
    undefined,
    'file of the pictures to test on, where no folder has them: a path a line, or CSV',
    'file',
  ),
  testFraction: setting(
    number({ above: 0, below: 1 }),
    undefined,
    "share of each class's images to test on, where nothing else says which (default 0.2)",
    'share',
  ),
  splitSeed: setting(number({ whole: true, least: 0 }), undefined, 'seed of the choice of these (default 0)', 'seed'),
  labels: setting(
    v.pipe(v.string(), v.nonEmpty()),
    undefined,
    'fine or coarse labels of CIFAR-100 (default fine), or the column of a Parquet file',
    'name',
  ),
};

export const dataSettings = {
  ...readSettings,
  stream: setting(
    v.boolean(),
    undefined,
    'pictures left in their files (each is decoded whenever it is learnt from: for sets larger than memory)',
    '',
  ),
};

/** What of a configuration says how its data are read. */
export function readOptionsOf(config: ValuesOf<typeof readSettings>): ReadOptions {
  const given = Object.keys(readSettings).filter((key) => config[key as keyof typeof readSettings] !== undefined);
  return Object.fromEntries(given.map((key) => [key, config[key as keyof typeof readSettings]]));
}
