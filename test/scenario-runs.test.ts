/** Whole runs of every scenario: they learn, resume bit-exactly wherever they are stopped, and are refused before they begin. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { plannedImages } from '../src/cli/pace.ts';
import { Benchmark, type SavedRun } from '../src/continual/benchmark/benchmark.ts';
import { type ConfigInput, parseConfig } from '../src/continual/benchmark/config.ts';
import { METHOD_NAMES } from '../src/continual/methods/index.ts';
import { type DatasetSplit, type ImageDataset, subset } from '../src/data/dataset.ts';
import { loadDataset } from '../src/data/load-dataset.ts';
import type { DatasetReader } from '../src/data/reader.ts';
import { EngramError } from '../src/errors.ts';
import { engine } from './support/engine.ts';
import { inFolder } from './support/in-folder.ts';
import { finish, outcome } from './support/run-benchmark.ts';
import { fashion } from './support/small-run.ts';

/** Every image at its centre, 8 pixels wide: quick, and there is no need to tell much by it. */
function centred(dataset: ImageDataset): ImageDataset {
  const { labels, width, height } = dataset;
  const images = new Uint8Array(labels.length * 64);
  for (let i = 0; i < images.length; i++) {
    const [image, row, column] = [i >> 6, (i >> 3) & 7, i & 7];
    images[i] = dataset.images[image * width * height + (row + 3) * width + column + 3] as number;
  }
  return { ...dataset, images, width: 8, height: 8 };
}

const data: DatasetSplit = { train: centred(fashion.train), test: centred(fashion.test) };
/** Domains in turns: of each class as many in each. */
const alternating = (dataset: ImageDataset): ImageDataset => {
  const seen = new Uint8Array(dataset.classes);
  const domains = dataset.labels.slice().map((label) => {
    seen[label]! ^= 1;
    return seen[label]!;
  });
  return { ...dataset, domains, domainNames: ['even', 'odd'] };
};
const twoDomains: DatasetSplit = { train: alternating(data.train), test: alternating(data.test) };

const tiny: ConfigInput = {
  classOrder: [1, 8, 5, 2],
  trainPerClass: 10,
  testPerClass: 4,
  width: 2,
  epochs: 2,
  batch: 8,
  memory: 12,
  lr: 0.05,
  crop: 1,
};

/** Every scenario. */
const scenarios: [name: string, input: ConfigInput, split: DatasetSplit][] = [
  ['from a base half, the memory growing', { increment: 1, baseClasses: 2, memory: 0, memoryPerClass: 2 }, data],
  ['uneven tasks', { taskSizes: [1, 2, 1] }, data],
  ['rotations', { domains: 'rotations', angles: [0, 90, 45] }, data],
  ['permutations', { domains: 'permutations', tasks: 2, crop: 0 }, data],
  ['domains of the data', { domains: 'own' }, twoDomains],
  ['blurry boundaries', { tasks: 2, blurry: 0.3 }, data],
  ['one pass', { tasks: 2, epochs: 1, batch: 4 }, data],
  ['no exemplars', { tasks: 3, memory: 0 }, data],
  ['a memory in bytes', { tasks: 2, memoryBytes: 64 * 10 }, data],
];

type Saved = NonNullable<SavedRun['progress']>;
const make = (input: ConfigInput, split = data) => new Benchmark(engine, split, parseConfig({ ...tiny, ...input }));

for (const [name, input, split] of scenarios) {
  test(`${name}: learns what was planned, and goes on the same after a task and within one`, async () => {
    const before = engine.memory().liveBuffers;
    const run = make({ ...input, method: 'rdkd' }, split);
    const { stream, method, learner } = run;
    const planned = plannedImages({ stream, method, memory: learner.memory, training: learner.training });
    const learnt = new Array<number>(stream.length).fill(0);
    const stops: { checkpoint: Saved; progress: Saved | null }[] = [];
    let checkpoint: Saved = { bytes: await run.save(), where: 'checkpoint' };
    for await (const event of run.run({ saveEvery: 1 })) {
      if (event.type === 'step') learnt[event.task] = (learnt[event.task] as number) + event.images;
      if (event.type === 'task') {
        checkpoint = { bytes: await run.save(), where: 'checkpoint' };
        stops.push({ checkpoint, progress: null });
      }
      if (event.type === 'progress') stops.push({ checkpoint, progress: { bytes: event.bytes, where: 'progress' } });
    }
    assert.equal(learnt, planned);
    assert.is(run.config.tasks, stream.length, 'what the settings made is recorded');
    assert.equal(run.learner.taskSizes, run.scenario.newSizes);
    assert.equal(
      run.learner.classes,
      [1, 8, 5, 2].map((label) => split.train.classNames?.[label]),
    );
    const end = await outcome(run);
    run.dispose();
    // After the last task but one, and in the middle of the last; by what was recorded, as a folder's configuration is.
    for (const saved of stops.slice(-4, -2)) {
      const again = new Benchmark(engine, split, parseConfig(run.config));
      await again.resume(saved);
      await finish(again.run());
      assert.equal(await outcome(again), end);
      again.dispose();
    }
    assert.is(engine.memory().liveBuffers, before);
  });
}

for (const method of METHOD_NAMES) {
  test(`${method} runs where no class is new after the first task`, async () => {
    const run = make({ domains: 'rotations', tasks: 2, trainPerClass: 4, epochs: 1, method });
    await finish(run.run());
    assert.equal(
      run.matrix.map((row) => row.length),
      [1, 2],
    );
    assert.equal(run.learner.taskSizes, [4]);
    run.dispose();
  });
}

