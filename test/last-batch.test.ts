/** A last batch of one image: learnt with the batch before where the network's maps end in one pixel, and by itself elsewhere. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ssil } from '../src/continual/methods/ssil.ts';
import {
  Compression,
  ContinualLearner,
  defineNetwork,
  type LearnerEvent,
  type LearnerOptions,
} from '../src/entries/continual.ts';
import { ConfigError, createResNet, Dropout, Module, type Tensor } from '../src/index.ts';
import { engine, uniform } from './support/engine.ts';
import { refusal } from './support/refusal.ts';

const pictures = (count: number, side: number, seed: number) => ({
  data: Uint8Array.from(uniform(count * side * side, seed, 0, 255)),
  count,
  height: side,
  width: side,
  channels: 1,
});
/** Maps of images of 4×4 end in one pixel, those of 8×8 in four. */
const settings: LearnerOptions = {
  model: 'resnet8',
  width: 2,
  epochs: 3,
  batch: 4,
  memory: 0,
  crop: 0,
  method: 'finetune',
};
const make = (options: LearnerOptions = {}) => ContinualLearner.create(engine, { ...settings, ...options });

async function all(events: AsyncIterable<LearnerEvent>): Promise<LearnerEvent[]> {
  const told: LearnerEvent[] = [];
  for await (const event of events) told.push(event);
  return told;
}

/** Images of each step of the first epoch. */
const sizes = (events: readonly LearnerEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'step' && event.epoch === 0 ? [event.images] : []));

test('an image that would be alone in its batch joins the one before, in every epoch and after a resume', async () => {
  for (const capture of [true, false]) {
    const images = { cup: pictures(5, 4, 1), pen: pictures(4, 4, 2) };
    const learner = await make({ capture });
    const events = await all(learner.learn(images, { saveEvery: 1 }));
    assert.equal(sizes(events), [4, 5]);
    const steps = events.flatMap((event) => (event.type === 'step' ? [event] : []));
    assert.equal(
      steps.map(({ step, steps }) => [step, steps]),
      [0, 1, 0, 1, 0, 1].map((step) => [step, 2]),
    );
    for (const event of events) if (event.type === 'epoch') assert.equal([event.steps, event.images], [2, 9]);
    const [, second] = events.filter(({ type }) => type === 'progress');
    const again = await make({ capture });
    assert.ok(second?.type === 'progress');
    assert.equal(sizes(await all(again.learn(images, { resume: second.bytes }))), [], 'the first epoch is done');
    assert.equal(await again.save(), await learner.save());
    for (const one of [learner, again]) one.dispose();
  }
  const learner = await make();
  assert.equal(sizes(await all(learner.learn({ cup: pictures(3, 4, 1), pen: pictures(2, 4, 2) }))), [5]);
  learner.dispose();
});

test('where maps stay larger, or nothing is normalised over a batch, it is a batch of its own', async () => {
  const larger = await make();
  assert.equal(sizes(await all(larger.learn({ cup: pictures(5, 8, 1), pen: pictures(4, 8, 2) }))), [4, 4, 1]);
  larger.dispose();

  class Pixels extends Module {
    readonly featureSize = 16;
    readonly dropout: Dropout;
    calls = 0;
    constructor() {
      super(engine);
      this.dropout = new Dropout(engine, 0.5);
    }
    forward(x: Tensor): Tensor {
      this.calls++;
      return this.dropout.forward(x.reshape([x.shape[0] as number, 16]));
    }
  }
  const made: Pixels[] = [];
  const backbone = () => {
    made.push(new Pixels());
    return made.at(-1) as Pixels;
  };
  const own = await make({ model: defineNetwork({ name: 'pixels', backbone }), capture: false, epochs: 1 });
  assert.equal(sizes(await all(own.learn({ cup: pictures(3, 4, 1), pen: pictures(2, 4, 2) }))), [4, 1]);
  assert.equal(
    made.map(({ calls }) => calls),
    [2],
    'it is not asked without need',
  );
  own.dispose();
});

test('one image in all, and batches of one, are refused before the first step', async () => {
  const learner = await make();
  const before = engine.memory().liveBuffers;
  const alone = await refusal(all(learner.learn({ cup: pictures(1, 4, 1) })));
  assert.instance(alone, ConfigError);
  assert.match(alone.message, /^task 1: there is one image, .*one pixel.*Give two images/s);
  assert.equal([learner.tasksDone, engine.memory().liveBuffers], [0, before]);
  learner.dispose();
  const single = await make({ batch: 1 });
  const each = await refusal(all(single.learn({ cup: pictures(3, 4, 1) })));
  assert.instance(each, ConfigError);
  assert.match(each.message, /batches are of one image.*`batch` \(--batch\) of 2/s);
  assert.equal(sizes(await all(single.learn({ cup: pictures(2, 8, 1) }))), [1, 1]);
  single.dispose();
});

test('what is drawn beside a single image may be joined with it: it is learnt', async () => {
  const learner = await make({ method: ssil, memory: 6 });
  await all(learner.learn({ cup: pictures(4, 4, 1), pen: pictures(4, 4, 2) }));
  assert.equal(sizes(await all(learner.learn({ bag: pictures(1, 4, 3) }))), [1]);
  assert.is(learner.tasksDone, 2);
  learner.dispose();
});

test('compression learns them too', async () => {
  const teacher = createResNet(engine, 'resnet8', { classes: 2, width: 4, inChannels: 1 });
  const compression = new Compression(engine, {
    teacher,
    train: { images: pictures(5, 4, 1), labels: [0, 1, 0, 1, 0] },
    normalization: { mean: [0.3], std: [0.3] },
    settings: { model: 'resnet8', width: 2, epochs: 1, batch: 2, crop: 0 },
  });
  const seen: number[] = [];
  for await (const event of compression.learn({ loss: 'kd' })) {
    if (event.type === 'step') seen.push(event.images);
    if (event.type === 'student') event.student.dispose();
  }
  assert.equal(seen, [2, 3]);
  compression.dispose();
  teacher.dispose();
});

test.run();
