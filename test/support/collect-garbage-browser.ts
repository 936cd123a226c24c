/** The same in a page, of a browser that was started with `--js-flags=--expose-gc`. */

const { gc } = globalThis as unknown as { gc: (how: object) => Promise<void> };

/** Finalizers run some time after the objects are gone: the one of an object that nobody holds tells when. */
let finalized = 0;
const registry = new FinalizationRegistry(() => {
  finalized++;
});
const MOST_ROUNDS = 100;

export async function collectGarbage(): Promise<void> {
  registry.register({}, null);
  const before = finalized;
  for (let round = 0; round < MOST_ROUNDS && finalized === before; round++) {
    // As a task of its own: what is only on this stack would count as held.
    await gc({ type: 'major', execution: 'async' });
    await new Promise((later) => setTimeout(later, 2));
  }
  await new Promise((later) => setTimeout(later, 2));
}
