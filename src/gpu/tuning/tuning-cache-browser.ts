/** The tuner's choices in a browser: a database of the page's origin. */
import { createStore, get, type UseStore, update } from 'idb-keyval';
import type { TuningCache } from './tuning-cache.ts';

let opened: UseStore | null = null;

/** Opened at the first use: pages without storage may import the library. */
const database = (): UseStore => {
  opened ??= createStore('engram', 'tuned');
  return opened;
};

export const tuningCache: TuningCache = {
  read: (adapter) => get<unknown>(adapter, database()),
  update: (adapter, change) => update<unknown>(adapter, change, database()),
};
