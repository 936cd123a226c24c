/** Published methods on the learner's seam: each learns, is saved and loaded, and is gone on with inside any phase, bit for bit. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClassImages } from '../src/continual/class-images.ts';
import { ContinualLearner } from '../src/continual/learner.ts';
import type { LearnOptions } from '../src/continual/learner-types.ts';
import { type AnyMethod, defineMethod, type LinearModel } from '../src/continual/method.ts';
import { bic } from '../src/continual/methods/bic.ts';
import { der } from '../src/continual/methods/der.ts';
import { derpp } from '../src/continual/methods/derpp.ts';
import { foster } from '../src/continual/methods/foster.ts';
import { icarl } from '../src/continual/methods/icarl.ts';
import { lucir } from '../src/continual/methods/lucir.ts';
import { lwf } from '../src/continual/methods/lwf.ts';
import { podnet } from '../src/continual/methods/podnet.ts';
import { ssil } from '../src/continual/methods/ssil.ts';
import { wa } from '../src/continual/methods/wa.ts';
import { proxyNCALoss } from '../src/continual/rules/proxy-nca.ts';
import type { ImageBytes } from '../src/data/image-bytes.ts';
import { imagesByClass } from '../src/data/images-by-class.ts';
import type { Tensor } from '../src/index.ts';
import { engine } from './support/engine.ts';
import { methodsHere } from './support/methods-here.ts';
import { cosine, rowsOf } from './support/rows.ts';
import { fashion } from './support/small-run.ts';

function some(label: number, count: number): ImageBytes {
  const [all] = [...imagesByClass(fashion.train, [label]).values()] as [ImageBytes];
  const bytes = all.data.length / all.count;
  return { ...all, data: all.data.slice(0, count * bytes), count };
}

const tasks: readonly ClassImages[] = [
  { trousers: some(1, 20), sandals: some(5, 20) },
  { shirt: some(6, 20), bag: some(8, 20) },
  { boots: some(9, 20) },
];

const settings = { width: 4, epochs: 2, batch: 16, memory: 24, lr: 0.05, crop: 1 };
/** What is the method's own. */
const own: Record<string, object> = {
  podnet: { balancedEpochs: 2, proxies: 3, imprint: true },
  bic: { correctionEpochs: 2 },
  ssil: { distill: 'random' },
  derpp: { memoryBatch: 5 },
  wa: { positiveWeights: true },
  der: { classifierEpochs: 2 },
};

async function learn(learner: ContinualLearner, images: ClassImages, options?: LearnOptions): Promise<void> {
  for await (const event of learner.learn(images, options)) void event;
}

/** Phases of the second task. */
const phases: readonly (readonly [method: AnyMethod, phases: number])[] = [
  [lwf, 1],
  [icarl, 1],
  [bic, 2],
  [lucir, 1],
  [wa, 1],
  [podnet, 2],
  [der, 2],
  [ssil, 1],
  [derpp, 1],
  [foster, 2],
];

for (const [method, expected] of phases) {
  if (!methodsHere.some((name) => name === method.name)) continue;
  test(`${method.name}: three tasks, saved and loaded between them, resumed after every epoch of every phase`, async () => {
    const live = engine.memory().liveBuffers;
    const learner = await ContinualLearner.create(engine, { ...settings, ...own[method.name], method });
    await learn(learner, tasks[0] as ClassImages);
    const first = await learner.save();
    const progress: { phase: number; bytes: Uint8Array }[] = [];
    for await (const event of learner.learn(tasks[1] as ClassImages, { saveEvery: 1 }))
      if (event.type === 'progress') progress.push(event);
    assert.is(new Set(progress.map(({ phase }) => phase)).size, expected);
    const second = await learner.save();
    for (const { bytes } of progress) {
      const resumed = await ContinualLearner.load(engine, first, { method });
      await learn(resumed, tasks[1] as ClassImages, { resume: bytes });
      assert.equal(await resumed.save(), second);
      resumed.dispose();
    }
    const loaded = await ContinualLearner.load(engine, second, { method });
    await learn(learner, tasks[2] as ClassImages);
    await learn(loaded, tasks[2] as ClassImages);
    assert.equal(await loaded.save(), await learner.save());
    assert.equal(learner.taskSizes, [2, 2, 1]);
    const [{ label, probability } = { label: '', probability: 0 }, ...others] = await learner.predict(some(9, 1));
    assert.ok(learner.classes.includes(label));
    assert.ok(others.every((one) => one.probability <= probability));
    // Known classes alone: no phase and no part of the model is there for new ones.
    await learn(loaded, { bag: some(8, 12) });
    assert.equal(loaded.taskSizes, [2, 2, 1]);
    for (const one of [learner, loaded]) one.dispose();
    assert.is(engine.memory().liveBuffers, live);
  });
}

