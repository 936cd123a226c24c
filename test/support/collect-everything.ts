/**
 * Child process of the device's lifetime story, run with `--expose-gc`. Dawn aborts or hangs when its object, a device or
 * a buffer under `mapAsync` is collected while in use, so everything a program may drop is dropped here, and collected
 * while the work goes on.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { Engine } from '../../src/index.ts';

if (!globalThis.gc) throw new Error('run this with --expose-gc');
/** Two collections with a turn of the event loop between them: finalizers run there, and drop what they held. */
async function collect(): Promise<void> {
  globalThis.gc?.();
  await nextTurn();
  globalThis.gc?.();
}

let checked = 0;
function expect(actual: number, wanted: number, what: string): void {
  if (actual !== wanted) throw new Error(`${what}: got ${actual}, expected ${wanted}`);
  checked++;
}

/** A sum whose operands and result nobody holds while it is read. */
function sumOf(engine: Engine, n: number): Promise<number> {
  return engine.arange(n).mul(2).sum().item();
}

const engine = await Engine.create();
await collect();

// Tensors that nobody frees, reads that nobody holds.
for (let round = 0; round < 20; round++) {
  const reads = [10, 100, 1000].map((n) => sumOf(engine, n));
  await collect();
  expect((await reads[0]) ?? Number.NaN, 90, 'sum to 10');
  expect((await reads[1]) ?? Number.NaN, 9900, 'sum to 100');
  expect((await reads[2]) ?? Number.NaN, 999000, 'sum to 1000');
}

// A gradient whose tape is the only holder of what lies between.
for (let round = 0; round < 10; round++) {
  const x = engine.full([64], round);
  x.requiresGrad = true;
  const loss = x.mul(x).sum();
  await collect();
  loss.backward();
  await collect();
  expect((await x.grad?.sum().item()) ?? Number.NaN, 128 * round, 'gradient');
}

// Engines that come and go, one destroyed while its work is still under way.
for (let round = 0; round < 3; round++) {
  const other = await Engine.create();
  const early = sumOf(other, 10);
  await collect();
  expect(await early, 90, 'sum on another engine');
  other.arange(100).exp();
  await other.destroy();
  await collect();
}
// One that is simply forgotten.
await (await Engine.create()).arange(5).sum().item();
await collect();

expect(await sumOf(engine, 10), 90, 'sum at the end');
await collect();
await engine.destroy();
await collect();
console.log(`${checked} values are right`);
