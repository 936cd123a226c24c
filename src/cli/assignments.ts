/** `--set key=value`: any setting by its name, as flags have it. */
import type { AnyMethod } from '../continual/method.ts';
import { flagOf } from '../continual/setting-name.ts';
import { ConfigError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { didYouMean, type GivenSettings, meaningsOf, parseMeanings } from './config-flags.ts';

/** What was typed: flags, and what was set. */
export interface Typed {
  readonly settings: GivenSettings;
  /** The part of the command line that a setting is from. */
  whereOf(key: string): string;
}

/** Settings that say how large a memory is, each in its way. */
export const MEMORY_SIZES: readonly string[] = ['memory', 'memoryPerClass', 'memoryBytes'];

/** `kd-weight` and `kdWeight` are one setting. */
const camelCase = (key: string): string => key.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/**
 * Reads what was set, beside the flags.
 * @param texts such as `memory=1000`.
 * @param own a method that is not built in.
 * @throws {ConfigError} for a text that sets nothing, an unknown setting, a value that does not fit, what is said twice, and a memory of two
 * sizes.
 */
export function typedSettings(flags: GivenSettings, texts: readonly string[], own?: AnyMethod): Typed {
  const known = meaningsOf(own);
  const set: Record<string, unknown> = {};
  for (const text of texts) {
    const [, given = '', value = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    const where = `--set ${clipped(text)}`;
    if (given.trim() === '') {
      throw new ConfigError({ where, message: 'it sets nothing.', fix: 'It looks like --set memory=1000.' });
    }
    const key = camelCase(given.trim());
    if (key === 'method') {
      throw new ConfigError({ where, message: 'a method is no setting.', fix: 'Choose it by --method.' });
    }
    const meanings = known.get(key);
    if (!meanings) {
      throw new ConfigError({
        where,
        message: `there is no setting "${clipped(given.trim())}".`,
        fix: `${didYouMean(key, [...known.keys()])} The help of \`engram train\` names them all.`,
      });
    }
    const other = key in set ? 'another --set' : key in flags ? flagOf(key) : undefined;
    if (other !== undefined) {
      throw new ConfigError({ where, message: `${other} says it too.`, fix: 'Leave one of the two out.' });
    }
    set[key] = parseMeanings(key, meanings, value, `--set ${key}`);
  }
  const typed: Typed = {
    settings: { ...flags, ...set },
    whereOf: (key) => (key in set ? `--set ${key}` : flagOf(key, flags[key] !== false)),
  };
  checkMemorySizes(typed);
  return typed;
}

/** Of two sizes one would be without effect. A file may have both, as records of runs do. */
function checkMemorySizes({ settings, whereOf }: Typed): void {
  const given = MEMORY_SIZES.filter((key) => key in settings && settings[key] !== 0);
  const [first, second] = given;
  if (first === undefined || second === undefined) return;
  throw new ConfigError({
    where: whereOf(second),
    message: `the memory's size is given by ${whereOf(first)} already.`,
    fix: 'Leave one of the two out.',
  });
}
