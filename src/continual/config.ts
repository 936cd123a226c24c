/**
 * What a run of continual learning is made of. One schema serves the command line, configuration files and the library.
 */
import * as v from 'valibot';
import { POOL_KINDS, type PoolKind } from '../distill/task-pool.ts';
import { ConfigError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { isResNetName } from '../nn/resnet.ts';
import { expected, received } from './expected.ts';

/** The built-in methods; see `methods`. */
export const METHOD_NAMES = ['finetune', 'joint', 'replay', 'kd', 'tkd', 'fdkd', 'rdkd'] as const;
export type MethodName = (typeof METHOD_NAMES)[number];

const whole = (least: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(least));
/** Of things that are held one by one. */
const few = (least: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(65536));
const fraction = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const atLeastZero = v.pipe(v.number(), v.finite(), v.minValue(0));
const aboveZero = v.pipe(v.number(), v.finite(), v.gtValue(0));
const network = 'a network: resnet8, resnet20, resnet32, … (depth 6n + 2, at most 6002), resnet18 or resnet34';
const range = v.pipe(
  v.strictTuple([aboveZero, aboveZero]),
  v.check(([low, high]) => low <= high),
  v.description('two finite numbers above 0, the smaller one first'),
);

export const configSchema = v.strictObject({
  /** A folder with a data set (IDX or CIFAR binary), or a bundled one: `fashion-mini`, `glyphs`. */
  data: v.optional(v.string(), 'fashion-mini'),
  method: v.optional(v.picklist(METHOD_NAMES), 'fdkd'),
  /** Number of tasks; the classes are dealt out evenly after `baseClasses`. */
  tasks: v.optional(whole(1), 5),
  /** Classes of the first task; 0 deals all tasks alike. */
  baseClasses: v.optional(whole(0), 0),
  /** Order in which the classes are learnt; drawn from `classSeed` by default. */
  classOrder: v.optional(v.array(whole(0))),
  /** Seed of the class order; −1 keeps the data set's own order. */
  classSeed: v.optional(whole(-1), 0),
  /** Use only the first images of each class; 0 for all. */
  trainPerClass: v.optional(whole(0), 0),
  testPerClass: v.optional(whole(0), 0),
  /** Exemplars kept in all. */
  memory: v.optional(whole(0), 200),
  /** Exemplars kept for each class; 0 shares out `memory` instead. */
  memoryPerClass: v.optional(whole(0), 0),
  /** How exemplars are chosen (herding: Rebuffi et al. 2017, algorithm 4). */
  selection: v.optional(v.picklist(['herding', 'random']), 'herding'),
  model: v.optional(v.pipe(v.string(), v.guard(isResNetName), v.description(network)), 'resnet8'),
  /** Channels of the network's first stage; 0 for the network's own. */
  width: v.optional(whole(0), 0),
  stem: v.optional(v.picklist(['cifar', 'imagenet']), 'cifar'),
  /** How the network's convolutions start. */
  init: v.optional(v.picklist(['kaiming-normal', 'kaiming-uniform']), 'kaiming-normal'),
  /** Epochs for every task. */
  epochs: v.optional(whole(1), 15),
  /** Epochs for the first task; 0 for as many as the others. */
  baseEpochs: v.optional(whole(0), 0),
  batch: v.optional(whole(1), 64),
  lr: v.optional(aboveZero, 0.1),
  optimizer: v.optional(v.picklist(['sgd', 'adam', 'adamw']), 'sgd'),
  momentum: v.optional(v.pipe(v.number(), v.minValue(0), v.ltValue(1)), 0.9),
  nesterov: v.optional(v.boolean(), false),
  weightDecay: v.optional(atLeastZero, 5e-4),
  /** The rate over a task's epochs. */
  schedule: v.optional(v.picklist(['cosine', 'step', 'constant']), 'cosine'),
  /** Epochs after which the rate is divided by 10, for `schedule: step`. */
  milestones: v.optional(v.array(whole(0)), []),
  warmup: v.optional(whole(0), 0),
  labelSmoothing: v.optional(v.pipe(v.number(), v.minValue(0), v.ltValue(1)), 0),
  /** Largest joint norm of the gradients; 0 does not clip. */
  clip: v.optional(atLeastZero, 0),
  /** Augmentation: padding of the random crop, chance of a flip, degrees, range of magnification. */
  crop: v.optional(few(0), 2),
  flip: v.optional(fraction, 0),
  rotate: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(180)), 0),
  scale: v.optional(range),
  /** Pixels are normalised by (x − mean) / std, a number for each channel; measured on the training set by default. */
  mean: v.optional(v.array(v.pipe(v.number(), v.finite()))),
  std: v.optional(v.array(aboveZero)),
  /** Temperature of the distillation. */
  temperature: v.optional(aboveZero, 2),
  /** Weight of the distillation next to the cross entropy; `weighting` may scale it from task to task. */
  kdWeight: v.optional(atLeastZero, 1),
  weighting: v.optional(v.picklist(['fixed', 'count', 'ratio', 'adaptive']), 'fixed'),
  /**
   * Groups that `fdkd` distils and `rdkd` draws from; `kd` and `tkd` have their own (`whole`, `tasks`). `dense` by default,
   * and `runs` where there are more old tasks than that allows.
   */
  pool: v.optional(v.picklist(POOL_KINDS)),
  /** Groups drawn in each step by `rdkd`. */
  groups: v.optional(few(1), 1),
  /** Weight alignment after each task (Zhao et al. 2020); the method's own choice by default. */
  align: v.optional(v.boolean()),
  /** Record a training step once and replay it; the results are the same without. */
  capture: v.optional(v.boolean(), true),
  /** Measure the variants of a step's kernels and run the fastest; by default on hardware adapters only. */
  tune: v.optional(v.boolean()),
  /** Steps whose losses are read and reported together: fewer waits for the device; the results are the same. */
  lossEvery: v.optional(few(1), 4),
  /** Make a block's activations again in the backward pass instead of keeping them; the results are the same. */
  gradientCheckpointing: v.optional(v.boolean(), false),
  /** How activations are stored; `f16` where the device has shader-f16, with a scaled loss. */
  precision: v.optional(v.picklist(['f32', 'f16']), 'f32'),
  seed: v.optional(whole(0), 0),
});

