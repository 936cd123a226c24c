/** The settings of a learner, whatever its method: network, training, pictures, memory. */
import * as v from 'valibot';
import { isNetworkName, KNOWN_NETWORKS } from './networks.ts';
import {
  choiceSetting,
  type GivenValues,
  number,
  numberSetting,
  setting,
  switchSetting,
  type ValuesOf,
  wholeSetting,
} from './setting.ts';

const network = `a network: ${KNOWN_NETWORKS.replace('6n + 2', '6n + 2, at most 6002')}`;
const range = v.pipe(
  v.strictTuple([number({ above: 0 }), number({ above: 0 })]),
  v.check(([low, high]) => low <= high),
  v.description('two finite numbers above 0, the smaller one first'),
);
const epochList = v.array(number({ whole: true, least: 0 }));
/** Of things that are held one by one. */
const few = (preset: number, least: number, text: string, value = 'n') =>
  numberSetting(preset, { whole: true, least, most: 65536 }, text, value);

/** How exemplars can be chosen. */
export const SELECTIONS = ['herding', 'random', 'reservoir'] as const;
/**
 * How exemplars are chosen: the most typical ones (Rebuffi et al. 2017), any, or a reservoir of all images seen (Vitter 1985).
 * @useDeclaredType
 */
export type Selection = (typeof SELECTIONS)[number];
const selectionSetting = (preset: Selection) => choiceSetting(SELECTIONS, preset, 'how exemplars are chosen');

export const memorySettings = {
  memory: wholeSetting(200, 0, 'exemplars kept in all; 0 for none, of methods that can do without'),
  memoryPerClass: wholeSetting(0, 0, 'exemplars kept for each class; 0 shares out --memory instead'),
  memoryBytes: setting(
    number({ whole: true, least: 0 }),
    undefined,
    'bytes of exemplars in all, of pixels and of what a method stores with them, in place of --memory; 0 for no such limit',
    'bytes',
  ),
  selection: selectionSetting('herding'),
};

export const networkSettings = {
  model: setting(v.pipe(v.string(), v.guard(isNetworkName), v.description(network)), 'resnet8', KNOWN_NETWORKS, 'name'),
  width: wholeSetting(0, 0, "channels of the first stage; 0 for the network's own"),
  stem: choiceSetting(['cifar', 'imagenet'], 'cifar', "first layers of torchvision's ResNets, resnet18 and larger"),
  init: choiceSetting(['kaiming-normal', 'kaiming-uniform'], 'kaiming-normal', 'how the convolutions start'),
};

/** A phase of a task may have its own of these. */
export const recipeSettings = {
  epochs: wholeSetting(15, 1, 'epochs for every task'),
  batch: wholeSetting(64, 1, 'images a step'),
  lr: numberSetting(0.1, { above: 0 }, 'learning rate at the start of a task', 'rate'),
  optimizer: choiceSetting(['sgd', 'adam', 'adamw'], 'sgd', 'how the weights are updated'),
  momentum: numberSetting(0.9, { least: 0, below: 1 }, 'momentum of sgd'),
  nesterov: switchSetting(false, 'Nesterov momentum for sgd'),
  weightDecay: numberSetting(5e-4, { least: 0 }, 'weight decay'),
  schedule: choiceSetting(['cosine', 'step', 'constant'], 'cosine', "the learning rate over a task's epochs"),
  milestones: setting(
    epochList,
    [],
    'epochs after which --schedule step divides the rate by 10, such as 10,20',
    'list',
  ),
  warmup: wholeSetting(0, 0, 'epochs over which the rate rises'),
  clip: numberSetting(0, { least: 0 }, 'largest norm of the gradients; 0 does not clip', 'norm'),
};

/** How steps come to the same results: what may differ when a saved learner goes on. */
export const executionSettings = {
  capture: switchSetting(true, 'replaying of recorded training steps; the results are the same'),
  tune: setting(
    v.boolean(),
    undefined,
    'measuring of kernels before they are used (default: on GPUs, off on software adapters)',
    '',
  ),
  lossEvery: few(4, 1, 'steps whose losses are read together; the results are the same'),
  gradientCheckpointing: switchSetting(
    false,
    "make blocks' activations again in the backward pass: less memory, more time",
  ),
};

export const trainingSettings = {
  ...recipeSettings,
  baseEpochs: wholeSetting(0, 0, 'epochs for the first task; 0 for as many as the others'),
  baseLr: setting(number({ above: 0 }), undefined, "learning rate of the first task; the others' by default", 'rate'),
  baseWeightDecay: setting(number({ least: 0 }), undefined, "weight decay of the first task; the others' by default"),
  baseMilestones: setting(epochList, undefined, "milestones of the first task; the others' by default", 'list'),
  labelSmoothing: numberSetting(0, { least: 0, below: 1 }, 'label smoothing, 0 up to 1'),
  oversample: few(
    1,
    1,
    'times that each new image comes in an epoch, from the second task on: more where later tasks have few',
  ),
  ...executionSettings,
  precision: choiceSetting(
    ['f32', 'f16'],
    'f32',
    'how activations are stored; f16 takes half the memory, where the device has it',
    'type',
  ),
  seed: wholeSetting(0, 0, 'seed of everything random but the class order', 'seed'),
};

export const imageSettings = {
  crop: few(2, 0, 'padding of the random crop', 'pixels'),
  flip: numberSetting(0, { least: 0, most: 1 }, 'chance of a mirrored image', 'chance'),
  rotate: numberSetting(0, { least: 0, most: 180 }, 'largest random rotation', 'degrees'),
  scale: setting(range, undefined, 'random magnification, such as 0.9,1.1', 'range'),
  brightness: setting(
    number({ least: 0, most: 1 }),
    undefined,
    'pixels times a random factor within 1 ± this; as they are by default',
  ),
  mean: setting(
    v.array(number()),
    undefined,
    'subtracted from pixels 0 … 1, one a channel; measured by default',
    'list',
  ),
  std: setting(v.array(number({ above: 0 })), undefined, 'divides pixels, one a channel; measured by default', 'list'),
};

/** Every setting of a learner but those of its method. */
export const learnerSettings = { ...memorySettings, ...networkSettings, ...trainingSettings, ...imageSettings };

/** The one network of a method that brings it along. */
const ownModelSetting = (name: string): typeof networkSettings.model =>
  setting(v.pipe(v.literal(name), v.description(`${name}, the method's own network`)), name, name, 'name') as never;

/**
 * The same for a method, whose exemplars are chosen by default as it was published with, and whose network is its own where it has
 * one.
 */
export const learnerSettingsOf = ({
  selection,
  network,
}: {
  readonly selection?: Selection;
  readonly network?: { readonly name: string };
}): typeof learnerSettings => ({
  ...learnerSettings,
  ...(selection ? { selection: selectionSetting(selection) } : {}),
  ...(network ? { model: ownModelSetting(network.name) } : {}),
});

/**
 * Every setting of a learner but those of its method, defaults filled in.
 * @interface
 */
export type LearnerSettings = ValuesOf<typeof learnerSettings>;
/**
 * The same as they are given: each may be left out.
 * @interface
 */
export type LearnerSettingsInput = GivenValues<typeof learnerSettings>;
/**
 * How steps come to the same results: what may differ when a saved learner goes on.
 * @interface
 */
export type ExecutionSettings = ValuesOf<typeof executionSettings>;
/**
 * How one phase is trained.
 * @interface
 */
export type Recipe = ValuesOf<typeof recipeSettings>;
