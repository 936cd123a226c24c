/** The formats that `loadDataset` knows, in the order that they are tried. A new one is a file beside these, and a line here. */
import { cifar } from './cifar.ts';
import { mnist } from './mnist.ts';
import { npz } from './npz.ts';
import { parquet } from './parquet.ts';
import { pictureFolders } from './picture-folders.ts';
import type { DatasetReader } from './reader.ts';

export const readers: readonly DatasetReader[] = [cifar, mnist, npz, parquet, pictureFolders];
