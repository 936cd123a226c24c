/** A flag for every setting of the schema: `trainPerClass` is `--train-per-class`. */
import { type Command, Option } from 'commander';
import { closest } from 'fastest-levenshtein';
import * as v from 'valibot';
import { CONFIG_KEYS, type Config, configSchema, expectedOf } from '../continual/config.ts';
import { ConfigError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { configHelp } from './config-help.ts';

/** Settings that were asked for. */
export type GivenSettings = Partial<Record<keyof Config, unknown>>;

export const flagOf = (key: string): string => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The setting that an unknown name may mean, as a question. */
export const didYouMean = (name: string, known: readonly string[]): string => `Did you mean ${closest(name, known)}?`;

const typeOf = (key: keyof Config) => configSchema.entries[key].wrapped;
const defaults = v.getDefaults(configSchema);

const asNumber = (text: string): unknown => {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isNaN(value) ? text : value;
};

/** What a flag's text says, before it is known to fit: a number, several of them, or the text. */
function parsed(type: string, text: string): unknown {
  if (type === 'number') return asNumber(text);
  if (type !== 'array' && type !== 'strict_tuple') return text;
  return text === '' ? [] : text.split(',').map(asNumber);
}

/**
 * A flag's text as the value the schema wants.
 * @throws {ConfigError} naming the flag when it does not fit.
 */
export function parseSetting(key: keyof Config, text: string): unknown {
  const result = v.safeParse(configSchema.entries[key], parsed(typeOf(key).type, text));
  if (result.success) return result.output;
  throw new ConfigError({
    where: flagOf(key),
    message: `"${clipped(text)}" does not fit: expected ${expectedOf(key)}.`,
    fix: suggestion(key, text),
  });
}

function suggestion(key: keyof Config, text: string): string {
  const type = typeOf(key);
  if (type.type === 'picklist') return didYouMean(text, type.options);
  return `It means: ${configHelp[key].text}.`;
}

/** Adds a flag for every setting, under headings. */
export function addConfigFlags(command: Command): void {
  for (const key of Object.keys(configHelp) as (keyof Config)[]) {
    const { group, value, text } = configHelp[key];
    const type = typeOf(key);
    const preset: unknown = defaults[key];
    if (type.type === 'boolean') {
      for (const [name, sense] of [
        [flagOf(key), true],
        [flagOf(key).replace('--', '--no-'), false],
      ] as const) {
        const option = new Option(name, sense ? text : `no ${text}`).helpGroup(group);
        command.addOption(sense === preset ? option.hideHelp() : option);
      }
      continue;
    }
    const choices = type.type === 'picklist' && key !== 'method' ? `: ${type.options.join(', ')}` : '';
    const shown = preset === undefined || (Array.isArray(preset) && preset.length === 0) ? '' : ` (default ${preset})`;
    command.addOption(
      new Option(`${flagOf(key)} <${value}>`, `${text}${choices}${shown}`)
        .helpGroup(group)
        .argParser((given: string) => parseSetting(key, given)),
    );
  }
}

/** The settings among the flags that were typed. */
export function flagsGiven(command: Command): GivenSettings {
  const options = command.opts<Record<string, unknown>>();
  return Object.fromEntries(
    CONFIG_KEYS.filter((key) => command.getOptionValueSource(key) === 'cli').map((key) => [key, options[key]]),
  );
}
