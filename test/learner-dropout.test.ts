/** What a learner's network drops at random is the task's own: not what else is drawn on the engine, nor where it was resumed. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ContinualLearner } from '../src/continual/learner.ts';
import type { LearnOptions } from '../src/continual/learner-types.ts';
import type { ImageBytes } from '../src/data/image-bytes.ts';
import { readSafetensors } from '../src/nn/safetensors.ts';
import { engine } from './support/engine.ts';

const noisy = (level: number): ImageBytes => ({
  data: Uint8Array.from({ length: 6 * 64 }, (_, at) => (level + 31 * at) % 256),
  ...{ count: 6, height: 8, width: 8, channels: 1 },
});
const first = { dark: noisy(3), light: noisy(200) };
const second = { grey: noisy(90) };

/** MobileNetV2 drops a fifth of its features. */
const make = (capture = true) =>
  ContinualLearner.create(engine, {
    ...{ model: 'mobilenet_v2', width: 4, epochs: 3, batch: 4, memory: 6, crop: 0, lr: 0.001, method: 'fdkd' },
    capture,
  });

async function learn(learner: ContinualLearner, images: typeof first | typeof second, options: LearnOptions = {}) {
  const saved: Uint8Array[] = [];
  for await (const event of learner.learn(images, options)) if (event.type === 'progress') saved.push(event.bytes);
  return saved;
}

const weightsOf = async (learner: ContinualLearner) => [...readSafetensors(await learner.save()).tensors];

const usual = await make();
const progress = await learn(usual, first, { saveEvery: 1 });
const afterFirst = await usual.save();
await learn(usual, second);
const expected = await weightsOf(usual);
usual.dispose();

test('another learner on the same engine learns the same, replayed or not', async () => {
  for (const capture of [true, false]) {
    engine.uniform([3]).dispose();
    const learner = await make(capture);
    await learn(learner, first);
    await learn(learner, second);
    assert.equal(await weightsOf(learner), expected, `capture: ${capture}`);
    learner.dispose();
  }
});

test('one that is resumed after an epoch, and one that is loaded, go on as if nothing had been', async () => {
  const resumed = await make();
  await learn(resumed, first, { resume: progress[0]! });
  assert.equal([...readSafetensors(await resumed.save()).tensors], [...readSafetensors(afterFirst).tensors]);
  resumed.dispose();
  const loaded = await ContinualLearner.load(engine, afterFirst);
  await learn(loaded, second);
  assert.equal(await weightsOf(loaded), expected);
  loaded.dispose();
});

test('two at once learn what each learns alone, and the engine’s own numbers go on', async () => {
  engine.seed(7);
  const numbers = [await engine.uniform([2]).data(), await engine.uniform([2]).data()];
  engine.seed(7);
  const drawn = await engine.uniform([2]).data();
  const both = await Promise.all([make(), make()]);
  await Promise.all(both.map((learner) => learn(learner, first)));
  assert.equal([drawn, await engine.uniform([2]).data()], numbers);
  await Promise.all(both.map((learner) => learn(learner, second)));
  for (const learner of both) {
    assert.equal(await weightsOf(learner), expected);
    learner.dispose();
  }
  engine.seed(0);
});

test.run();