/** A checked configuration; what depends on the method or the device may still be open. */
export type Config = v.InferOutput<typeof configSchema>;
/** A configuration as a run goes by it and records it: nothing is open, and a method of one's own goes by its name. */
export type RunConfig = Omit<Config, 'method' | 'align' | 'pool'> & {
  method: string;
  align: boolean;
  pool: PoolKind;
};
/** A configuration in which everything may be left out. */
export type ConfigInput = v.InferInput<typeof configSchema>;

/** Every key, for command lines and messages. */
export const CONFIG_KEYS = Object.keys(configSchema.entries) as (keyof Config)[];

/** What a setting may be, in words: `a finite number above 0`. */
export const expectedOf = (key: keyof Config): string => expected(configSchema.entries[key].wrapped);

/**
 * Fills in the defaults that depend on nothing, and checks every value.
 * @param where names the file or command line in errors.
 * @throws {ConfigError} naming the first key that is unknown or does not fit, what it may be and what was given.
 */
export function parseConfig(input: unknown, where = 'configuration'): Config {
  const result = v.safeParse(configSchema, input);
  if (result.success) return result.output;
  // The path is of plain objects and arrays, down to what does not fit; the setting is where it begins.
  const at = result.issues[0].path?.[0];
  const key = CONFIG_KEYS.find((name) => name === at?.key);
  if (key === undefined) {
    throw new ConfigError({
      where,
      message: at ? `unknown setting "${clipped(String(at.key))}".` : `${received(input)} is not a configuration.`,
      fix: `Known settings: ${CONFIG_KEYS.join(', ')}.`,
    });
  }
  throw new ConfigError({
    where,
    message: `"${key}" does not fit: expected ${expectedOf(key)}, received ${received(at?.value)}.`,
    fix: 'Mend the value or leave it out.',
  });
}
