/** The README's method of one's own: its loss against its definition, its phases, and a learner that learns by it. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ContinualLearner, type MethodBatch, type Phase, type Task } from '../src/entries/continual.ts';
import { gradcheck } from '../src/entries/testing.ts';
import { ConfigError, imagesByClass, type ResNet, type Tensor } from '../src/index.ts';
import { lessForget } from './examples/own-method.ts';
import { engine, uniform } from './support/engine.ts';
import { refusal } from './support/refusal.ts';
import { fashion } from './support/small-run.ts';

const [IMAGES, FEATURES, CLASSES] = [6, 5, 4];

/** Its phases in a task of two old classes and two new ones. */
const phasesOf = (task: Partial<Task>): Phase<ResNet>[] => [
  ...(lessForget.learn({
    settings: { directionWeight: 3, balancedEpochs: 2 },
    model: { fc: 'fc' },
    fresh: [],
    exemplars: [],
    labels: new Int32Array(),
    oldClasses: 2,
    newClasses: 2,
    ...task,
  } as unknown as Parameters<typeof lessForget.learn>[0]) as Iterable<Phase<ResNet>>),
];

/** CE + λ·mean(1 − cos), from their definitions. */
function loss64(
  logits: Float64Array,
  features: Float64Array,
  old: Float64Array,
  targets: readonly number[],
  weight: number,
) {
  let total = 0;
  for (let i = 0; i < IMAGES; i++) {
    const row = logits.subarray(i * CLASSES, (i + 1) * CLASSES);
    total += Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0)) - row[targets[i]!]!;
    const [a, b] = [features, old].map((all) => all.subarray(i * FEATURES, (i + 1) * FEATURES)) as [
      Float64Array,
      Float64Array,
    ];
    const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, at) => sum + value * y[at]!, 0);
    total += weight * (1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)));
  }
  return Float64Array.of(total / IMAGES);
}

test('its loss is cross entropy and the direction of the features, with their gradients', async () => {
  const targets = [0, 1, 2, 3, 3, 0];
  const inputs = [
    engine.tensor(uniform(IMAGES * CLASSES, 1), [IMAGES, CLASSES]),
    engine.tensor(uniform(IMAGES * FEATURES, 2), [IMAGES, FEATURES]),
    engine.tensor(uniform(IMAGES * FEATURES, 3), [IMAGES, FEATURES]),
  ];
  const right = engine.keep(engine.tensor(Int32Array.from(targets)));
  for (const [newClasses, weight] of [
    [2, 3],
    [8, 1.5],
    [0, 3],
  ] as const) {
    const [fit] = phasesOf({ newClasses });
    const loss = (logits: Tensor, features: Tensor, old: Tensor): Tensor =>
      fit!.loss({
        logits,
        targets: right,
        outputs: { features },
        oldOutputs: { features: old },
      } as unknown as MethodBatch<ResNet>);
    await gradcheck(loss, (z, f, o) => loss64(z, f, o, targets, weight), inputs);
  }
});

test('the second phase trains the classifier alone, on as many images of each class', () => {
  const labels = Int32Array.of(0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3);
  const exemplars = [0, 1, 3, 4];
  const fresh = [6, 7, 8, 9, 10, 11];
  const [fit, balance, ...more] = phasesOf({ exemplars, fresh, labels });
  assert.equal(more, []);
  assert.is(fit!.images, undefined, 'all there are');
  assert.equal(balance!.images, [0, 1, 3, 4, 6, 7, 10, 11]);
  assert.is(balance!.parameters, 'fc' as unknown);
  assert.is(balance!.recipe?.epochs, 2);
  assert.is(phasesOf({ fresh, labels, oldClasses: 0 }).length, 1, 'nothing is to be balanced in the first task');
});

test('a learner learns by it, is saved, and goes on by it alone', async () => {
  const create = (directionWeight: number) =>
    ContinualLearner.create(engine, {
      method: lessForget,
      directionWeight,
      balancedEpochs: 1,
      width: 4,
      epochs: 6,
      lr: 0.02,
      batch: 16,
      memory: 12,
      crop: 0,
    });
  const images = (labels: readonly number[]) =>
    [...imagesByClass(fashion.train, labels)].map(
      ([name, { data, height, width, channels }]) =>
        [name, { data: data.subarray(0, 16 * height * width * channels), count: 16, height, width, channels }] as const,
    );
  /** Learns two tasks; the phases seen, and how far the second one turned the features of the first one's images. */
  async function turned(
    directionWeight: number,
  ): Promise<{ learner: ContinualLearner; phases: string[]; cosine: number }> {
    const learner = await create(directionWeight);
    const phases = new Set<string>();
    const batch = engine.keep(
      engine.tensor(
        Float32Array.from(fashion.test.images.subarray(0, 32 * 14 * 14), (x) => x / 255),
        [32, 14, 14, 1],
      ),
    );
    const features: Float32Array[] = [];
    for (const labels of [
      [1, 8],
      [5, 2],
    ]) {
      for await (const event of learner.learn(images(labels)))
        if (event.type === 'epoch') phases.add(`${event.task}.${event.phase}`);
      features.push((await learner.model!.features(batch).data()) as Float32Array);
    }
    batch.dispose();
    const [before, after] = features as [Float32Array, Float32Array];
    const size = before.length / 32;
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    let cosine = 0;
    for (let i = 0; i < 32; i++) {
      const [a, b] = [before, after].map((all) => all.subarray(i * size, (i + 1) * size)) as [
        Float32Array,
        Float32Array,
      ];
      cosine += dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)) / 32;
    }
    return { learner, phases: [...phases], cosine };
  }

  const [free, held] = [await turned(0), await turned(10)];
  assert.equal(held.phases, ['0.0', '1.0', '1.1']);
  assert.ok(held.cosine > free.cosine + 0.01, `held ${held.cosine}, free ${free.cosine}`);
  const saved = await held.learner.save();
  for (const { learner } of [free, held]) learner.dispose();
  const named = (name: string) => (name === lessForget.name ? lessForget : undefined);
  for (const method of [lessForget, named]) {
    const again = await ContinualLearner.load(engine, saved, { method });
    assert.is(again.methodSettings.directionWeight, 10);
    assert.equal([again.classes.length, again.exemplars.length, again.tasksDone], [4, 12, 2]);
    again.dispose();
  }
  const none = await refusal(ContinualLearner.load(engine, saved, { method: () => undefined }));
  assert.match(none.message, /"less-forget", which learners do not know by name/);
  assert.instance(await refusal(create(-1)), ConfigError);
  assert.match((await refusal(create(-1))).message, /"directionWeight" does not fit: .* at least 0, received -1/);
  assert.match((await refusal(ContinualLearner.load(engine, saved))).message, /less-forget/);
});

test('it imports what the package exports, and nothing else', () => {
  const text = readFileSync('test/examples/own-method.ts', 'utf8');
  assert.equal(
    [...text.matchAll(/from '(.*)'/g)].map(([, from]) => from),
    ['../../src/entries/continual.ts', '../../src/index.ts'],
  );
});

test.run();