test('der keeps what older extractors are, and trains the newest alone', async () => {
  const learner = await ContinualLearner.create(engine, { ...settings, method: der });
  const weightsOf = async (index: number): Promise<number[]> => {
    const name = `extractors.${index}.conv1.weight`;
    const found = [...(learner.model?.namedTensors() ?? [])].find((one) => one.name === name);
    return [...((await found?.tensor.data()) ?? [])];
  };
  await learn(learner, tasks[0] as ClassImages);
  const before = await weightsOf(0);
  assert.ok(before.length > 0);
  await learn(learner, tasks[1] as ClassImages);
  assert.equal(await weightsOf(0), before);
  assert.not.equal(await weightsOf(1), before);
  // Frozen modules stay so when the model around them is trained.
  learner.model?.train();
  const modules = [...(learner.model?.namedModules() ?? [])].filter(([path]) => path.startsWith('extractors.0'));
  assert.ok(modules.length > 0 && modules.every(([, module]) => !module.training));
  assert.equal(learner.model?.featureSize, 2 * 16);
  learner.dispose();
});

test('bic corrects the newest task alone, and teaches with what it corrected', async () => {
  const learner = await ContinualLearner.create(engine, { ...settings, ...own.bic, method: bic });
  await learn(learner, tasks[0] as ClassImages);
  let notes: Readonly<Record<string, number>> = {};
  for await (const event of learner.learn(tasks[1] as ClassImages)) if (event.type === 'task') notes = event.notes;
  assert.ok(Number.isFinite(notes.alpha) && notes.alpha !== 1);
  const read = async (name: string) =>
    [...((await [...(learner.model?.namedTensors() ?? [])].find((one) => one.name === name)?.tensor.data()) ?? [])][0];
  const alpha = await read('correction.alpha.0');
  assert.is(1 + (alpha ?? Number.NaN), notes.alpha);
  await learn(learner, tasks[2] as ClassImages);
  assert.is(await read('correction.alpha.0'), alpha, 'that of an older task stays');
  assert.ok(Number.isFinite(await read('correction.alpha.1')));
  learner.dispose();
});

test('the scale of proxies is not what a margin can be bought with: podnet learns from its first steps on', async () => {
  const scores = engine.tensor([
    [0.1, 0.2, -0.1],
    [0.3, 0.1, 0.2],
  ]);
  const targets = engine.tensor(Int32Array.of(1, 0));
  const slope = async (detachMargin: boolean): Promise<[number, number]> => {
    const scale = engine.tensor([2]);
    scale.requiresGrad = true;
    const loss = proxyNCALoss(scores, targets, { scale, margin: 0.6, detachMargin });
    loss.backward();
    return [await loss.item(), (await scale.grad?.data())?.[0] ?? Number.NaN];
  };
  const [[value, published], [same, held]] = [await slope(false), await slope(true)];
  assert.ok(Math.abs(value - same) < 1e-6);
  assert.ok(Math.abs(published - held - 0.6) < 1e-6, `${published} and ${held}`);

  const learner = await ContinualLearner.create(engine, { ...settings, epochs: 6, method: podnet });
  await learn(learner, tasks[0] as ClassImages);
  const named = [...(learner.model?.namedTensors() ?? [])].find(({ name }) => name === 'classifier.scale');
  const [scale = Number.NaN] = [...((await named?.tensor.data()) ?? [])];
  assert.ok(scale > 0.5, `the scale is ${scale}`);
  const { accuracy } = await learner.evaluate(tasks[0] as ClassImages);
  assert.ok(accuracy > 75, `${accuracy} % of two classes`);
  learner.dispose();
});

test('bic corrects nothing where no image of an old class can be held out', async () => {
  const learner = await ContinualLearner.create(engine, { ...settings, ...own.bic, memoryPerClass: 1, method: bic });
  await learn(learner, tasks[0] as ClassImages);
  const phases = new Set<number>();
  for await (const event of learner.learn(tasks[1] as ClassImages)) {
    if (event.type === 'step') phases.add(event.phase);
    if (event.type === 'epoch') assert.is(event.images, 42, 'all are learnt from');
  }
  assert.is(phases.size, 1, 'images of new classes alone would raise their bias');
  learner.dispose();
});

test('podnet holds old proxies still in both phases, and none where none are new', async () => {
  const trained: boolean[][] = [];
  const watched = defineMethod({
    ...podnet,
    name: 'watched',
    async *learn(task) {
      for await (const phase of podnet.learn(task)) {
        trained.push(task.model.classifier.weights.map((one) => one.requiresGrad));
        yield phase;
      }
      assert.ok(task.model.classifier.weights.every((one) => one.requiresGrad));
    },
  });
  const learner = await ContinualLearner.create(engine, { ...settings, ...own.podnet, method: watched });
  for (const images of [tasks[0] as ClassImages, tasks[2] as ClassImages, { boots: some(9, 8) }])
    await learn(learner, images);
  assert.equal(trained, [[true], [false, true], [false, true], [true, true], [true, true]]);
  learner.dispose();
});

