/** A flag for every setting: `trainPerClass` is `--train-per-class`. */
import { type Command, Option } from 'commander';
import { closest } from 'fastest-levenshtein';
import * as v from 'valibot';
import { commonSettings, scenarioSettings } from '../continual/benchmark/config.ts';
import { imageSettings, memorySettings, networkSettings, trainingSettings } from '../continual/learner-settings.ts';
import type { AnyMethod } from '../continual/method.ts';
import { methods } from '../continual/methods/index.ts';
import { expectedOf, type Setting } from '../continual/setting.ts';
import { ConfigError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';

/** Settings that were asked for. */
export type GivenSettings = Readonly<Record<string, unknown>>;

export const flagOf = (key: string): string => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The setting that an unknown name may mean, as a question. */
export const didYouMean = (name: string, known: readonly string[]): string => `Did you mean ${closest(name, known)}?`;

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
 * A flag's text as the value the setting wants.
 * @throws {ConfigError} naming the flag when it does not fit.
 */
export function parseSetting(key: string, setting: Setting, text: string): unknown {
  const { type } = setting.type;
  const result = v.safeParse(setting.schema, parsed(type, text));
  if (result.success) return result.output;
  const options = type === 'picklist' ? (setting.type as unknown as { options: string[] }).options : null;
  throw new ConfigError({
    where: flagOf(key),
    message: `"${clipped(text)}" does not fit: expected ${expectedOf(setting)}.`,
    fix: options ? didYouMean(text, options) : `It means: ${setting.text}.`,
  });
}

/** What flags there are, under which headings. */
const HEADINGS: readonly (readonly [heading: string, settings: Readonly<Record<string, Setting>>])[] = [
  ['Data and tasks:', scenarioSettings],
  ['Exemplar memory:', memorySettings],
  ['Network:', networkSettings],
  ['Training:', trainingSettings],
  ['Images:', imageSettings],
];

/** A setting of methods, and which have it. */
interface Shared {
  readonly setting: Setting;
  readonly owners: string[];
}

/** The settings of these methods by name; of one that several have, the first one's. */
function methodSettings(of: readonly AnyMethod[]): Map<string, Shared> {
  const found = new Map<string, Shared>();
  for (const { name, settings } of of) {
    for (const [key, setting] of Object.entries(settings) as [string, Setting][]) {
      const known = found.get(key);
      if (known) known.owners.push(name);
      else found.set(key, { setting, owners: [name] });
    }
  }
  return found;
}

/**
 * Adds a flag for every setting of runs and of methods, under headings.
 * @param own a method that is not built in.
 */
export function addConfigFlags(command: Command, own?: AnyMethod): void {
  command.addOption(
    new Option('--method <name>', 'how old tasks are kept; see below, or ./FILE.js for one of your own').helpGroup(
      'Data and tasks:',
    ),
  );
  for (const [heading, settings] of HEADINGS) {
    for (const [key, setting] of Object.entries(settings)) addFlag(command, key, setting, heading);
  }
  const all = own ? [own, ...Object.values(methods)] : Object.values(methods);
  for (const [key, { setting, owners }] of methodSettings(all)) {
    addFlag(command, key, setting, 'Settings of methods:', ` (${owners.join(', ')})`);
  }
}

function addFlag(command: Command, key: string, setting: Setting, group: string, owners = ''): void {
  const { preset, text, value, type } = setting;
  if (type.type === 'boolean') {
    for (const [name, sense] of [
      [flagOf(key), true],
      [flagOf(key).replace('--', '--no-'), false],
    ] as const) {
      const option = new Option(name, `${sense ? text : `no ${text}`}${owners}`).helpGroup(group);
      command.addOption(sense === preset ? option.hideHelp() : option);
    }
    return;
  }
  const options = type.type === 'picklist' ? (type as unknown as { options: string[] }).options : null;
  const choices = options ? `: ${options.join(', ')}` : '';
  const shown = preset === undefined || (Array.isArray(preset) && preset.length === 0) ? '' : ` (default ${preset})`;
  command.addOption(
    new Option(`${flagOf(key)} <${value}>`, `${text}${choices}${shown}${owners}`)
      .helpGroup(group)
      .argParser((given: string) => parseSetting(key, setting, given)),
  );
}

/** The settings among the flags that were typed. */
export function flagsGiven(command: Command, own?: AnyMethod): GivenSettings {
  const options = command.opts<Record<string, unknown>>();
  const all = own ? [own, ...Object.values(methods)] : Object.values(methods);
  const keys = ['method', ...Object.keys(commonSettings), ...methodSettings(all).keys()];
  return Object.fromEntries(
    keys.filter((key) => command.getOptionValueSource(key) === 'cli').map((key) => [key, options[key]]),
  );
}
