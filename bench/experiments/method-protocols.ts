/** The protocols that all methods are compared on, each with PyTorch's figures for the same protocol. */
import { type ConfigInput, settingsFor } from '../../src/continual/benchmark/config.ts';
import { METHOD_NAMES, type MethodName } from '../../src/continual/methods/index.ts';

export const PROTOCOLS = ['fashion', 'glyphs'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** Orders of the classes that every method is run in: NumPy's of seed 0, 1 and 2. */
export const ORDERS = [0, 1, 2] as const;

/** One run of the comparison. */
export interface MethodRun {
  /** `<protocol>/<method>/<order>`. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly method: MethodName;
  readonly order: number;
  readonly config: ConfigInput;
}

/** What a protocol is, in words. */
export const titles: Readonly<Record<Protocol, string>> = {
  fashion: 'Fashion-MNIST, 5 tasks of 2 classes, 500 training images a class, 15 epochs, 200 exemplars',
  glyphs: 'Glyphs, 10 tasks of 10 classes, 60 training images a class, 12 epochs, 300 exemplars',
};

/** The same in a clause. */
export const protocols: Readonly<Record<Protocol, string>> = {
  fashion: '5 tasks of 2 Fashion-MNIST classes',
  glyphs: '10 tasks of 10 glyphs',
};

/** PyTorch's average incremental and last accuracy in percent, means over the first two orders; `null` where none was measured. */
export const pytorch: Readonly<Record<string, readonly [average: number | null, last: number]>> = {
  'fashion/joint': [null, 86.0],
  'fashion/finetune': [44.1, 19.6],
  'fashion/replay': [75.5, 69.8],
  'fashion/kd': [75.6, 69.5],
  'fashion/tkd': [75.2, 66.3],
  'fashion/fdkd': [76.0, 69.9],
  'glyphs/joint': [null, 70.3],
  'glyphs/finetune': [18.4, 6.1],
  'glyphs/replay': [53.8, 53.0],
  'glyphs/kd': [61.1, 60.8],
  'glyphs/tkd': [61.1, 64.4],
  'glyphs/fdkd': [61.0, 63.5],
};

const common: ConfigInput = {
  model: 'resnet8',
  momentum: 0.9,
  weightDecay: 5e-4,
  schedule: 'cosine',
  crop: 2,
  temperature: 2,
  kdWeight: 1,
  weighting: 'fixed',
};

const recipes: Readonly<Record<Protocol, ConfigInput>> = {
  fashion: {
    tasks: 5,
    trainPerClass: 500,
    testPerClass: 500,
    epochs: 15,
    batch: 64,
    lr: 0.1,
    flip: 0.5,
    mean: [0.286],
    std: [0.353],
    memory: 200,
  },
  glyphs: {
    data: 'glyphs',
    tasks: 10,
    trainPerClass: 60,
    epochs: 12,
    batch: 32,
    lr: 0.05,
    mean: [0.5],
    std: [0.48],
    memory: 300,
  },
};

/** Where a method departs from the protocol: found on orders that are none of the table's. */
const departures: Partial<Record<MethodName, Partial<Record<Protocol, ConfigInput>>>> = {
  // Its cross entropy counts for 1 − K/N, a tenth in the last task: at the protocol's rate 12 epochs leave the exemplars unlearnt.
  wa: { glyphs: { lr: 0.3, baseLr: 0.05 } },
};

export interface MethodRunOptions {
  /** Seeds of the class orders, and of everything random in them; {@link ORDERS} by default. */
  readonly orders?: readonly number[];
  /** Settings in the place of the protocol's and the departures from it: what a search for settings tries. */
  readonly tried?: ConfigInput;
}

/**
 * Every run of the comparison: method by method, so that one is complete before the next begins.
 * @param fashion the folder of the full Fashion-MNIST.
 */
export function methodRuns(fashion: string, { orders = ORDERS, tried = {} }: MethodRunOptions = {}): MethodRun[] {
  return METHOD_NAMES.flatMap((method) =>
    PROTOCOLS.flatMap((protocol) =>
      orders.map((order): MethodRun => {
        const own = departures[method]?.[protocol] ?? {};
        // "All classes at once" is one task.
        const tasks = method === 'joint' ? { tasks: 1 } : {};
        const data = protocol === 'fashion' ? { data: fashion } : {};
        const given = { ...common, ...recipes[protocol], ...data, ...tasks, classOrder: `numpy:${order}`, seed: order };
        const config = { ...settingsFor(method, given), ...own, ...tried };
        return { name: `${protocol}/${method}/${order}`, protocol, method, order, config };
      }),
    ),
  );
}
