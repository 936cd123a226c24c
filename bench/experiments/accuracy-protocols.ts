/** The protocols of the reference accuracies, each with PyTorch's figures for the same protocol. */
import { type ConfigInput, settingsFor } from '../../src/continual/benchmark/config.ts';
import type { MethodName } from '../../src/continual/methods/index.ts';

export interface Protocol {
  /** `<dataset>/<method>/<run>`. */
  readonly name: string;
  readonly dataset: 'fashion' | 'glyphs';
  readonly config: ConfigInput;
}

/** PyTorch's means over the two runs, in percent; `null` where only one was measured. */
export const pytorch: Readonly<Record<string, readonly [average: number | null, last: number]>> = {
  'fashion/joint': [null, 86.0],
  'fashion/finetune': [44.1, 19.6],
  'fashion/replay': [75.5, 69.8],
  'fashion/kd': [75.6, 69.5],
  'fashion/tkd': [75.2, 66.3],
  'fashion/fdkd': [76.0, 69.9],
  'glyphs/replay': [53.8, 53.0],
  'glyphs/kd': [61.1, 60.8],
  'glyphs/tkd': [61.1, 64.4],
  'glyphs/fdkd': [61.0, 63.5],
};

const fashionOrders = [
  [2, 8, 4, 9, 1, 6, 7, 3, 0, 5],
  [2, 9, 6, 4, 0, 3, 1, 7, 8, 5],
];

const glyphOrders = [
  '26 86 2 55 75 93 16 73 54 95 53 92 78 13 7 30 22 24 33 8 43 62 3 71 45 48 6 99 82 76 60 80 90 68 51 27 18 56 63 74 1 61 42 41 4 15 17 40 38 5 91 59 0 34 28 50 11 35 23 52 10 31 66 57 79 85 32 84 14 89 19 29 49 97 98 69 20 94 72 77 25 37 81 46 39 65 58 12 88 70 87 36 21 83 9 96 67 64 47 44',
  '80 84 33 81 93 17 36 82 69 65 92 39 56 52 51 32 31 44 78 10 2 73 97 62 19 35 94 27 46 38 67 99 54 95 88 40 48 59 23 34 86 53 77 15 83 41 45 91 26 98 43 55 24 4 58 49 21 87 3 74 30 66 70 42 47 89 8 60 0 90 57 22 61 63 7 96 13 68 85 14 29 28 11 18 20 50 25 6 71 76 1 16 64 79 5 75 9 72 12 37',
].map((line) => line.split(' ').map(Number));

const common: ConfigInput = {
  model: 'resnet8',
  momentum: 0.9,
  weightDecay: 5e-4,
  schedule: 'cosine',
  crop: 2,
  selection: 'herding',
  temperature: 2,
  kdWeight: 1,
  weighting: 'fixed',
};

/** 5 tasks of 2 classes, the first 500 training and test images a class, 15 epochs a task. */
function fashion(method: MethodName, run: number): Protocol {
  return {
    name: `fashion/${method}/${run}`,
    dataset: 'fashion',
    config: settingsFor(method, {
      ...common,
      tasks: method === 'joint' ? 1 : 5,
      classOrder: fashionOrders[run] as number[],
      trainPerClass: 500,
      testPerClass: 500,
      epochs: 15,
      batch: 64,
      lr: 0.1,
      flip: 0.5,
      mean: [0.286],
      std: [0.353],
      memory: 200,
      align: true,
      seed: run,
    }),
  };
}

/** 10 tasks of 10 classes, the first 60 training and all 50 test images a class, 12 epochs a task. */
function glyphs(method: MethodName, run: number): Protocol {
  return {
    name: `glyphs/${method}/${run}`,
    dataset: 'glyphs',
    config: settingsFor(method, {
      ...common,
      tasks: 10,
      classOrder: glyphOrders[run] as number[],
      trainPerClass: 60,
      epochs: 12,
      batch: 32,
      lr: 0.05,
      mean: [0.5],
      std: [0.48],
      memory: 300,
      align: true,
      seed: run,
    }),
  };
}

const runs = [0, 1];
export const protocols: readonly Protocol[] = [
  ...(['replay', 'kd', 'finetune', 'joint'] as const).flatMap((method) => runs.map((run) => fashion(method, run))),
  ...(['replay', 'fdkd'] as const).flatMap((method) => runs.map((run) => glyphs(method, run))),
  ...(['fdkd', 'tkd'] as const).flatMap((method) => runs.map((run) => fashion(method, run))),
  ...(['kd', 'tkd'] as const).flatMap((method) => runs.map((run) => glyphs(method, run))),
];
