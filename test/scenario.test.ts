/** Which classes and which images come when: dealt out, ordered, blurred, rotated, permuted, or as the data's domains are. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../src/continual/benchmark/config.ts';
import { permutedImages, rotatedImages } from '../src/continual/benchmark/domain-images.ts';
import { numpyOrder } from '../src/continual/benchmark/numpy-order.ts';
import { Scenario, type ScenarioOptions } from '../src/continual/benchmark/scenario.ts';
import { TaskStream } from '../src/continual/benchmark/task-stream.ts';
import type { DatasetSplit, ImageDataset } from '../src/data/dataset.ts';
import type { ImageBytes } from '../src/data/image-bytes.ts';
import { ConfigError, DataError, type EngramError } from '../src/errors.ts';

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const sizes = (options: Omit<ScenarioOptions, 'classes'>, classes = 100): number[] =>
  new Scenario({ classes, ...options }).taskSizes;

const refused = (run: () => unknown, expected: RegExp, kind: new (...a: never[]) => EngramError = ConfigError): void =>
  assert.throws(run, (error: Error) => {
    assert.instance(error, kind, String(error));
    assert.match(error.message, expected);
    return true;
  });
const noScenario = (options: Omit<ScenarioOptions, 'classes'>, expected: RegExp, classes = 100): void =>
  refused(() => new Scenario({ classes, ...options }), expected);

test('classes are dealt out evenly, by increments after a base, or as told', () => {
  assert.equal(sizes({}, 12), [3, 3, 2, 2, 2], 'five tasks where nothing says how many');
  assert.equal(sizes({ tasks: 10 }), Array(10).fill(10));
  assert.equal(sizes({ increment: 10 }), Array(10).fill(10));
  assert.equal(sizes({ increment: 10, baseClasses: 50 }), [50, 10, 10, 10, 10, 10]);
  assert.equal(sizes({ increment: 20, baseClasses: 50 }), [50, 20, 20, 10], 'the last has what is left');
  assert.equal(sizes({ increment: 200 }), [100]);
  assert.equal(sizes({ increment: 5, baseClasses: 100 }), [100]);
  assert.equal(sizes({ tasks: 6, baseClasses: 50 }), [50, 10, 10, 10, 10, 10]);
  assert.equal(sizes({ tasks: 6, increment: 10, baseClasses: 50 }).length, 6, 'said twice, and the same');
  const uneven = new Scenario({ classes: 10, taskSizes: [4, 1, 3], classSeed: -1 });
  assert.equal(uneven.tasks, [[0, 1, 2, 3], [4], [5, 6, 7]]);
  assert.equal([...uneven.logitOf], [0, 1, 2, 3, 4, 5, 6, 7, -1, -1], 'the others never arrive');
  assert.equal([...uneven.taskOfLogit], [0, 0, 0, 0, 1, 2, 2, 2]);
  assert.equal(
    [-1, 0, 1, 2].map((task) => uneven.classesAfter(task)),
    [0, 4, 5, 8],
  );
});

test('what cannot be dealt out, or is said twice and otherwise, is refused', () => {
  noScenario(
    { baseClasses: 120 },
    /the first task is to have 120 classes, but there are only 100.*`baseClasses: 100` \(--base-classes 100\)/,
  );
  noScenario({ baseClasses: 120, increment: 10 }, /first task is to have 120 classes, but there are only 100/);
  noScenario({ tasks: 101 }, /100 classes cannot be dealt out to 101 tasks/);
  noScenario({ tasks: 5, baseClasses: 98 }, /cannot be dealt out to 5 tasks of which the first has 98/);
  noScenario({ tasks: 5, increment: 10 }, /increments of 10 make 10 tasks of 100 classes, but 5 are asked for/);
  noScenario({ increment: 0 }, /cannot bring 0 classes each/);
  noScenario({ taskSizes: [60, 50] }, /tasks of \[60, 50\] classes need 110, but there are only 100/);
  noScenario({ taskSizes: [6, 0] }, /\[6, 0\] are no sizes of tasks/);
  noScenario({ taskSizes: [] }, /\[\] are no sizes/);
  noScenario({ taskSizes: [6, 2], tasks: 3 }, /the sizes of tasks make 2 tasks of 100 classes, but 3 are asked for/);
  noScenario({ taskSizes: [6, 2], increment: 2 }, /sizes are given one by one, and an increment besides/);
  noScenario({ taskSizes: [6, 2], baseClasses: 6 }, /sizes are given one by one, and the first one besides/);
});

test('NumPy’s orders are its own, number by number', () => {
  // RandomState(seed).permutation(count) of NumPy.
  const known: [seed: number, order: number[]][] = [
    [0, [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]],
    [1, [2, 9, 6, 4, 0, 3, 1, 7, 8, 5]],
    [42, [0, 1, 5, 2, 4, 3, 6]],
    [4294967295, [11, 8, 5, 9, 1, 10, 6, 0, 4, 7, 2, 3]],
    [5, [0]],
  ];
  for (const [seed, order] of known) assert.equal(numpyOrder(order.length, seed), order, `seed ${seed}`);
  const published = new Scenario({ classes: 100, classOrder: 'numpy:1993' }).classOrder;
  assert.equal(
    published.slice(0, 30).join(' '),
    '68 56 78 8 23 84 90 65 74 76 40 89 3 92 55 9 26 80 43 38 58 70 77 1 85 19 17 50 28 53',
  );
  assert.equal(published.slice(-6), [39, 67, 29, 49, 57, 33]);
  // Beyond 624 words the twister is renewed, and beyond 2^16 masks are wider.
  assert.is(
    numpyOrder(70000, 42).reduce((hash, n) => (hash * 31 + n) % 1000003, 7),
    471289,
  );
});

test('an order that is none is refused', () => {
  noScenario({ classOrder: [3, 1, 3] }, /^class order: class 3 appears twice or is not in the data/);
  noScenario({ classOrder: [0, 100] }, /^class order: class 100 appears twice or is not in the data.*0 to 99/);
  noScenario({ classOrder: [0, 1.5] }, /class 1\.5 /);
  noScenario({ classOrder: 'numpy:4294967296' }, /"numpy:4294967296" is no order/);
  noScenario({ classOrder: 'orders.txt' }, /"orders\.txt" is no order.*numpy:1993/);
  for (const classOrder of ['numpy', 'numpy:-1', 'numpy:4294967296', 'orders.txt', [1, -1]])
    refused(
      () => parseConfig({ classOrder }),
      /"classOrder" does not fit: expected a list of whole numbers.*numpy:SEED/,
    );
});

test('scenarios that do not go together are refused', () => {
  for (const [options, flag] of [
    [{ increment: 2 }, '--increment'],
    [{ baseClasses: 2 }, '--base-classes'],
    [{ taskSizes: [2] }, '--task-sizes'],
    [{ blurry: 0.1 }, '--blurry'],
  ] as const)
    noScenario(
      { domains: 'rotations', ...options },
      new RegExp(`all classes in a domain of its own; \`\\w+\` \\(${flag}\\) would mean`),
    );
  noScenario({ angles: [0, 90] }, /angles are those of rotated domains/);
  noScenario({ domains: 'permutations', angles: [0, 90] }, /angles are those of rotated domains/);
  noScenario({ domains: 'rotations', angles: [] }, /there are no angles/);
  noScenario({ domains: 'rotations', angles: [0, 90], tasks: 3 }, /there are 2 angles, but 3 tasks are asked for/);
  noScenario({ domains: 'own' }, /do not say which domain an image is of.*a reader that gives `domains`/);
  noScenario({ domains: 'own', ownDomains: 2, tasks: 3 }, /there are 2 domains in the data, but 3 tasks/);
  noScenario({ blurry: 1 }, /a share of 1 cannot come with other tasks/);
  noScenario({ blurry: 0.1, tasks: 1 }, /there is one task, and none its boundaries could be blurred with/);
});

test('where every task brings all classes, a learner counts them once', () => {
  const rotated = new Scenario({ classes: 4, domains: 'rotations', tasks: 3, classSeed: -1 });
  assert.equal(rotated.tasks, Array(3).fill([0, 1, 2, 3]));
  assert.equal(rotated.angles, [0, 60, 120]);
  assert.equal(new Scenario({ classes: 4, domains: 'rotations', angles: [0, -45] }).angles, [0, -45]);
  assert.equal([rotated.newSizes, rotated.classesAfter(-1), rotated.classesAfter(0)], [[4], 0, 4]);
  assert.equal([...rotated.taskOfLogit], [0, 0, 0, 0]);
  const blurred = new Scenario({ classes: 4, tasks: 2, blurry: 0.2, classSeed: -1 });
  assert.equal([blurred.taskSizes, blurred.newSizes, blurred.classesAfter(0)], [[2, 2], [4], 4]);
  assert.equal([...blurred.taskOfLogit], [0, 0, 1, 1]);
});

/** Images of one row of pixels that say which image they are, `each` of every class, one class after the other in turns. */
function numbered(classes: number, each: number, more: Partial<ImageDataset> = {}): ImageDataset {
  const count = classes * each;
  return {
    name: 'numbered',
    images: Uint8Array.from(range(0, count).flatMap((i) => [i % 256, i >> 8])),
    labels: Uint8Array.from(range(0, count), (i) => i % classes),
    height: 1,
    width: 2,
    channels: 1,
    classes,
    ...more,
  };
}
const numbersOf = ({ data }: ImageBytes): number[] =>
  range(0, data.length / 2).map((i) => (data[2 * i] as number) + 256 * (data[2 * i + 1] as number));