test('podnet takes new proxies from what the old model makes of the new images, or at random', async () => {
  const first = async (imprint: boolean) => {
    const cosines: number[] = [];
    const watched = defineMethod({
      ...podnet,
      name: 'watched',
      async *learn(task) {
        for await (const phase of podnet.learn(task)) {
          if (phase.name === undefined && task.old) {
            const { featureSize, classifier } = task.model;
            const columns = classifier.weights.at(-1) as Tensor;
            const proxies = rowsOf(await engine.scope(() => columns.transpose()).data(), featureSize);
            const features = rowsOf(await task.features(task.old, task.fresh), featureSize);
            for (const [k, proxy] of proxies.entries()) {
              const label = task.oldClasses + Math.floor(k / classifier.proxies);
              const own = features.filter((_, i) => task.labels[task.fresh[i] as number] === label);
              cosines.push(Math.max(...own.map((feature) => cosine(feature, proxy))));
            }
          }
          yield phase;
        }
      },
    });
    const learner = await ContinualLearner.create(engine, { ...settings, ...own.podnet, imprint, method: watched });
    for (const images of tasks.slice(0, 2)) await learn(learner, images);
    learner.dispose();
    return cosines;
  };
  const [imprinted, drawn] = [await first(true), await first(false)];
  assert.is(imprinted.length, 6);
  assert.ok(Math.min(...imprinted) > 0.9, `${imprinted}`);
  assert.ok(Math.max(...drawn) < 0.9, `${drawn}`);
});

test('wa holds the weights of its classifier at 0 or above where it is told to', async () => {
  const leastOf = async (positiveWeights: boolean) => {
    const learner = await ContinualLearner.create(engine, { ...settings, method: wa, positiveWeights });
    const least: number[] = [];
    for (const images of tasks.slice(0, 2)) {
      await learn(learner, images);
      const weights = (await (learner.model as LinearModel).fc.weight.data()) as Float32Array;
      assert.ok(Math.max(...weights) > 0);
      least.push(Math.min(...weights));
    }
    learner.dispose();
    return least;
  };
  assert.equal(await leastOf(true), [0, 0]);
  assert.ok((await leastOf(false)).every((least) => least < 0));
});

test('der learns its classifier anew on as many images of every class, or aligns it', async () => {
  const learnt = async (classifierEpochs: number) => {
    const learner = await ContinualLearner.create(engine, { ...settings, method: der, classifierEpochs });
    await learn(learner, tasks[0] as ClassImages);
    const epochs: [phase: number, images: number][] = [];
    let isAligned = false;
    for await (const event of learner.learn(tasks[1] as ClassImages)) {
      if (event.type === 'epoch') epochs.push([event.phase, event.images]);
      if (event.type === 'task') isAligned = 'gamma' in event.notes;
    }
    const values = new Map<string, readonly number[]>();
    for (const { name, tensor } of learner.model?.namedTensors() ?? []) values.set(name, [...(await tensor.data())]);
    learner.dispose();
    return { epochs, isAligned, values };
  };
  const [anew, aligned] = [await learnt(3), await learnt(0)];
  const joint: [number, number][] = [
    [0, 64],
    [0, 64],
  ];
  // Twelve exemplars of each old class.
  assert.equal(anew.epochs, [...joint, [1, 48], [1, 48], [1, 48]]);
  assert.equal(aligned.epochs, joint);
  assert.equal([anew.isAligned, aligned.isAligned], [false, true]);
  for (const [name, values] of anew.values) {
    const isSame = JSON.stringify(values) === JSON.stringify(aligned.values.get(name));
    assert.is(isSame, !name.startsWith('fc.'), name);
  }
});

/** What a learner that knows two classes says before it learns these. */
async function noticesOf(method: AnyMethod, changes: object, images: ClassImages): Promise<string[]> {
  const learner = await ContinualLearner.create(engine, { ...settings, epochs: 1, method, ...changes });
  const notices: string[] = [];
  await learn(learner, tasks[0] as ClassImages);
  for await (const event of learner.learn(images)) if (event.type === 'notice') notices.push(event.message);
  learner.dispose();
  return notices;
}

test('what tells new classes from each other alone says that it learns no single one', async () => {
  for (const method of [lwf, ssil]) {
    const [notice = '', ...more] = await noticesOf(method, {}, tasks[2] as ClassImages);
    assert.match(notice, /single one it learns nothing that tells it from old ones/);
    assert.equal(more, []);
    assert.equal(await noticesOf(method, {}, tasks[1] as ClassImages), []);
  }
});

test('podnet says that its loss is not smoothed', async () => {
  const [notice = ''] = await noticesOf(podnet, { ...own.podnet, labelSmoothing: 0.1 }, tasks[1] as ClassImages);
  assert.match(notice, /`labelSmoothing` \(--label-smoothing\) changes nothing/);
  assert.equal(await noticesOf(podnet, own.podnet as object, tasks[1] as ClassImages), []);
});

test('icarl says that a reservoir may leave a class without a mean', async () => {
  const said = (changes: object) => noticesOf(icarl, changes, tasks[2] as ClassImages);
  const [notice = ''] = await said({ selection: 'reservoir' });
  assert.match(notice, /class without exemplars.*never predicted/);
  assert.equal(await said({ selection: 'reservoir', memoryPerClass: 2 }), []);
  assert.equal(await said({}), []);
});

test.run();
