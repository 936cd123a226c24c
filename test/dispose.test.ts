/** `using` in browsers that have no `Symbol.dispose` and `Symbol.asyncDispose` of their own: what compiles it takes the registered symbol for it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';

/** All of the library that is loaded meanwhile sees a `Symbol` without it. */
async function inOlderBrowser<T>(load: () => Promise<T>): Promise<T> {
  const { Symbol: own } = globalThis;
  const { dispose, asyncDispose, prototype, ...rest } = Object.getOwnPropertyDescriptors(own);
  const older = Object.defineProperties((name?: string) => own(name), rest);
  Object.defineProperty(globalThis, 'Symbol', { value: older, configurable: true, writable: true });
  try {
    return await load();
  } finally {
    Object.defineProperty(globalThis, 'Symbol', { value: own, configurable: true, writable: true });
  }
}

test('all that `using` takes has the symbol that compiled code asks for', async () => {
  const classes = await inOlderBrowser(async () => {
    const { Tensor } = await import('../src/tensor/tensor.ts');
    const { ContinualLearner } = await import('../src/continual/learner.ts');
    const { Compression } = await import('../src/continual/compression/compression.ts');
    const { Module } = await import('../src/nn/module.ts');
    const { Optimizer } = await import('../src/optim/optimizer.ts');
    const { GradScaler } = await import('../src/optim/grad-scaler.ts');
    const { GradientAccumulator } = await import('../src/optim/gradient-accumulator.ts');
    const { MovingAverage } = await import('../src/optim/moving-average.ts');
    return [Tensor, ContinualLearner, Compression, Module, Optimizer, GradScaler, GradientAccumulator, MovingAverage];
  });
  for (const { name, prototype } of classes) {
    let calls = 0;
    const own = Object.create(prototype, { dispose: { value: () => calls++ } }) as Record<symbol, () => void>;
    own[Symbol.for('Symbol.dispose')]?.();
    assert.is(calls, 1, name);
  }
});

test('an engine has the symbol that `await using` asks for', async () => {
  const { Engine } = await inOlderBrowser(() => import('../src/tensor/engine.ts'));
  let calls = 0;
  const own = Object.create(Engine.prototype, { destroy: { value: async () => calls++ } }) as Record<
    symbol,
    () => Promise<void>
  >;
  await own[Symbol.for('Symbol.asyncDispose')]?.();
  assert.is(calls, 1);
});

test.run();