const stream = (input: object, split: DatasetSplit) => TaskStream.of(parseConfig(input), split);

test('blurry boundaries: every image comes once, a share of each class with the other tasks, as many with each', () => {
  const split = { train: numbered(6, 100), test: numbered(6, 5) };
  const config = { tasks: 3, blurry: 0.25, classOrder: [5, 0, 3, 1, 4, 2] };
  const blurred = stream(config, split);
  const seen: number[] = [];
  for (const task of [0, 1, 2]) {
    const train = blurred.train(task);
    assert.equal([...train.keys()], ['5', '0', '3', '1', '4', '2'], 'the logits are in the class order');
    for (const [name, images] of train) {
      const numbers = numbersOf(images);
      assert.ok(numbers.every((n) => n % 6 === Number(name)));
      const isMajor = blurred.scenario.tasks[task]?.includes(Number(name));
      // 25 images of each: 13 with the earlier one of the other tasks, 12 with the later.
      const others = [0, 1, 2].filter((one) => !blurred.scenario.tasks[one]?.includes(Number(name)));
      assert.is(numbers.length, isMajor ? 75 : task === others[0] ? 13 : 12);
      seen.push(...numbers);
    }
    assert.equal([...blurred.test(task).keys()], blurred.scenario.tasks[task]?.map(String), 'sharp in the test');
  }
  assert.equal(
    seen.sort((a, b) => a - b),
    range(0, 600),
  );
  const [again, other] = [stream(config, split), stream({ ...config, seed: 1 }, split)];
  assert.equal(numbersOf(again.train(1).get('5')!), numbersOf(blurred.train(1).get('5')!));
  assert.not.equal(numbersOf(other.train(1).get('5')!), numbersOf(blurred.train(1).get('5')!), 'drawn by the seed');
});

