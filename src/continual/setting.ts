/**
 * Settings as methods and learners declare them: a type with its limits, a default, and what it means for people. Command
 * lines, files, records and the library read the same declaration.
 */
import * as v from 'valibot';
import { ConfigError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { expected, received } from './expected.ts';

/** @inline */
type Entry<T> = v.GenericSchema<unknown, T>;

/** One setting: what it may be, and what it means. */
export interface Setting<T = unknown> {
  /** Of values that are given; `undefined` gives the default. */
  readonly schema: Entry<T>;
  /** The type within, for messages and command lines. */
  readonly type: v.GenericSchema;
  /** `undefined` where it is left open. */
  readonly preset: T;
  /** One line for `--help`. */
  readonly text: string;
  /** What a value is called there; empty for switches. */
  readonly value: string;
}

/** Settings by name, in camel case: `kdWeight` is `--kd-weight` on a command line. */
export type Settings = Readonly<Record<string, Setting>>;
/** What they hold once checked. */
export type ValuesOf<S extends Settings> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };
/** What may be given for them. */
export type GivenValues<S extends Settings> = Partial<ValuesOf<S>>;

/** Declares a setting by a valibot schema; the builders below are for the usual types. */
export function setting<T>(schema: Entry<T>, preset: T, text: string, value?: string): Setting<T>;
export function setting<T>(schema: Entry<T>, preset: undefined, text: string, value?: string): Setting<T | undefined>;
export function setting<T>(schema: Entry<T>, preset: T | undefined, text: string, value = 'x'): Setting<T | undefined> {
  return {
    schema: v.optional(schema as v.GenericSchema<T, T>, preset as T) as Entry<T>,
    type: schema,
    preset,
    text,
    value,
  };
}

/** What a number may be. */
export interface NumberLimits {
  /** Whole numbers only. */
  readonly whole?: boolean;
  /** The smallest one that is taken. */
  readonly least?: number;
  /** The largest one that is taken. */
  readonly most?: number;
  /** All must be larger. */
  readonly above?: number;
  /** All must be smaller. */
  readonly below?: number;
}

/** A finite number within limits. */
export function number(limits: NumberLimits = {}): v.GenericSchema<number, number> {
  const { whole, least, most, above, below } = limits;
  const isBounded = (least ?? above) !== undefined && (most ?? below) !== undefined;
  const actions = [
    ...(whole ? [v.safeInteger()] : isBounded ? [] : [v.finite()]),
    ...(least === undefined ? [] : [v.minValue<number, number>(least)]),
    ...(most === undefined ? [] : [v.maxValue<number, number>(most)]),
    ...(above === undefined ? [] : [v.gtValue<number, number>(above)]),
    ...(below === undefined ? [] : [v.ltValue<number, number>(below)]),
  ];
  // A pipe's type counts its actions one by one.
  const pipe = v.pipe as unknown as (...items: unknown[]) => v.GenericSchema<number, number>;
  return pipe(v.number(), ...actions);
}

/** A number: `numberSetting(2, { above: 0 }, 'temperature of the distillation', 'T')`. */
export const numberSetting = (preset: number, limits: NumberLimits, text: string, value = 'x'): Setting<number> =>
  setting(number(limits), preset, text, value);

/** A whole number from `least` on: a count, a seed. */
export const wholeSetting = (preset: number, least: number, text: string, value = 'n'): Setting<number> =>
  setting(number({ whole: true, least }), preset, text, value);

/** On or off. */
export const switchSetting = (preset: boolean, text: string): Setting<boolean> =>
  setting(v.boolean(), preset, text, '');

/** One of several names. */
export function choiceSetting<const T extends string>(
  options: readonly T[],
  preset: NoInfer<T>,
  text: string,
  value?: string,
): Setting<T>;
export function choiceSetting<const T extends string>(
  options: readonly T[],
  preset: undefined,
  text: string,
  value?: string,
): Setting<T | undefined>;
export function choiceSetting<const T extends string>(
  options: readonly T[],
  preset: T | undefined,
  text: string,
  value = 'name',
): Setting<T | undefined> {
  return setting<T>(v.picklist(options) as Entry<T>, preset as T, text, value);
}

/** What a value of a setting may be, in words: `a finite number above 0`. */
export const expectedOf = ({ type }: Setting): string => expected(type as Parameters<typeof expected>[0]);

/**
 * Fills in the defaults, and checks every value.
 * @param where names the file, the command line or the call in errors.
 * @param of what has these settings, `method "fdkd"` for example.
 * @returns the settings in the order they are declared in; those left open are not there.
 * @throws {ConfigError} naming the first that is unknown or does not fit, what it may be and what was given.
 */
export function readSettings<S extends Settings>(settings: S, given: unknown, where: string, of: string): ValuesOf<S> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ConfigError({
      where,
      message: `${received(given)} is not a set of settings.`,
      fix: 'Give an object of them.',
    });
  }
  const names = Object.keys(settings);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new ConfigError({
      where,
      message: `unknown setting "${clipped(unknown)}".`,
      fix: names.length > 0 ? `The settings of ${of}: ${names.join(', ')}.` : `${of} has no settings.`,
    });
  }
  const values: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(settings)) {
    const value = (given as Record<string, unknown>)[name];
    const result = v.safeParse(one.schema, value);
    if (!result.success) {
      throw new ConfigError({
        where,
        message: `"${name}" does not fit: expected ${expectedOf(one)}, received ${received(value)}.`,
        fix: 'Correct the value or leave it out.',
      });
    }
    if (result.output !== undefined) values[name] = result.output;
  }
  return values as ValuesOf<S>;
}

/** What JavaScript itself asks objects for: `await` and `JSON.stringify`. */
const ASKED_BY_LANGUAGE = ['then', 'toJSON'];

/**
 * Values as a method sees them: one that it asks for and did not declare is a mistake in it, and not `undefined`.
 * @param of names what declared them.
 * @returns the same values; asked for another one, it throws a {@link ConfigError} that names the declared ones.
 */
export function guarded<T extends object>(values: T, declared: Settings, of: string): T {
  const names = Object.keys(declared);
  return new Proxy(values, {
    get(target, name) {
      if (typeof name === 'symbol' || name in target || names.includes(name) || ASKED_BY_LANGUAGE.includes(name))
        return Reflect.get(target, name);
      throw new ConfigError({
        where: of,
        message: `it asks for the setting "${clipped(name)}", which it does not declare.`,
        fix: names.length > 0 ? `It declares ${names.join(', ')}.` : 'It declares none.',
      });
    },
  });
}
