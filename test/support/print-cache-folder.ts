/** Prints the cache folder that this process's environment gives. */
import { cacheFolder } from '../../src/gpu/files/cache-node.ts';

console.log(cacheFolder());
