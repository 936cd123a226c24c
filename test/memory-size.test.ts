/** How much a memory holds: in bytes, of what is stored beside the pixels too, and nothing at all. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ContinualLearner } from '../src/continual/learner.ts';
import type { LearnerOptions } from '../src/continual/learner-types.ts';
import { type Exemplar, ExemplarMemory } from '../src/continual/memory.ts';
import { type Batch, defineMethod } from '../src/continual/method.ts';
import type { ImageBytes } from '../src/data/image-bytes.ts';
import { ConfigError } from '../src/errors.ts';
import { crossEntropy } from '../src/ops/cross-entropy.ts';
import { Random } from '../src/tensor/random.ts';
import { engine } from './support/engine.ts';
import { refusal } from './support/refusal.ts';

const format = { height: 2, width: 2, channels: 1 };
/** One of 4 bytes of pixels, and 4 for each number stored with it. */
const of = (label: number, pixel: number, stored = 0): Exemplar => ({
  label,
  pixels: new Uint8Array(4).fill(pixel),
  ...(stored > 0 ? { values: { logits: new Float32Array(stored) } } : {}),
});
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const pixelsOf = ({ exemplars }: ExemplarMemory): number[] => exemplars.map(({ pixels }) => pixels[0] as number);

test('bytes are shared out by the size of an image', () => {
  const memory = new ExemplarMemory({ total: 999, bytes: 50 });
  assert.equal([memory.room(format), memory.quota(3, format), memory.quota(12, format)], [12, 4, 1]);
  assert.is(memory.quota(1, { height: 5, width: 5, channels: 1 }), 2);
  assert.throws(
    () => memory.quota(13, format),
    /50 bytes are too few for 13 classes: every class needs at least one exemplar, of 4 bytes\. Use `memoryBytes: 52` \(--memory-bytes 52\)/,
  );
});

test('what is stored counts, and the worst of each class make room for it', () => {
  const memory = new ExemplarMemory({ total: 0, bytes: 60 });
  for (const label of [0, 1])
    memory.set(
      label,
      range(0, 7).map((i) => of(label, 10 * label + i, 2)),
    );
  assert.is(memory.bytes, 14 * 12);
  memory.fitBytes(7, new Random(0));
  assert.equal(pixelsOf(memory), [0, 1, 10, 11]);
  assert.is(memory.bytes, 48);
  const tight = new ExemplarMemory({ total: 0, bytes: 8 });
  tight.set(0, [of(0, 0, 2)]);
  assert.throws(() => tight.fitBytes(2, new Random(0)), /8 bytes are too few for 1 classes: .* of 12 bytes/);
  assert.throws(() => tight.fitBytes(null, new Random(0)), /8 bytes are too few/);
  const inNumber = new ExemplarMemory({ total: 1 });
  inNumber.set(0, [of(0, 0, 9)]);
  inNumber.fitBytes(1, new Random(0));
  assert.is(inNumber.size, 1, 'a memory in number has no such limit');
});

test('a reservoir that was left smaller stays a fair sample', () => {
  const counts = new Map<number, number>();
  const trials = 600;
  for (let seed = 0; seed < trials; seed++) {
    // Ten of these without what is stored, five with it.
    const memory = new ExemplarMemory({ total: 0, bytes: 40 });
    const offer = (from: number, to: number) => {
      memory.offer(
        range(from, to).map((i) => of(0, i)),
        format,
        Random.of(seed, 'places', from),
      );
      memory.replace(new Map(memory.exemplars.map((one) => [one, { ...one, values: { v: new Float32Array(1) } }])));
      memory.fitBytes(null, Random.of(seed, 'bytes', from));
      assert.is(memory.size, 5);
    };
    offer(0, 12);
    offer(12, 20);
    for (const pixel of pixelsOf(memory)) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  }
  // Within five standard deviations of a quarter of the trials.
  const slack = 5 * Math.sqrt(trials * 0.25 * 0.75);
  for (const pixel of range(0, 20))
    assert.ok(Math.abs((counts.get(pixel) ?? 0) - trials / 4) <= slack, `${pixel}: ${counts.get(pixel)} of ${trials}`);
});

/** `count` images 8×8 of one class. */
const images = (seed: number, count = 10): ImageBytes => ({
  data: Uint8Array.from({ length: 64 * count }, (_, i) => (i * seed) % 253),
  count,
  height: 8,
  width: 8,
  channels: 1,
});
const tasks = [
  { a: images(3), b: images(7) },
  { c: images(11), d: images(13) },
];
const small: LearnerOptions = { width: 2, epochs: 1, batch: 8, crop: 0, lr: 0.01 };

async function learnt(options: LearnerOptions): Promise<ContinualLearner> {
  const learner = await ContinualLearner.create(engine, { ...small, ...options });
  for (const task of tasks) for await (const event of learner.learn(task)) void event;
  return learner;
}

const storing = defineMethod({
  name: 'storing',
  summary: '',
  settings: {},
  keeps: 'exemplars',
  *learn() {
    yield { loss: ({ logits, targets }: Batch) => crossEntropy(logits, targets) };
  },
  stores: async ({ model }, chosen) => ({ logits: chosen.map(() => new Float32Array(model.classes)) }),
});

for (const selection of ['herding', 'reservoir'] as const) {
  test(`a learner's ${selection} keeps within its bytes, logits included, and is saved with them`, async () => {
    // 64 bytes of pixels, 8 or 16 of logits; twelve images of pixels alone.
    const learner = await learnt({ method: storing, memoryBytes: 64 * 12, selection });
    const { memory } = learner;
    assert.ok(memory.bytes <= 64 * 12, `${memory.bytes} bytes`);
    assert.ok(memory.size >= 8 && memory.size < 12, `${memory.size} exemplars`);
    const again = await ContinualLearner.load(engine, await learner.save(), { method: storing });
    assert.equal(again.memory.exemplars, memory.exemplars);
    for (const one of [learner, again]) one.dispose();
  });
}

for (const method of ['kd', 'tkd', 'fdkd', 'rdkd'] as const) {
  test(`${method} learns without exemplars, and is saved so`, async () => {
    const learner = await learnt({ method, memory: 0 });
    assert.equal([learner.memory.size, learner.classes.length], [0, 4]);
    const again = await ContinualLearner.load(engine, await learner.save());
    assert.equal(await again.save(), await learner.save());
    for (const one of [learner, again]) one.dispose();
  });
}

test('a method that needs exemplars is refused without room for them, when it is made', async () => {
  for (const method of ['replay', storing] as const) {
    const error = await refusal(ContinualLearner.create(engine, { ...small, method, memory: 0 }));
    assert.instance(error, ConfigError);
    assert.match(error.message, /^memory: the method "(replay|storing)" needs exemplars, and there is room for none/);
  }
  const perClass = await ContinualLearner.create(engine, { ...small, method: 'replay', memory: 0, memoryPerClass: 1 });
  perClass.dispose();
});

test.run();
