/** What a benchmark run is made of: a stream of tasks cut from a data set, a learner, and a method with settings of its own. */
import * as v from 'valibot';
import { ConfigError } from '../../errors.ts';
import { clipped } from '../../gpu/printable.ts';
import { received } from '../expected.ts';
import { learnerSettings, learnerSettingsOf } from '../learner-settings.ts';
import type { AnyMethod } from '../method.ts';
import { assertOwnName, checkMethod } from '../method-names.ts';
import { METHOD_NAMES, methods } from '../methods/index.ts';
import {
  choiceSetting,
  number,
  readSettings,
  type Settings,
  setting,
  type ValuesOf,
  wholeSetting,
} from '../setting.ts';
import { dataSettings } from './data-settings.ts';
import { USUAL_TASKS } from './deal-classes.ts';
import { NUMPY_ORDER, numpySeed } from './numpy-order.ts';
import { DOMAIN_KINDS } from './scenario.ts';

const classOrder = v.pipe(
  v.union([
    v.array(number({ whole: true, least: 0 })),
    v.pipe(
      v.string(),
      v.regex(NUMPY_ORDER),
      v.check((text) => numpySeed(text) !== undefined),
    ),
  ]),
  v.description('a list of whole numbers of at least 0, or numpy:SEED for the order of NumPy by a seed below 2^32'),
);

/** The stream of tasks. */
export const scenarioSettings = {
  data: setting(
    v.string(),
    'fashion-mini',
    'fashion-mini or glyphs (bundled), or a folder: IDX (MNIST) or CIFAR binary files, NumPy .npz, Parquet of the Hugging Face hub, or pictures in a folder a class',
    'name',
  ),
  tasks: setting(
    number({ whole: true, least: 1 }),
    undefined,
    `tasks the classes are dealt out to; by default as many as the settings below make, or ${USUAL_TASKS}`,
    'n',
  ),
  increment: setting(
    number({ whole: true, least: 1 }),
    undefined,
    'classes of each task after the base, the last one with what is left: B50 is 50 base classes and increments of 10',
    'n',
  ),
  baseClasses: wholeSetting(0, 0, 'classes of the first task; 0 for no more than the others'),
  taskSizes: setting(
    v.array(number({ whole: true, least: 1 })),
    undefined,
    'classes of each task, where they are uneven, such as 20,5,10',
    'list',
  ),
  classOrder: setting(
    classOrder,
    undefined,
    'order in which classes arrive, by their numbers (`engram data` lists them) such as 3,0,2,1, or numpy:1993 for the order ' +
      'of NumPy by that seed, or a file of numbers on a command line; drawn from the seed by default',
    'list',
  ),
  classSeed: wholeSetting(0, -1, "seed of the class order; -1 keeps the data's own", 'seed'),
  domains: choiceSetting(
    DOMAIN_KINDS,
    undefined,
    'every task brings all classes in another domain: images rotated, pixels permuted by the seed, or what the data say',
  ),
  angles: setting(
    v.array(number()),
    undefined,
    'degrees of the rotations, one a task; by default tasks share 180° evenly, from 0 on',
    'list',
  ),
  blurry: setting(
    number({ least: 0, below: 1 }),
    undefined,
    "share of each class's training images that come with the other tasks, evenly spread",
    'share',
  ),
  trainPerClass: wholeSetting(0, 0, 'use only the first training images of each class; 0 for all'),
  testPerClass: wholeSetting(0, 0, 'use only the first test images of each class; 0 for all'),
};

/** Every setting that runs have whatever their method. */
export const commonSettings = { ...scenarioSettings, ...dataSettings, ...learnerSettings };

/** Where a method of one's own came from, of those who take it from a file: recorded with the run, and nothing to choose. */
export const originSettings = {
  methodFile: setting(v.string(), undefined, 'the file that exports the method'),
  methodFingerprint: setting(v.string(), undefined, 'of what the file held'),
};

/**
 * A checked configuration: flat, as files and command lines have it, the method's own settings among the others.
 * @interface
 */
export type Config = ValuesOf<typeof commonSettings> &
  Partial<ValuesOf<typeof originSettings>> &
  Readonly<Record<string, unknown>> & {
    /** A built-in method, or the name of one of a user's own. */
    readonly method: string;
  };
