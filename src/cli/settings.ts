/** Where a run's settings come from: what was typed before the configuration file before the defaults. */
import picocolors from 'picocolors';
import { files } from '#files';
import { type Config, methodOf, methodsWith, parseConfig, settingsOf } from '../continual/benchmark/config.ts';
import type { AnyMethod } from '../continual/method.ts';
import { readSettings } from '../continual/setting.ts';
import { flagOf } from '../continual/setting-name.ts';
import { ConfigError } from '../errors.ts';
import { MEMORY_SIZES, type Typed } from './assignments.ts';
import { withOrder } from './class-order.ts';
import { didYouMean, type GivenSettings } from './config-flags.ts';
import { isMethodFile } from './method-choice.ts';
import { aboutSettings, configPath } from './recipes.ts';

/** Whether another method has a setting of this name, and this one has not. */
const isOfAnother = (key: string, method: AnyMethod): boolean =>
  !(key in method.settings) && methodsWith(key).length > 0;

/** Settings that say one thing in different ways: of a file's none stands beside another that is typed. */
const ALTERNATIVES: readonly (readonly string[])[] = [MEMORY_SIZES, ['tasks', 'increment', 'taskSizes']];

/** Those of a file's that something typed takes the place of. */
const replaced = (file: GivenSettings, typed: GivenSettings): string[] =>
  ALTERNATIVES.filter((names) => names.some((name) => name in typed)).flatMap((names) =>
    names.filter((name) => name in file && !(name in typed)),
  );

/** These settings without those. */
const without = (settings: GivenSettings, names: readonly string[]): GivenSettings =>
  Object.fromEntries(Object.entries(settings).filter(([key]) => !names.includes(key)));

/**
 * Reads a file of settings, or a published recipe; each key is known, and each value fits that its method has. What another
 * method has is refused where the file itself names its method, and stands where that is chosen before it.
 * @param path as it was typed.
 * @param named the method that is chosen before the file's.
 * @param own the method where it is not a built-in one, whoever names it.
 * @throws {DataError | ConfigError}
 */
export async function readConfigFile(path: string, named?: unknown, own?: AnyMethod): Promise<GivenSettings> {
  const text = await files.readText(await configPath(path));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ConfigError({
      where: path,
      message: `this is not JSON: ${(cause as Error).message}.`,
      fix: 'A configuration looks like {"method": "fdkd", "tasks": 5}.',
      cause,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigError({
      where: path,
      message: 'this is not a configuration.',
      fix: 'It looks like {"method": "fdkd", "tasks": 5}.',
    });
  }
  // Where a run's method came from: it was loaded from there.
  const { methodFile, methodFingerprint, $schema, description, ...settings } = withOrder(value as GivenSettings);
  readSettings(aboutSettings, { $schema, description }, path, 'a configuration');
  const method = methodOf(named ?? settings.method ?? own?.name ?? 'fdkd', own);
  const known = ['method', ...Object.keys(settingsOf(method))];
  const unknown = Object.keys(settings).find((key) => !known.includes(key) && methodsWith(key).length === 0);
  if (unknown !== undefined) {
    throw new ConfigError({
      where: path,
      message: `unknown setting "${unknown}".`,
      fix: `${didYouMean(unknown, known)} The help of \`engram train\` names them all.`,
    });
  }
  const ofFile = own && isMethodFile(settings.method) ? own.name : settings.method;
  const isItsOwn = ofFile !== undefined && (named === undefined || named === ofFile);
  const others = isItsOwn ? [] : Object.keys(settings).filter((key) => isOfAnother(key, method));
  parseConfig({ ...without(settings, others), method: method.name }, path, own);
  return settings;
}

/**
 * The settings of a new run. A file may be one recipe for several methods: what another method has of it is left out, and said;
 * on the command line it is a mistake.
 * @throws {ConfigError} naming the first that was typed and that the method does not have, and which do.
 */
export function mergeSettings(
  { settings: typed, whereOf }: Typed,
  file: GivenSettings,
  own?: AnyMethod,
): GivenSettings {
  const method = methodOf(typed.method ?? file.method ?? own?.name ?? 'fdkd', own);
  const stray = Object.keys(typed).find((key) => isOfAnother(key, method));
  if (stray !== undefined) {
    throw new ConfigError({
      where: whereOf(stray),
      message: `the method "${method.name}" has no such setting.`,
      fix: `Leave it out, or choose a --method that has it: ${methodsWith(stray).join(', ')}.`,
    });
  }
  const others = Object.keys(file).filter((key) => isOfAnother(key, method));
  if (others.length > 0)
    console.log(picocolors.dim(`left out  ${others.join(', ')}: ${method.name} has no such settings`));
  const instead = replaced(file, typed);
  const told = instead.filter((key) => file[key] !== 0);
  if (told.length > 0)
    console.log(picocolors.dim(`left out  ${told.join(', ')}: something else was asked for instead`));
  return { ...without(file, [...others, ...instead]), ...typed };
}

/** Settings that say where something lies; that it is what the run began with, its checkpoint knows by the content. */
const PLACES: readonly string[] = ['data', 'testList'];

/** Of what was typed, where something that the run began with lies now. */
export const placesNow = (saved: Config, { settings }: Typed): GivenSettings =>
  Object.fromEntries(
    PLACES.filter((key) => key in settings && saved[key] !== undefined).map((key) => [key, settings[key]]),
  );

/**
 * A place may be typed that is another one now.
 * @throws {ConfigError} naming the first setting that was asked for and that the run was not begun with.
 */
export function checkAgreement(saved: Config, typed: Typed, file: GivenSettings, folder: string): void {
  const given = { ...without(file, replaced(file, typed.settings)), ...typed.settings };
  const begun: GivenSettings = { ...saved, ...placesNow(saved, typed) };
  const key = Object.keys(given).find((name) => JSON.stringify(given[name]) !== JSON.stringify(begun[name]));
  if (key === undefined) return;
  throw new ConfigError({
    where: key in typed.settings ? typed.whereOf(key) : `"${key}" in the configuration file`,
    message: `the run in ${folder} was begun with ${JSON.stringify(saved[key]) ?? 'none'}, not with ${JSON.stringify(given[key])}.`,
    fix: PLACES.includes(key)
      ? `Leave it out to go on with the run. Where the same lies elsewhere now, say so by ${flagOf(key)}.`
      : 'Leave it out to go on with the run, or start another one with another --out.',
  });
}
