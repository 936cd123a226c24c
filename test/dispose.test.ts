/** `using` in browsers that have no `Symbol.dispose` of their own: what compiles it takes the registered symbol for it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';

/** All of the library that is loaded meanwhile sees a `Symbol` without it. */
async function inOlderBrowser<T>(load: () => Promise<T>): Promise<T> {
  const { Symbol: own } = globalThis;
  const { dispose, prototype, ...rest } = Object.getOwnPropertyDescriptors(own);
  const older = Object.defineProperties((name?: string) => own(name), rest);
  Object.defineProperty(globalThis, 'Symbol', { value: older, configurable: true, writable: true });
  try {
    return await load();
  } finally {
    Object.defineProperty(globalThis, 'Symbol', { value: own, configurable: true, writable: true });
  }
}

test('all that `using` takes has the symbol that compiled code asks for', async () => {
  const { Tensor, ContinualLearner, Compression } = await inOlderBrowser(async () => ({
    ...(await import('../src/tensor/tensor.ts')),
    ...(await import('../src/continual/learner.ts')),
    ...(await import('../src/continual/compression/compression.ts')),
  }));
  for (const { name, prototype } of [Tensor, ContinualLearner, Compression]) {
    const { dispose } = prototype;
    assert.is((prototype as unknown as Record<symbol, unknown>)[Symbol.for('Symbol.dispose')], dispose, name);
  }
});

test.run();