/** `train.json` and `test.json`: an image each, its class, its domain and its pixels in a row. */
const reader: DatasetReader = {
  format: 'train.json and test.json',
  async read(source, name) {
    const part = async (file: string): Promise<ImageDataset> => {
      const rows: [label: number, domain: number, pixels: number[]][] = JSON.parse(
        new TextDecoder().decode(await source.read(file)),
      );
      return {
        name,
        images: Uint8Array.from(rows.flatMap(([, , pixels]) => pixels)),
        labels: Uint8Array.from(rows, ([label]) => label),
        domains: Uint8Array.from(rows, ([, domain]) => domain),
        domainNames: ['day', 'night'],
        height: 8,
        width: 8,
        channels: 1,
        classes: 2,
      };
    };
    return { train: await part('train.json'), test: await part('test.json') };
  },
};

test('a reader’s own domains are learnt one after the other', () =>
  inFolder(async (folder) => {
    const row = (label: number, domain: number, i: number) => [
      label,
      domain,
      Array.from({ length: 64 }, (_, at) => (at * (label + 2) + 100 * domain + i) % 256),
    ];
    const rows = (each: number) => Array.from({ length: 4 * each }, (_, i) => row(i % 2, Math.floor(i / 2) % 2, i));
    await writeFile(join(folder, 'train.json'), JSON.stringify(rows(6)));
    await writeFile(join(folder, 'test.json'), JSON.stringify(rows(2)));
    const split = await loadDataset(folder, { readers: [reader] });
    const input: ConfigInput = { ...tiny, classOrder: [1, 0], trainPerClass: 0, testPerClass: 0, domains: 'own' };
    const run = new Benchmark(engine, split, parseConfig(input));
    const images: number[] = [];
    for await (const event of run.run()) if (event.type === 'epoch' && event.epoch === 0) images.push(event.images);
    assert.equal(images, [12, 12 + 12], 'twelve of a domain, and then the exemplars besides');
    run.dispose();
    const dark = { ...split, test: subset(split.test, [0, 1, 4, 5]) };
    assert.throws(
      () => new Benchmark(engine, dark, parseConfig(input)),
      /class 1 has no images in night; every domain needs training and test images of every class/,
    );
  }));

/** What a run says before its first step, but that most classes are left out. */
async function noticesOf(input: ConfigInput): Promise<string> {
  const run = make(input);
  const told: string[] = [];
  for await (const event of run.run()) {
    if (event.type !== 'notice') break;
    if (!/classes are learnt: the class order leaves out/.test(event.message)) told.push(event.message);
  }
  run.dispose();
  return told.join('\n');
}

test('what a scenario leaves without effect is said before the run', async () => {
  const groups = 'all old logits are one group, so that distillation over groups of them is the usual one';
  const alignment = 'alignment leaves the weights as they are';
  for (const [input, ...told] of [
    [{}, groups, alignment],
    [{ align: false }, groups],
    [{ method: 'kd' }, alignment],
    [{ method: 'replay' }, alignment],
    [{ method: 'icarl', tasks: 2, domains: undefined, blurry: 0.2, distill: 'dense' }, groups],
  ] as const) {
    const notice = await noticesOf({ domains: 'rotations', ...input });
    assert.is(notice, `No class is new after the first task: ${told.join(', and ')}.`, JSON.stringify(input));
  }
  assert.is(await noticesOf({ domains: 'rotations', method: 'icarl' }), '', 'it uses neither');
  const permuted = { domains: 'permutations', method: 'replay', align: false } as const;
  assert.match(await noticesOf(permuted), /^Random crops move pixels/);
  assert.is(await noticesOf({ ...permuted, crop: 0 }), '');
  assert.is(await noticesOf({ tasks: 2 }), '');
});

test('what cannot work is refused before the first step, and leaves nothing on the device', () => {
  const refused = (input: ConfigInput, expected: RegExp) => {
    const before = engine.memory().liveBuffers;
    assert.throws(
      () => make({ tasks: 2, ...input }),
      (error: Error) => error instanceof EngramError && expected.test(error.message),
      `${JSON.stringify(input)}: ${expected}`,
    );
    assert.is(engine.memory().liveBuffers, before);
  };
  for (const method of ['replay', 'icarl', 'bic', 'podnet', 'der'])
    refused(
      { method, memory: 0 },
      new RegExp(
        `^memory: the method "${method}" needs exemplars, and there is room for none.*\`memory: 200\` \\(--memory 200\\)`,
      ),
    );
  refused({ memory: 0, weighting: 'adaptive' }, /^weighting: .*'adaptive' compares .*none are kept/);
  refused({ memory: 0, selection: 'reservoir', method: 'replay' }, /there is room for none/);
  refused(
    { memoryBytes: 64 * 3 },
    /^memory: 192 bytes are too few for 4 classes: .* of 64 bytes\. Use `memoryBytes: 256` \(--memory-bytes 256\)/,
  );
  refused({ memoryBytes: 63, selection: 'reservoir' }, /63 bytes are too few for 1 classes/);
  refused({ memoryBytes: 640, memoryPerClass: 2 }, /its size is given twice: 640 bytes, and 2 exemplars a class/);
  refused({ classOrder: [1, 1] }, /^class order: class 1 appears twice/);
  refused({ baseClasses: 5 }, /the first task is to have 5 classes, but there are only 4/);
  refused({ domains: 'own' }, /the data do not say which domain an image is of/);
  refused({ blurry: 0.04, tasks: 2 }, /a share of 0\.04 leaves no image of class .* for the first task/);
  refused({ blurry: 0.97, tasks: 2 }, /a share of 0\.97 leaves class .* no image for its own task/);
  refused({ domains: 'rotations', method: 'rdkd', groups: 2 }, /2 groups are to be drawn.*has 1/);
});

test.run();