/** An image of one channel from its rows. */
const image = (...rows: number[][]): ImageBytes => ({
  data: Uint8Array.from(rows.flat()),
  count: 1,
  height: rows.length,
  width: rows[0]!.length,
  channels: 1,
});

test('rotations turn about the centre, counter-clockwise, between pixels by their distance', () => {
  const square = image([1, 2, 3], [4, 5, 6], [7, 8, 9]);
  const turned = (degrees: number, of = square) => [...rotatedImages(of, degrees).data];
  assert.equal(turned(0), [...square.data]);
  assert.equal(turned(90), [3, 6, 9, 2, 5, 8, 1, 4, 7]);
  assert.equal(turned(-90), [7, 4, 1, 8, 5, 2, 9, 6, 3]);
  assert.equal(turned(180), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
  assert.equal(turned(360 + 90), turned(90));
  const flat = image([100, 100], [100, 100]);
  // The corner reads √½ − 0.5 above the first row: that much of it is outside.
  assert.equal(turned(45, flat), [79, 79, 79, 79]);
  const two = {
    data: Uint8Array.of(1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60, 7, 70, 8, 80),
    count: 2,
    height: 2,
    width: 2,
    channels: 2,
  };
  assert.equal([...rotatedImages(two, 180).data], [4, 40, 3, 30, 2, 20, 1, 10, 8, 80, 7, 70, 6, 60, 5, 50]);
});

test('permutations move the same pixels of every image, channels together', () => {
  const two = {
    data: Uint8Array.of(1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60),
    count: 2,
    height: 1,
    width: 3,
    channels: 2,
  };
  assert.equal([...permutedImages(two, [2, 0, 1]).data], [3, 30, 1, 10, 2, 20, 6, 60, 4, 40, 5, 50]);
});

test('domains of rotations and permutations have all images each, the first as they are, training and test alike', () => {
  const pixels = (seed: number, each: number) =>
    numbered(2, each, {
      images: Uint8Array.from(range(0, 2 * each * 12), (i) => (i * seed) % 251),
      height: 3,
      width: 4,
    });
  const split = { train: pixels(17, 6), test: pixels(23, 2) };
  const rotated = stream({ domains: 'rotations', angles: [0, 180], classSeed: -1 }, split);
  const permuted = stream({ domains: 'permutations', tasks: 3, classSeed: -1 }, split);
  assert.equal([rotated.length, permuted.length], [2, 3]);
  const plain = stream({ tasks: 1, classSeed: -1 }, split);
  for (const part of ['train', 'test'] as const) {
    const all = plain[part](0);
    for (const [name, images] of all) {
      assert.equal(rotated[part](0).get(name), images);
      assert.equal(permuted[part](0).get(name), images);
      assert.equal(rotated[part](1).get(name), rotatedImages(images, 180));
      const [one, two] = [permuted[part](1).get(name)!, permuted[part](2).get(name)!];
      for (const moved of [one, two]) {
        assert.not.equal([...moved.data], [...images.data]);
        for (let start = 0; start < moved.data.length; start += 12)
          assert.equal(
            [...moved.data.slice(start, start + 12)].sort(),
            [...images.data.slice(start, start + 12)].sort(),
          );
      }
      assert.not.equal([...one.data], [...two.data]);
    }
  }
  const other = stream({ domains: 'permutations', tasks: 3, classSeed: -1, seed: 1 }, split);
  assert.not.equal([...other.train(1).get('0')!.data], [...permuted.train(1).get('0')!.data]);
});

test('a data set’s own domains come one after the other, cut down within each', () => {
  // Of 2 classes, in the domains 0 0 1 1 0 0 1 1 ….
  const domainsOf = (count: number) => Uint8Array.from({ length: count }, (_, i) => (i >> 1) % 2);
  const split = {
    train: numbered(2, 8, { domains: domainsOf(16), domainNames: ['photo', 'sketch'] }),
    test: numbered(2, 4, { domains: domainsOf(8), domainNames: ['photo', 'sketch'] }),
  };
  const own = stream({ domains: 'own', trainPerClass: 2, classOrder: [1, 0] }, split);
  assert.is(own.length, 2);
  assert.equal(
    [...own.train(1)].map(([name, images]) => [name, numbersOf(images)]),
    [
      ['1', [3, 7]],
      ['0', [2, 6]],
    ],
  );
  assert.equal(
    [...own.test(0)].map(([name, images]) => [name, numbersOf(images)]),
    [
      ['1', [1, 5]],
      ['0', [0, 4]],
    ],
  );
  refused(
    () => stream({ domains: 'own', trainPerClass: 5 }, split),
    /5 images a class were asked for, but class 0 of photo has 4/,
    DataError,
  );
  const short = { ...split, train: { ...split.train, domains: domainsOf(15) } };
  refused(() => stream({ domains: 'own' }, short), /there are 15 domains for 16 images/, DataError);
});

test.run();
