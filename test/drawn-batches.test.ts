/** Batches that are drawn beside a phase's own, and values that belong to images: which ones a step gets, and that they fit. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ContinualLearner } from '../src/continual/learner.ts';
import type { LearnOptions } from '../src/continual/learner-types.ts';
import { type Batch, type Drawn, defineMethod } from '../src/continual/method.ts';
import { derpp } from '../src/continual/methods/derpp.ts';
import { foster } from '../src/continual/methods/foster.ts';
import { ssil } from '../src/continual/methods/ssil.ts';
import { firstPerClass } from '../src/data/dataset.ts';
import { imagesByClass } from '../src/data/images-by-class.ts';
import { crossEntropy } from '../src/ops/cross-entropy.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { engine } from './support/engine.ts';
import { fashion } from './support/small-run.ts';

const few = firstPerClass(fashion.train, 12);
const [first, second] = [imagesByClass(few, [1, 8]), imagesByClass(few, [5, 2])];
const settings = { width: 4, epochs: 2, batch: 10, memory: 12, lr: 0.05, crop: 2, flip: 0.5, rotate: 10 };

/** What one step got of one batch. */
interface Seen {
  readonly numbers: readonly number[];
  readonly targets: readonly number[];
  readonly labels: readonly number[];
  /** A list for each image. */
  readonly pixels: readonly (readonly number[])[];
}

/** Learns two tasks by replay that draws a batch beside its own, and tells what every step of the second one got. */
async function watch(drawn: Partial<Drawn> = {}, changes: object = {}, options: LearnOptions = {}) {
  const kept: Record<'numbers' | 'targets' | 'labels' | 'pixels', Tensor>[][] = [];
  const look = (batch: Batch) => ({
    numbers: engine.keep(batch.values('number')),
    targets: engine.keep(batch.targets.mul(1)),
    labels: engine.keep(batch.values('pair').slice([null, [1, 2]])),
    pixels: engine.keep(batch.images.mul(1)),
  });
  const watched = defineMethod({
    name: 'watched',
    summary: 'replay of a drawn batch',
    settings: {},
    keeps: 'exemplars',
    *learn({ exemplars, fresh, labels, hold, engine }) {
      const pairs = Float32Array.from([...labels].flatMap((label) => [-1, label]));
      yield {
        images: fresh,
        drawn: exemplars.length > 0 ? { memory: { images: exemplars, ...drawn } } : {},
        values: {
          number: hold(engine.tensor(Int32Array.from(labels.keys()))),
          pair: hold(engine.tensor(pairs, [labels.length, 2])),
        },
        replayable: false,
        loss(batch) {
          if (exemplars.length === 0) return crossEntropy(batch.logits, batch.targets);
          const memory = batch.drawn('memory');
          const whole = batch.joined(memory);
          kept.push([batch, memory, whole].map(look));
          return crossEntropy(whole.logits, whole.targets);
        },
      };
    },
  });
  const learner = await ContinualLearner.create(engine, { ...settings, ...changes, method: watched });
  for await (const event of learner.learn(first)) void event;
  const progress: Uint8Array[] = [];
  for await (const event of learner.learn(second, options)) if (event.type === 'progress') progress.push(event.bytes);
  const seen: Seen[][] = [];
  for (const step of kept) {
    const read = step.map(async ({ numbers, targets, labels, pixels }) => {
      const size = pixels.size / (pixels.shape[0] as number);
      const data = await pixels.data();
      return {
        numbers: [...(await numbers.data())],
        targets: [...(await targets.data())],
        labels: [...(await labels.data())],
        pixels: [...numbers.shape.slice(0, 1)].flatMap((n) =>
          Array.from({ length: n }, (_, i) => [...data.slice(i * size, (i + 1) * size)]),
        ),
      };
    });
    seen.push(await Promise.all(read));
    for (const part of step) for (const tensor of Object.values(part)) tensor.dispose();
  }
  const weights = await learner.save();
  learner.dispose();
  return { seen, progress, weights, drawn: seen.map(([, memory]) => (memory as Seen).numbers) };
}

