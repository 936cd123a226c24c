/** Collecting garbage at once, in Node; `collect-garbage-browser.ts` stands in for it in a page. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Frees what nobody holds, and lets finalizers run. */
export async function collectGarbage(): Promise<void> {
  collect();
  await new Promise((nextTurn) => setTimeout(nextTurn));
}
