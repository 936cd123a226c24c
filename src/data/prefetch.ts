/** Fetching what is needed next beside the work on what is there. */

/** One item, and what was fetched for it. */
export interface Fetched<T, F> {
  readonly item: T;
  readonly fetched: F;
  /** Milliseconds that whoever asked waited for it: about none where the work takes longer than fetching. */
  readonly waited: number;
}

/**
 * Items in their order, each with what was fetched for it. Who leaves early leaves nothing behind that still fetches.
 * @param ahead so many are fetched before they are asked for.
 * @param fetch is to stop early where `left` says that nobody waits any more.
 * @throws what `fetch` throws, when its item's turn comes.
 */
export async function* prefetched<T, F>(
  items: Iterable<T>,
  ahead: number,
  fetch: (item: T, left: AbortSignal) => Promise<F>,
): AsyncGenerator<Fetched<T, F>, void, undefined> {
  const next = items[Symbol.iterator]();
  const queue: { readonly item: T; readonly fetching: Promise<F> }[] = [];
  const left = new AbortController();
  const fill = (most: number): void => {
    while (queue.length < most) {
      const { done, value: item } = next.next();
      if (done) return;
      const fetching = fetch(item, left.signal);
      // Told of when its turn comes.
      fetching.catch(() => undefined);
      queue.push({ item, fetching });
    }
  };
  try {
    // The one that is asked for, and those ahead of it.
    for (fill(1 + ahead); queue[0]; fill(1 + ahead)) {
      const { item, fetching } = queue[0];
      const asked = performance.now();
      const fetched = await fetching;
      queue.shift();
      fill(ahead);
      yield { item, fetched, waited: performance.now() - asked };
    }
  } finally {
    left.abort();
    await Promise.allSettled(queue.map(({ fetching }) => fetching));
  }
}
