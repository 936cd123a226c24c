/** A flag for every setting: `trainPerClass` is `--train-per-class`. */
import { type Command, Option } from 'commander';
import { closest } from 'fastest-levenshtein';
import * as v from 'valibot';
import { commonSettings, scenarioSettings, settingsOf } from '../continual/benchmark/config.ts';
import { dataSettings, readSettings } from '../continual/benchmark/data-settings.ts';
import { imageSettings, memorySettings, networkSettings, trainingSettings } from '../continual/learner-settings.ts';
import type { AnyMethod } from '../continual/method.ts';
import { methods } from '../continual/methods/index.ts';
import { expectedOf, type Setting } from '../continual/setting.ts';
import { flagOf } from '../continual/setting-name.ts';
import type { ReadOptions } from '../data/reader.ts';
import { ConfigError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { isOrderFile, readOrder } from './class-order.ts';

/** Settings that were asked for. */
export type GivenSettings = Readonly<Record<string, unknown>>;

/** The setting that an unknown name may mean, as a question. */
export const didYouMean = (name: string, known: readonly string[]): string => `Did you mean ${closest(name, known)}?`;

const asNumber = (text: string): unknown => {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isNaN(value) ? text : value;
};

/** What a text says, before it is known to fit: a number, several of them, on or off, or the text. */
function parsed(type: string, text: string): unknown {
  if (type === 'number') return asNumber(text);
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (type === 'union') {
    const items = text.split(',').map(asNumber);
    return items.every((item) => typeof item === 'number') ? items : text;
  }
  if (type !== 'array' && type !== 'strict_tuple') return text;
  return text === '' ? [] : text.split(',').map(asNumber);
}

/** The names that may be chosen from; none where it is not a choice. */
const optionsOf = ({ type }: Setting): string[] | undefined =>
  type.type === 'picklist' ? (type as unknown as { options: string[] }).options : undefined;

/**
 * A text of the command line as the value the setting wants.
 * @param where names the flag in errors.
 * @throws {ConfigError} when it does not fit, or the file that it names.
 */
export function parseSetting(key: string, setting: Setting, text: string, where = flagOf(key)): unknown {
  if (key === 'classOrder' && isOrderFile(text)) return readOrder(text);
  const result = v.safeParse(setting.schema, parsed(setting.type.type, text));
  if (result.success) return result.output;
  const options = optionsOf(setting);
  throw new ConfigError({
    where,
    message: `"${clipped(text)}" does not fit: expected ${expectedOf(setting)}.`,
    fix: options ? didYouMean(text, options) : `It means: ${setting.text}.`,
  });
}

/** What flags there are, under which headings. */
const HEADINGS: readonly (readonly [heading: string, settings: Readonly<Record<string, Setting>>])[] = [
  ['Data and tasks:', scenarioSettings],
  ['Data in files:', dataSettings],
  ['Exemplar memory:', memorySettings],
  ['Network:', networkSettings],
  ['Training:', trainingSettings],
  ['Images:', imageSettings],
];

/** A setting, and the methods that mean just this by its name; none named where every run has it. */
export interface Meaning {
  readonly setting: Setting;
  readonly owners: string[];
}

const meansTheSame = (a: Setting, b: Setting): boolean =>
  a.text === b.text && JSON.stringify(a.preset) === JSON.stringify(b.preset) && expectedOf(a) === expectedOf(b);

/** The settings of these methods by name, with all that it means. */
function methodSettings(of: readonly AnyMethod[]): Map<string, Meaning[]> {
  const found = new Map<string, Meaning[]>();
  for (const { name, settings } of of) {
    for (const [key, setting] of Object.entries(settings) as [string, Setting][]) {
      const known = found.get(key) ?? [];
      found.set(key, known);
      const same = known.find((one) => meansTheSame(one.setting, setting));
      if (same) same.owners.push(name);
      else known.push({ setting, owners: [name] });
    }
  }
  return found;
}

/** A setting of every run, and what it is by default for methods that were published otherwise. */
function commonMeanings(key: string, setting: Setting, of: readonly AnyMethod[]): Meaning[] {
  const others = of.flatMap((method) => {
    const own = settingsOf(method)[key];
    return own && !meansTheSame(own, setting) ? [{ setting: own, owners: [method.name] }] : [];
  });
  return [{ setting, owners: [] }, ...others];
}

/**
 * Every setting of runs and of methods by name.
 * @param own a method that is not built in.
 */
export function meaningsOf(own?: AnyMethod): Map<string, readonly Meaning[]> {
  const all = own ? [own, ...Object.values(methods)] : Object.values(methods);
  const common = Object.entries<Setting>(commonSettings).map(
    ([key, setting]) => [key, commonMeanings(key, setting, all)] as const,
  );
  return new Map([...common, ...methodSettings(all)]);
}

/**
 * Adds a flag for every setting of runs and of methods, under headings.
 * @param own a method that is not built in.
 */
export function addConfigFlags(command: Command, own?: AnyMethod): void {
  command.addOption(
    new Option(
      '--method <name>',
      'how old tasks are kept; see below, or ./FILE.js for one of your own (default fdkd)',
    ).helpGroup('Data and tasks:'),
  );
  if (own) assertFree(own, command);
  const all = own ? [own, ...Object.values(methods)] : Object.values(methods);
  for (const [heading, settings] of HEADINGS) {
    for (const [key, setting] of Object.entries(settings))
      addFlag(command, key, commonMeanings(key, setting, all), heading);
  }
  for (const [key, meanings] of methodSettings(all)) addFlag(command, key, meanings, 'Settings of methods:');
}

/** @throws {ConfigError} for a setting whose flag means something else. */
function assertFree(own: AnyMethod, { options, parent }: Command): void {
  const taken = [...options, ...(parent?.options ?? [])].map(({ long }) => long).concat('--help');
  const clash = Object.keys(own.settings).find((key) => taken.includes(flagOf(key)));
  if (clash === undefined) return;
  throw new ConfigError({
    where: `method "${own.name}"`,
    message: `it declares the setting "${clash}", but ${flagOf(clash)} is a flag of the command line itself.`,
    fix: 'Give it another name.',
  });
}

/** A flag for a setting, or the two of a switch. */
export function addFlag(command: Command, key: string, meanings: readonly Meaning[], group: string): void {
  const [{ setting }] = meanings as [Meaning];
  if (setting.type.type === 'boolean') {
    for (const [name, sense] of [
      [flagOf(key), true],
      [flagOf(key, false), false],
    ] as const) {
      const option = new Option(name, switchText(meanings, sense)).helpGroup(group);
      command.addOption(meanings.every(({ setting: { preset } }) => preset === sense) ? option.hideHelp() : option);
    }
    return;
  }
  command.addOption(
    new Option(`${flagOf(key)} <${setting.value}>`, valueText(meanings))
      .helpGroup(group)
      .argParser((given: string) => parseMeanings(key, meanings, given)),
  );
}

/**
 * A text as the first method has it that takes this value; the chosen one's own limits are known later.
 * @param where names the flag in errors.
 * @throws {ConfigError} when no method takes it.
 */
export function parseMeanings(key: string, meanings: readonly Meaning[], text: string, where?: string): unknown {
  const fits = ({ setting }: Meaning): boolean => v.is(setting.schema, parsed(setting.type.type, text));
  return parseSetting(key, (meanings.find(fits) ?? (meanings[0] as Meaning)).setting, text, where);
}

const switchText = (meanings: readonly Meaning[], sense: boolean): string =>
  meanings
    .map(({ setting: { text }, owners }) => `${sense ? '' : 'no '}${text}${bracket(owners.join(', '))}`)
    .join('\n');

/** A line for each meaning; what may be chosen is said once. */
function valueText(meanings: readonly Meaning[]): string {
  const choices = meanings.map(({ setting }) => optionsOf(setting)?.join(', '));
  return meanings
    .map(({ setting: { text, preset }, owners }, i) => {
      const isShown = preset !== undefined && !(Array.isArray(preset) && preset.length === 0);
      const chosenFrom = choices[i] === choices[i - 1] ? '' : `: ${choices[i]}`;
      return `${text}${chosenFrom}${bracket(owners.join(', '), isShown ? `default ${preset}` : '')}`;
    })
    .join('\n');
}

/** What of these there is, in brackets. */
function bracket(...parts: readonly string[]): string {
  const said = parts.filter(Boolean).join('; ');
  return said ? ` (${said})` : '';
}

/** The settings among the flags that were typed. */
export const flagsGiven = (command: Command, own?: AnyMethod): GivenSettings =>
  given(command, ['method', ...meaningsOf(own).keys()]);

const given = (command: Command, keys: readonly string[]): GivenSettings => {
  const options = command.opts<Record<string, unknown>>();
  return Object.fromEntries(
    keys.filter((key) => command.getOptionValueSource(key) === 'cli').map((key) => [key, options[key]]),
  );
};

/** Adds a flag for all that formats of data leave open. */
export function addDataFlags(command: Command): void {
  for (const [key, setting] of Object.entries<Setting>(readSettings))
    addFlag(command, key, [{ setting, owners: [] }], 'Reading:');
}

/** Those of them that were typed. */
export const dataFlagsGiven = (command: Command): ReadOptions => given(command, Object.keys(readSettings));
