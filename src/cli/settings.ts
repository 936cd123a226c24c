/** Where a run's settings come from: flags before the configuration file before the defaults. */
import { files } from '#files';
import { type Config, methodOf, methodsWith, parseConfig, settingsOf } from '../continual/benchmark/config.ts';
import type { AnyMethod } from '../continual/method.ts';
import { ConfigError } from '../errors.ts';
import { didYouMean, flagOf, type GivenSettings } from './config-flags.ts';

/**
 * Reads a file of settings; each key is known and each value fits.
 * @throws {DataError | ConfigError}
 */
export async function readConfigFile(path: string, own?: AnyMethod): Promise<GivenSettings> {
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
  const settings = value as GivenSettings;
  const known = ['method', ...Object.keys(settingsOf(methodOf(settings.method ?? own?.name ?? 'fdkd', own)))];
  const unknown = Object.keys(settings).find((key) => !known.includes(key) && methodsWith(key).length === 0);
  if (unknown !== undefined) {
    throw new ConfigError({
      where: path,
      message: `unknown setting "${unknown}".`,
      fix: `${didYouMean(unknown, known)} The help of \`engram train\` names them all.`,
    });
  }
  parseConfig(settings, path, own);
  return settings;
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
