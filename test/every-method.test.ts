/** What holds for every built-in method: replayed steps are the steps, f16 does, a kill costs nothing, a page learns by it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ContinualLearner } from '../src/continual/learner.ts';
import type { LearnerOptions } from '../src/continual/learner-types.ts';
import { METHOD_NAMES, type MethodName, methods } from '../src/continual/methods/index.ts';
import type { ImageBytes } from '../src/data/image-bytes.ts';
import { readSafetensors } from '../src/nn/safetensors.ts';
import { Random } from '../src/tensor/random.ts';
import { openPage } from './support/browser.ts';
import { engine, needs } from './support/engine.ts';
import { type Ended, runUntilKilled } from './support/killed.ts';
import { methodsHere } from './support/methods-here.ts';
import { runOutcome } from './support/run-outcome.ts';

/** Images of a class: bars of its own height, with noise. */
function some(label: number, count: number): ImageBytes {
  const random = Random.of(5, 'bars', label);
  const data = Uint8Array.from(
    { length: count * 64 },
    (_, at) => (Math.floor(at / 8) % 8 === label ? 200 : 20) + random.int(40),
  );
  return { data, count, height: 8, width: 8, channels: 1 };
}

const tasks = [
  { a: some(0, 12), b: some(2, 12) },
  { c: some(4, 12), d: some(6, 12) },
];

/** Those of a method's settings that make its later phases short. */
const short = ['balancedEpochs', 'correctionEpochs', 'compressionEpochs'];

async function learnt(name: MethodName, changes: Partial<LearnerOptions> = {}): Promise<Uint8Array> {
  const method = methods[name];
  const own = Object.fromEntries(short.filter((key) => key in method.settings).map((key) => [key, 2]));
  const settings = { width: 2, epochs: 3, batch: 8, memory: 8, lr: 0.02, crop: 1, ...own, ...changes };
  const learner = await ContinualLearner.create(engine, { ...settings, method });
  try {
    for (const task of tasks) for await (const event of learner.learn(task)) void event;
    const [{ probability } = { probability: Number.NaN }] = await learner.predict(some(4, 1));
    assert.ok(probability > 0 && probability <= 1, `${probability}`);
    return await learner.save();
  } finally {
    learner.dispose();
  }
}

const tensorsOf = (bytes: Uint8Array) => [...readSafetensors(bytes).tensors];

for (const name of methodsHere) {
  test(`${name}: replayed steps learn what steps learn that are run anew`, async () => {
    const live = engine.memory().liveBuffers;
    assert.equal(tensorsOf(await learnt(name)), tensorsOf(await learnt(name, { capture: false })));
    assert.is(engine.memory().liveBuffers, live);
  });
}

needs('shader-f16')('every method learns with f16 activations', async () => {
  for (const name of METHOD_NAMES) {
    const tensors = tensorsOf(await learnt(name, { precision: 'f16' }));
    const strange = tensors.find(([, { data }]) => !Array.from(data as Float32Array).every(Number.isFinite));
    assert.is(strange, undefined, `${name}: ${strange?.[0]}`);
  }
});

/** A run by each of them. @param kill milliseconds it has. */
const learnAll = (folder: string, kill?: number): Promise<Ended> =>
  runUntilKilled(['.build/test/support/learn-every-method.js', folder, ...methodsHere], { kill });

test('killed at random moments, every method ends as if it never was', async () => {
  const seed = Number(process.env.ENGRAM_KILL_SEED ?? Date.now() % 1e6);
  console.log(`ENGRAM_KILL_SEED=${seed}`);
  const random = Random.of(seed, 'kills');
  const home = mkdtempSync(join(tmpdir(), 'engram-every-'));
  try {
    const whole = join(home, 'whole');
    const { code, said, ms } = await learnAll(whole);
    assert.is(code, 0, said);
    const killed = join(home, 'killed');
    let kills = 0;
    for (let ended: Ended | null = null; ended?.code !== 0; ) {
      // Short of a quarter of the time hardly more than the start is done.
      const time = kills < 6 ? ms * (0.15 + 0.35 * random.uniform()) : undefined;
      ended = await learnAll(killed, time);
      assert.ok(ended.code === 0 || ended.signal === 'SIGKILL', ended.said);
      if (ended.signal) kills++;
    }
    assert.ok(kills > 0);
    for (const name of methodsHere) {
      const [outcome, expected] = [runOutcome(join(killed, name)), runOutcome(join(whole, name))];
      for (const part of Object.keys(expected) as (keyof typeof expected)[])
        assert.equal(outcome[part], expected[part], `${name}: ${part}`);
    }
    console.log(`${kills} kills`);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

/** In a page: two tasks by each method, and whether it tells something of all classes. */
async function learnInPage(library: typeof import('./support/browser-library.ts')): Promise<Record<string, number>> {
  const engine = await library.Engine.create();
  const classes: Record<string, number> = {};
  for (const method of Object.values(library.methods)) {
    const learner = await library.ContinualLearner.create(engine, {
      method,
      width: 2,
      epochs: 1,
      batch: 8,
      memory: 4,
      lr: 0.02,
      crop: 1,
    });
    const bars = (label: number, count = 4) => ({
      data: Uint8Array.from({ length: count * 64 }, (_, at) =>
        Math.floor(at / 8) % 8 === label ? 200 : (7 * at) % 60,
      ),
      count,
      height: 8,
      width: 8,
      channels: 1,
    });
    for (const task of [
      { a: bars(0), b: bars(2) },
      { c: bars(4), d: bars(6) },
    ])
      for await (const event of learner.learn(task)) void event;
    const predicted = await learner.predict(bars(4, 1));
    classes[method.name] = predicted.filter(({ probability }) => probability >= 0 && probability <= 1).length;
    learner.dispose();
  }
  await engine.destroy();
  return classes;
}

test('a page learns by every method, from the bundle', async () => {
  const { page, close } = await openPage();
  try {
    const classes = await page.evaluate<Record<string, number>>(`import('/browser.js').then(${learnInPage})`);
    assert.equal(classes, Object.fromEntries(METHOD_NAMES.map((name) => [name, 4])));
  } finally {
    await close();
  }
});

test.run();
