/**
 * What the demo learns, in sizes for slow and fast adapters. The settings were chosen on class orders 0 to 4 and confirmed
 * on others: bench/results/demo.md.
 */
import type { Config, ConfigInput } from '../continual/config.ts';
import { parseConfig } from '../continual/config.ts';
import { Random } from '../tensor/random.ts';

/** The methods compared, least knowledge kept first as a rule. */
export const demoMethods = ['finetune', 'replay', 'fdkd'] as const;
export type DemoMethod = (typeof demoMethods)[number];

/** How far two methods are apart in last accuracy: points, over the orders in bench/results/demo.jsonl. */
export interface DemoDifference {
  readonly of: DemoMethod;
  readonly to: DemoMethod;
  readonly mean: number;
  /** Standard deviation of one order's difference. */
  readonly deviation: number;
}

export interface DemoSize {
  /** Classes of the data set, of which an order takes `learnt`. */
  readonly classes: number;
  readonly learnt: number;
  /** With all that the estimate of its time needs to know. */
  readonly settings: ConfigInput & Pick<Config, 'data' | 'width' | 'tasks' | 'memory'>;
  /** What was measured: orders, and the differences over them. */
  readonly orders: number;
  readonly differences: readonly DemoDifference[];
}

/** One recipe for all sizes. Clipped: a narrow network hardly learns its first task at this rate without. */
const recipe = {
  model: 'resnet8',
  batch: 16,
  lr: 0.1,
  clip: 1,
  crop: 1,
  testPerClass: 50,
} as const satisfies ConfigInput;

const smallFirst = {
  small: {
    classes: 10,
    learnt: 10,
    settings: {
      ...recipe,
      data: 'fashion-mini',
      width: 8,
      tasks: 4,
      baseClasses: 4,
      trainPerClass: 30,
      memory: 40,
      baseEpochs: 16,
      epochs: 10,
      kdWeight: 1,
    },
    orders: 0,
    differences: [],
  },
} as const satisfies Record<string, DemoSize>;

export type DemoSizeName = keyof typeof smallFirst;
export const demoSizes: Readonly<Record<DemoSizeName, DemoSize>> = smallFirst;
/** Smallest first. */
export const demoSizeNames = Object.keys(smallFirst) as [DemoSizeName, ...DemoSizeName[]];

/** A complete configuration. The order also seeds the network, the batches and the augmentation. */
export function demoConfig(name: DemoSizeName, method: DemoMethod, order: number): Config {
  const { classes, learnt, settings } = demoSizes[name];
  const all = Array.from({ length: classes }, (_, label) => label);
  const classOrder = Random.of(order, 'class order').shuffle(all).slice(0, learnt);
  return parseConfig({ ...settings, align: method !== 'finetune', method, classOrder, seed: order }, 'demo');
}
