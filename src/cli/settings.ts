/** Where a run's settings come from: flags before the configuration file before the defaults. */
import picocolors from 'picocolors';
import { files } from '#files';
import { type Config, methodOf, methodsWith, parseConfig, settingsOf } from '../continual/benchmark/config.ts';
import type { AnyMethod } from '../continual/method.ts';
import { ConfigError } from '../errors.ts';
import { withOrder } from './class-order.ts';
import { didYouMean, flagOf, type GivenSettings, noFlagOf } from './config-flags.ts';

/** Whether another method has a setting of this name, and this one has not. */
const isOfAnother = (key: string, method: AnyMethod): boolean =>
  !(key in method.settings) && methodsWith(key).length > 0;

/** These settings without those. */
const without = (settings: GivenSettings, names: readonly string[]): GivenSettings =>
  Object.fromEntries(Object.entries(settings).filter(([key]) => !names.includes(key)));

/**
 * Reads a file of settings; each key is known, and each value fits that its method has.
 * @param named the method that is chosen before the file's.
 * @param own the method where it is not a built-in one, whoever names it.
 * @throws {DataError | ConfigError}
 */
export async function readConfigFile(path: string, named?: unknown, own?: AnyMethod): Promise<GivenSettings> {
  const text = await files.readText(path);
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
  const { methodFile, methodFingerprint, ...settings } = withOrder(value as GivenSettings);
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
  const others = Object.keys(settings).filter((key) => isOfAnother(key, method));
  parseConfig({ ...without(settings, others), method: method.name }, path, own);
  return settings;
}

/**
 * The settings of a new run. A file may be one recipe for several methods: what another method has of it is left out, and said;
 * on the command line it is a mistake.
 * @throws {ConfigError} naming the first flag that the method does not have, and which do.
 */
export function mergeSettings(flags: GivenSettings, file: GivenSettings, own?: AnyMethod): GivenSettings {
  const method = methodOf(flags.method ?? file.method ?? own?.name ?? 'fdkd', own);
  const flag = Object.keys(flags).find((key) => isOfAnother(key, method));
  if (flag !== undefined) {
    throw new ConfigError({
      where: flags[flag] === false ? noFlagOf(flag) : flagOf(flag),
      message: `the method "${method.name}" has no such setting.`,
      fix: `Leave it out, or choose a --method that has it: ${methodsWith(flag).join(', ')}.`,
    });
  }
  const others = Object.keys(file).filter((key) => isOfAnother(key, method));
  if (others.length > 0)
    console.log(picocolors.dim(`left out  ${others.join(', ')}: ${method.name} has no such settings`));
  return { ...without(file, others), ...flags };
}

/** @throws {ConfigError} naming the first setting that was asked for and that the run was not begun with. */
export function checkAgreement(saved: Config, flags: GivenSettings, file: GivenSettings, folder: string): void {
  const given = { ...file, ...flags };
  const key = Object.keys(given).find((name) => JSON.stringify(given[name]) !== JSON.stringify(saved[name]));
  if (key === undefined) return;
  throw new ConfigError({
    where: key in flags ? flagOf(key) : `"${key}" in the configuration file`,
    message: `the run in ${folder} was begun with ${JSON.stringify(saved[key]) ?? 'none'}, not with ${JSON.stringify(given[key])}.`,
    fix: 'Leave it out to go on with the run, or start another one with another --out.',
  });
}
