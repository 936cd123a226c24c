/** Times that an adapter is asked for, and milliseconds between. */
const [TRIES, PAUSE] = [6, 500];

/**
 * Asks for an adapter, or for an engine on one, more than once: a browser whose GPU process is only starting, at first or after a
 * crash, has none for a moment.
 * @throws what asking failed with, at once where there is no WebGPU at all.
 */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await ask();
    } catch (error) {
      if (!navigator.gpu || tried === TRIES) throw error;
      await new Promise((done) => setTimeout(done, PAUSE));
    }
  }
}