/** Images of the second task: 24 fresh ones, and 12 exemplars behind them. */
const FRESH = 24;

test('each step gets images of its own, none twice in a batch, with their labels and values', async () => {
  const live = engine.memory().liveBuffers;
  const { seen } = await watch({ batch: 5 });
  assert.is(seen.length, 6, 'two epochs of three steps');
  for (const [own, memory, whole] of seen as [Seen, Seen, Seen][]) {
    assert.ok(own.numbers.every((image) => image < FRESH));
    assert.ok(memory.numbers.every((image) => image >= FRESH && image < FRESH + 12));
    assert.is(new Set(memory.numbers).size, 5);
    for (const key of ['numbers', 'targets', 'labels', 'pixels'] as const)
      assert.equal(whole[key], [...own[key], ...memory[key]], `${key} of both, in order`);
    assert.equal(whole.labels, whole.targets);
    assert.ok(memory.targets.every((target) => target < 2));
  }
  assert.is(engine.memory().liveBuffers, live);
});

test('a batch is as large as the recipe’s, and no larger than what there is', async () => {
  for (const [batch, size] of [
    [undefined, 10],
    [50, 12],
    [1, 1],
  ] as const) {
    const { drawn } = await watch(batch === undefined ? {} : { batch });
    assert.ok(drawn.every(({ length }) => length === size));
  }
});

test('what is drawn follows from the seed and the epoch alone, in a run that is gone on with too', async () => {
  const straight = await watch({ batch: 5 }, {}, { saveEvery: 1 });
  assert.is(new Set(straight.drawn.map((numbers) => numbers.join())).size, 6, 'another choice in every step');
  const again = await watch({ batch: 5 });
  assert.equal(again.drawn, straight.drawn);
  assert.equal(again.weights, straight.weights);
  const [afterOne] = straight.progress;
  const resumed = await watch({ batch: 5 }, {}, { resume: afterOne as Uint8Array });
  assert.equal(resumed.seen, straight.seen.slice(3));
  assert.equal(resumed.weights, straight.weights);
  assert.not.equal((await watch({ batch: 5 }, { seed: 1 })).drawn, straight.drawn);
});

test('drawn images are augmented as configured, or as they are', async () => {
  for (const [augment, most] of [
    [false, 12],
    [true, Number.POSITIVE_INFINITY],
  ] as const) {
    const { seen } = await watch({ augment });
    const looks = new Map<number, Set<string>>();
    for (const [, memory] of seen as [Seen, Seen, Seen][])
      for (const [at, image] of memory.numbers.entries())
        looks.set(image, (looks.get(image) ?? new Set()).add(String(memory.pixels[at])));
    const count = [...looks.values()].reduce((sum, { size }) => sum + size, 0);
    assert.ok(looks.size > 6);
    assert.ok(augment ? count > looks.size : count === looks.size && count <= most, `${count} of ${looks.size}`);
  }
});

for (const method of [ssil, derpp, foster]) {
  test(`${method.name}: steps that are replayed learn what steps run anew learn, to the last bit`, async () => {
    const learnt: Uint8Array[] = [];
    for (const capture of [true, false]) {
      const learner = await ContinualLearner.create(engine, { ...settings, method, capture });
      for (const images of [first, second]) for await (const event of learner.learn(images)) void event;
      const { model } = learner;
      const weights = await Promise.all([...(model?.namedTensors() ?? [])].map(({ tensor }) => tensor.data()));
      learnt.push(new Uint8Array(await new Blob(weights).arrayBuffer()));
      learner.dispose();
    }
    assert.ok((learnt[0] as Uint8Array).length > 1000);
    assert.equal(learnt[0], learnt[1]);
  });
}

test.run();
