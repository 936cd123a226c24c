/**
 * What the demo learns, in sizes for slow and fast adapters. How the settings were chosen, and what came of them in
 * several class orders: bench/results/demo.md.
 */
import { type Config, type ConfigInput, parseConfig, settingsFor } from '../../continual/benchmark/config.ts';

/** The methods compared, least knowledge kept first as a rule. */
export const demoMethods = ['finetune', 'replay', 'fdkd'] as const;
export type DemoMethod = (typeof demoMethods)[number];

/** How far two methods are apart in last accuracy: points, over the orders in bench/results/demo.jsonl. */
export interface DemoDifference {
  readonly of: DemoMethod;
  readonly to: DemoMethod;
  readonly mean: number;
  /** Standard deviation of one order's difference. */
  readonly std: number;
}

export interface DemoSize {
  /** With what the estimate of its time needs to know. */
  readonly settings: ConfigInput & Pick<Config, 'data' | 'width' | 'tasks' | 'memory' | 'baseClasses'>;
  /** What was measured: orders, and the differences over them. */
  readonly orders: number;
  readonly differences: readonly DemoDifference[];
}

/**
 * One recipe for all sizes, so that the kernels of one are those of the other. Clipped: a narrow network hardly learns its
 * first task at this rate without. Not aligned: after so few steps new classes' weights are not the longer ones.
 */
const recipe = {
  data: 'fashion-mini',
  model: 'resnet8',
  width: 8,
  tasks: 4,
  baseClasses: 4,
  memory: 20,
  testPerClass: 50,
  batch: 16,
  lr: 0.1,
  clip: 1,
  crop: 1,
  kdWeight: 2,
  align: false,
} as const satisfies ConfigInput;

const sizes = {
  small: {
    settings: { ...recipe, trainPerClass: 16, baseEpochs: 30, epochs: 24 },
    orders: 8,
    differences: [
      { of: 'replay', to: 'finetune', mean: 35.2, std: 6.1 },
      { of: 'fdkd', to: 'replay', mean: -0.3, std: 2.3 },
      { of: 'fdkd', to: 'finetune', mean: 34.9, std: 7.5 },
    ],
  },
  medium: {
    settings: { ...recipe, trainPerClass: 20, baseEpochs: 50, epochs: 50 },
    orders: 8,
    differences: [
      { of: 'replay', to: 'finetune', mean: 40.1, std: 7 },
      { of: 'fdkd', to: 'replay', mean: 3.9, std: 3.6 },
      { of: 'fdkd', to: 'finetune', mean: 44, std: 6.8 },
    ],
  },
} as const satisfies Record<string, DemoSize>;

export type DemoSizeName = keyof typeof sizes;
export const demoSizes: Readonly<Record<DemoSizeName, DemoSize>> = sizes;
/** Smallest first. */
export const demoSizeNames = Object.keys(sizes) as [DemoSizeName, ...DemoSizeName[]];

/** A complete configuration. The order is that of the classes, and also seeds the network, the batches and the augmentation. */
export const demoConfig = (name: DemoSizeName, method: DemoMethod, order: number): Config =>
  parseConfig(settingsFor(method, { ...demoSizes[name].settings, classSeed: order, seed: order }), 'demo');
