/** A sweep as a file: which settings vary, how, and in which orders of the classes. Words as in other tools' sweeps. */
import { basename, dirname, resolve } from 'node:path';
import * as v from 'valibot';
import { files } from '#files';
import { ConfigError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';

const finite = v.pipe(v.number(), v.finite());
const seed = v.pipe(finite, v.integer(), v.minValue(0), v.maxValue(2 ** 32 - 1));
const seeds = v.pipe(v.array(seed), v.minLength(1, 'it is empty'));
const settings = v.record(v.string(), v.unknown());

const distribution = v.pipe(
  v.picklist(['uniform', 'log_uniform', 'int_uniform']),
  v.description('log_uniform: evenly in the logarithm; int_uniform: whole numbers, both bounds included'),
);
/** What a random search draws from between two bounds. */
export const rangeSchema = v.strictObject({
  min: finite,
  max: finite,
  distribution: v.optional(distribution, 'uniform'),
});
const values = v.pipe(v.array(v.unknown()), v.minLength(1, 'it has no values'));
const parameter = v.union([values, v.strictObject({ values }), v.strictObject({ value: v.unknown() }), rangeSchema]);

/** It is a folder's, and a part of names on a queue. */
const nameSchema = v.pipe(
  v.string(),
  v.regex(/^[\w][\w.-]{0,63}$/, 'up to 64 letters, digits, points, hyphens and underscores'),
);

const stopSchema = v.strictObject({
  minTasks: v.optional(
    v.pipe(finite, v.integer(), v.minValue(1), v.description('tasks that a run learns at least')),
    2,
  ),
  margin: v.optional(v.pipe(finite, v.minValue(0), v.description('points that it may be below the median')), 0),
});

/** What a sweep's file may hold; editors show the descriptions (`cli/sweep-schema.ts`). */
export const sweepSchema = v.strictObject({
  $schema: v.exactOptional(v.pipe(v.string(), v.description('the JSON Schema that editors complete the file by'))),
  name: v.exactOptional(
    v.pipe(
      nameSchema,
      v.description("names the sweep's folder and its runs on a queue; the file's own name by default"),
    ),
  ),
  description: v.exactOptional(v.pipe(v.string(), v.description('what it is to find out'))),
  method: v.optional(
    v.pipe(
      v.picklist(['grid', 'random']),
      v.description("every combination of the parameters' values, or draws from them"),
    ),
    'grid',
  ),
  config: v.exactOptional(
    v.pipe(v.string(), v.description('a recipe, or a file of settings, that everything else is beside')),
  ),
  settings: v.optional(v.pipe(settings, v.description('of every run')), {}),
  configurations: v.exactOptional(
    v.pipe(
      v.array(settings),
      v.minLength(1, 'it is empty'),
      v.description('settings that go together, a set of runs each; "name" is how tables call one'),
    ),
  ),
  parameters: v.optional(
    v.pipe(
      v.record(v.string(), parameter),
      v.description('settings that vary: lists of values, or ranges to draw from'),
    ),
    {},
  ),
  orders: v.exactOptional(
    v.pipe(
      seeds,
      v.description("class orders by NumPy's seeds, which also seed all else that is random in their runs"),
    ),
  ),
  seeds: v.exactOptional(v.pipe(seeds, v.description('seeds of everything that is random, whatever the class order'))),
  runs: v.exactOptional(v.pipe(finite, v.integer(), v.minValue(1), v.description('draws of a random search'))),
  randomSeed: v.optional(v.pipe(seed, v.description('what a random search draws by')), 0),
  baseline: v.exactOptional(
    v.pipe(
      settings,
      v.description('the configuration that the others are compared with, order by order: some of its settings'),
    ),
  ),
  earlyStop: v.exactOptional(
    v.pipe(
      stopSchema,
      v.description(
        'stops runs that are below the median of the others (Golovin et al., Google Vizier, 2017, section 3.5)',
      ),
    ),
  ),
});

export type Range = v.InferOutput<typeof rangeSchema>;
export type EarlyStop = v.InferOutput<typeof stopSchema>;
/** What a parameter takes: one of these values, or a number of a range. */
export type Parameter = { readonly values: readonly unknown[] } | Range;

/** A sweep's file, read. */
export interface SweepFile extends Omit<v.InferOutput<typeof sweepSchema>, 'name' | 'parameters' | '$schema'> {
  readonly name: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
}

const LOOKS =
  'It looks like {"settings": {"data": "glyphs"}, "parameters": {"method": ["kd", "fdkd"]}, "orders": [0, 1, 2]}.';

/** How a value that does not fit is said: unions of valibot tell what each of them expected. */
function reasonOf(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'union') return 'a list of values, {"values": […]}, or {"min": …, "max": …} was expected';
  if (issue.type === 'strict_object' && issue.expected === 'never') return 'there is no such entry';
  return issue.message.replace(/\.$/, '');
}

function parameterOf(name: string, given: v.InferOutput<typeof parameter>, where: string): Parameter {
  if (Array.isArray(given)) return { values: given };
  if ('value' in given) return { values: [given.value] };
  if ('values' in given) return given;
  const { min, max, distribution } = given;
  const isBad =
    min > max ||
    (distribution === 'log_uniform' && min <= 0) ||
    (distribution === 'int_uniform' && !(Number.isInteger(min) && Number.isInteger(max)));
  if (!isBad) return given;
  throw new ConfigError({
    where,
    message: `parameter "${name}": nothing lies from ${min} to ${max} (${distribution}).`,
    fix: 'The lower bound comes first; a log_uniform one is above 0, an int_uniform one a whole number.',
  });
}

/**
 * @param where names what the text is from.
 * @param name what the sweep is called where the text does not say.
 * @throws {ConfigError} naming the first entry that does not fit, or for a name that is needed and does not.
 */
export function parseSweep(text: string, where: string, name: string): SweepFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ConfigError({ where, message: `this is not JSON: ${(cause as Error).message}.`, fix: LOOKS, cause });
  }
  // Valibot takes a list for an object without entries of names.
  const result = v.safeParse(sweepSchema, Array.isArray(json) ? null : json);
  if (!result.success) {
    const [issue] = result.issues;
    const place = v.getDotPath(issue);
    throw new ConfigError({
      where,
      message: place === null ? 'this is not a sweep.' : `"${place}" does not fit: ${reasonOf(issue)}.`,
      fix: LOOKS,
    });
  }
  const { $schema: _, parameters, ...sweep } = result.output;
  const read = Object.entries(parameters).map(([key, given]) => [key, parameterOf(key, given, where)] as const);
  if (sweep.name === undefined) assertName(name, where);
  return { name, ...sweep, parameters: Object.fromEntries(read) };
}

/** @throws {ConfigError} for the name of a file that no sweep can be called by. */
function assertName(name: string, where: string): void {
  const { issues } = v.safeParse(nameSchema, name);
  if (!issues) return;
  throw new ConfigError({
    where,
    message: `the sweep would be called "${clipped(name)}" after its file, and a sweep's name is ${issues[0].message}.`,
    fix: 'Give it a "name", or the file another one.',
  });
}

/**
 * Reads a sweep's file; what it says of `config` lies beside it.
 * @throws {DataError} where there is none.
 * @throws {ConfigError} as {@link parseSweep}.
 */
export async function readSweep(path: string): Promise<SweepFile> {
  const sweep = parseSweep(await files.readText(path), path, basename(path).replace(/(\.sweep)?\.json$/, ''));
  if (sweep.config === undefined) return sweep;
  const beside = resolve(dirname(path), sweep.config);
  return (await files.exists(beside)) ? { ...sweep, config: beside } : sweep;
}