/**
 * A configuration in which everything may be left out.
 * @interface
 */
export type ConfigInput = Readonly<Partial<ValuesOf<typeof commonSettings>>> & Readonly<Record<string, unknown>>;

/** Sweeps ask a thousand times. */
const settingsByMethod = new WeakMap<AnyMethod, Settings>();

/** The settings of runs by this method. */
export function settingsOf(method: AnyMethod): Settings {
  const known = settingsByMethod.get(method);
  if (known) return known;
  const settings = { ...scenarioSettings, ...dataSettings, ...learnerSettingsOf(method), ...method.settings };
  settingsByMethod.set(method, settings);
  return settings;
}

/**
 * The method of a configuration: one of the user's own or a built-in one.
 * @throws {ConfigError} for a name that tells nothing, or that would pass for another's.
 */
export function methodOf(name: unknown, own?: AnyMethod): AnyMethod {
  const builtIn: Readonly<Record<string, AnyMethod>> = methods;
  if (!own) {
    const known = typeof name === 'string' && Object.hasOwn(builtIn, name) ? builtIn[name] : undefined;
    if (known) return known;
    throw new ConfigError({
      where: 'method',
      message: `${received(name)} is not a built-in method.`,
      fix: `Built in are ${METHOD_NAMES.join(', ')}; one of your own is handed over itself.`,
    });
  }
  checkOwn(own, 'method');
  return own;
}

/**
 * @param where names what gave the method.
 * @throws {ConfigError} for what is no method, or could not be told from a built-in one or its settings from those of runs.
 */
export function checkOwn(own: unknown, where: string): asserts own is AnyMethod {
  checkMethod(own, where);
  assertOwnName(own, methods, where);
  const clash = Object.keys(own.settings).find((key) =>
    [scenarioSettings, dataSettings, originSettings].some((known) => key in known),
  );
  if (clash === undefined) return;
  throw new ConfigError({
    where,
    message: `the method "${own.name}" declares the setting "${clash}", which every run has.`,
    fix: 'Give it another name.',
  });
}

/** Those of the built-in methods that have a setting. */
export const methodsWith = (name: string): string[] =>
  METHOD_NAMES.filter((method) => Object.hasOwn(methods[method].settings, name));

/**
 * Fills in the defaults that depend on nothing, and checks every value.
 * @param where names the file or command line in errors.
 * @param own a method that is not built in.
 * @throws {ConfigError} naming the first setting that is unknown or does not fit, what it may be and what was given.
 */
export function parseConfig(input: unknown, where = 'configuration', own?: AnyMethod): Config {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new ConfigError({
      where,
      message: `${received(input)} is not a configuration.`,
      fix: 'It looks like {"method": "fdkd", "tasks": 5}.',
    });
  }
  const {
    method: name = own?.name ?? 'fdkd',
    methodFile,
    methodFingerprint,
    ...given
  } = input as Record<string, unknown>;
  const method = methodOf(name, own);
  const settings = settingsOf(method);
  const stray = Object.keys(given).find((key) => !(key in settings) && methodsWith(key).length > 0);
  if (stray !== undefined) {
    throw new ConfigError({
      where,
      message: `the method "${clipped(method.name)}" has no setting "${stray}".`,
      fix: `Leave it out; it is one of ${methodsWith(stray).join(', ')}.`,
    });
  }
  const of = `runs by "${method.name}"`;
  return {
    method: method.name,
    ...(own ? readSettings(originSettings, { methodFile, methodFingerprint }, where, of) : {}),
    ...readSettings(settings, given, where, of),
  } as Config;
}

/**
 * What of these settings the method has: those of other methods left out, for comparisons under one recipe.
 * @param method a built-in one by name, or any as a value.
 */
export function settingsFor(method: string | AnyMethod, settings: ConfigInput): ConfigInput {
  const one = typeof method === 'string' ? methodOf(method) : method;
  const known = { ...settingsOf(one), ...originSettings };
  const isMeant = (key: string) => key in known && !(key === 'model' && one.network);
  return { ...Object.fromEntries(Object.entries(settings).filter(([key]) => isMeant(key))), method: one.name };
}
