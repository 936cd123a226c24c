/** Training on images whose brightness changes at random: recorded and replayed, of drawn batches too. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ContinualLearner } from '../src/continual/learner.ts';
import { defineMethod } from '../src/continual/method.ts';
import { crossEntropy } from '../src/ops/cross-entropy.ts';
import { Random } from '../src/tensor/random.ts';
import { engine } from './support/engine.ts';

const random = new Random(5);
const noise = () => ({
  data: Uint8Array.from({ length: 6 * 64 }, () => random.int(256)),
  count: 6,
  height: 8,
  width: 8,
  channels: 1,
});
const classes = { a: noise(), b: noise() };

/** Learns from what it walks over and from two batches beside it, one of images as they are. */
const drawing = defineMethod({
  name: 'drawing',
  summary: 'cross entropy of three batches',
  settings: {},
  keeps: 'nothing',
  *learn({ fresh }) {
    yield {
      drawn: { still: { images: fresh, batch: 2, augment: false }, moved: { images: fresh, batch: 3 } },
      loss(batch) {
        const joined = batch.joined(batch.drawn('still')).joined(batch.drawn('moved'));
        return crossEntropy(joined.logits, joined.targets);
      },
    };
  },
});

async function losses(given: object): Promise<number[]> {
  const settings = { method: drawing, width: 2, batch: 4, epochs: 3, crop: 1, lossEvery: 1, ...given };
  const learner = await ContinualLearner.create(engine, settings);
  const seen: number[] = [];
  for await (const event of learner.learn(classes)) if (event.type === 'step') seen.push(event.loss);
  learner.dispose();
  assert.is(seen.length, 9);
  return seen;
}

test('a recorded step takes other factors each time it is replayed', async () => {
  const brightness = 0.6;
  const replayed = await losses({ brightness });
  assert.equal(replayed, await losses({ brightness, capture: false }));
  assert.not.equal(replayed, await losses({}));
});

test('none is as if it were left open', async () => {
  assert.equal(await losses({ brightness: 0 }), await losses({}));
});

test.run();
