/** The runs of a sweep: configurations × parameters × class orders × seeds, each once. */
import { type Config, parseConfig, settingsFor } from '../continual/benchmark/config.ts';
import type { AnyMethod } from '../continual/method.ts';
import { ConfigError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { Random } from '../tensor/random.ts';
import { runId } from './run-id.ts';
import type { Parameter, SweepFile } from './sweep-file.ts';

type Settings = Readonly<Record<string, unknown>>;

export interface PlannedRun {
  /** Of its configuration; see {@link runId}. */
  readonly id: string;
  /** Complete. */
  readonly config: Config;
  /** What sets its configuration apart from the sweep's others, as a line: runs of one differ in order and seed alone. */
  readonly label: string;
  /** What tells runs of one configuration apart, and pairs those of two; empty where there is one order and no seed. */
  readonly pair: string;
}

/** Runs that each configuration is to have. */
export function plannedCounts(runs: readonly PlannedRun[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { label } of runs) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

/** What makes the order of the classes, and seeds all else. */
const CHANCE: readonly string[] = ['seed', 'classSeed', 'classOrder'];

/** Runs that a sweep may have unless more are asked for. */
export const USUAL_LIMIT = 1000;

/** A method that is chosen by name or file, with what a run records of its file. */
export interface ChosenMethod {
  readonly method: AnyMethod;
  readonly origin?: Settings;
}

export interface PlanOptions {
  /** Names the sweep in errors. */
  readonly where: string;
  /** Settings of the file that `config` names. */
  readonly base?: Settings;
  readonly limit?: number;
  /** @throws {ConfigError} for a name that tells nothing. */
  readonly methodOf: (name: unknown) => Promise<ChosenMethod>;
  /** Whether a setting is known, of whatever method, these included. @throws {ConfigError} that says what may be meant. */
  readonly assertKnown: (key: string, where: string, methods: readonly AnyMethod[]) => void;
}

function draw(parameter: Parameter, random: Random): unknown {
  if ('values' in parameter) return parameter.values[random.int(parameter.values.length)];
  const { min, max, distribution } = parameter;
  if (distribution === 'int_uniform') return min + random.int(max - min + 1);
  if (distribution === 'uniform') return random.uniform(min, max);
  // Six digits, so that a rate is one that people can type.
  return Number(Math.exp(random.uniform(Math.log(min), Math.log(max))).toPrecision(6));
}

/** Every combination, the last parameter's values changing first; how many is known before any is made. */
function grid(
  parameters: Readonly<Record<string, Parameter>>,
  where: string,
): { count: number; at(i: number): Settings } {
  const axes = Object.entries(parameters).map(([key, parameter]) => {
    if ('values' in parameter) return { key, values: parameter.values };
    throw new ConfigError({
      where,
      message: `parameter "${key}" is a range, of which a grid has no values.`,
      fix: `Give it "values", or search by "method": "random" and "runs": N.`,
    });
  });
  return {
    count: axes.reduce((count, { values }) => count * values.length, 1),
    at(index) {
      let left = index;
      const chosen = axes.toReversed().map(({ key, values }) => {
        const value = values[left % values.length];
        left = Math.floor(left / values.length);
        return [key, value] as const;
      });
      return Object.fromEntries(chosen.toReversed());
    },
  };
}

function drawn({ parameters, runs, randomSeed }: SweepFile, where: string): { count: number; at(i: number): Settings } {
  if (runs === undefined) {
    throw new ConfigError({
      where,
      message: 'a random search does not say how many draws.',
      fix: 'Add "runs", such as "runs": 20.',
    });
  }
  return {
    count: runs,
    // A stream a draw: more of them later leave those of before as they are.
    at: (index) =>
      Object.fromEntries(
        Object.entries(parameters).map(([key, one]) => [key, draw(one, Random.of(randomSeed, 'sweep', index, key))]),
      ),
  };
}

/** A value as it stands in a label. */
const told = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** What of these settings the method has, the method itself left out. */
function settingTexts(method: AnyMethod, varied: Settings): string[] {
  const { method: _, ...others } = settingsFor(method, varied);
  return Object.entries(others).map(([key, value]) => `${key}=${told(value)}`);
}

const labelOf = (method: AnyMethod, varied: Settings, isMethodVaried: boolean): string =>
  [...(isMethodVaried ? [method.name] : []), ...settingTexts(method, varied)].join(' ') || 'all alike';

/**
 * Lists the runs of a sweep: every configuration in the first order, then in the next, so that what is done of it can be
 * compared at any time. What another method has of the settings is left out, and what then is the same run is listed once.
 * @throws {ConfigError} for an unknown setting or one that does not fit, a grid of nothing, an order or seed said twice, one name for
 * different settings, and more runs than the limit.
 */
export async function planRuns(sweep: SweepFile, options: PlanOptions): Promise<PlannedRun[]> {
  const { where, base = {}, limit = USUAL_LIMIT, methodOf, assertKnown } = options;
  const { configurations = [{}], parameters, orders, seeds } = sweep;
  const isRandom = sweep.method === 'random';
  if (!sweep.configurations && !orders && !seeds && Object.keys(parameters).length === 0) {
    throw new ConfigError({
      where,
      message: 'nothing varies in this sweep: it has no parameters, configurations, orders or seeds.',
      fix: 'Add one, such as "parameters": {"method": ["kd", "fdkd"]}; a single run is `engram train`.',
    });
  }
  const named = configurations.map(({ name, ...settings }, i) => ({ name: nameOf(name, i, where), settings }));
  assertVaried(sweep, where);
  const sets: readonly Settings[] = [sweep.settings, ...named.map(({ settings }) => settings), parameters];
  const methods = await Promise.all(methodNames(sweep, base).map(async (name) => (await methodOf(name)).method));
  for (const key of sets.flatMap(Object.keys)) if (key !== 'method') assertKnown(key, where, methods);
  const points = isRandom ? drawn(sweep, where) : grid(parameters, where);
  const total = configurations.length * points.count * (orders?.length ?? 1) * (seeds?.length ?? 1);
  if (total > limit) {
    throw new ConfigError({
      where,
      message: `this sweep has ${total.toLocaleString('en')} runs, and ${limit.toLocaleString('en')} are the limit.`,
      fix: `Vary less, search by "method": "random" and "runs": N, or allow them by --limit ${total}.`,
    });
  }
  const configured: { label: string; chance: Settings; chosen: Settings; method: AnyMethod; origin: Settings }[] = [];
  for (const { name, settings } of named) {
    for (let at = 0; at < points.count; at++) {
      const point = points.at(at);
      const chosen = { ...base, ...sweep.settings, ...settings, ...point };
      const { method, origin = {} } = await methodOf(chosen.method);
      const isMethodVaried = 'method' in settings || 'method' in point;
      const label =
        name === undefined
          ? labelOf(method, { ...settings, ...point }, isMethodVaried)
          : [name, ...settingTexts(method, point)].join(' ');
      const own = Object.entries({ ...settings, ...point });
      const chance = Object.fromEntries(own.filter(([key]) => CHANCE.includes(key)));
      configured.push({ label, chance, chosen: settingsFor(method, chosen), method, origin });
    }
  }
  const runs = new Map<string, PlannedRun>();
  const ways = new Map<string, string>();
  for (const order of orders ?? [undefined]) {
    for (const seed of seeds ?? [undefined]) {
      const pair = [
        ...(order === undefined ? [] : [`order ${order}`]),
        ...(seed === undefined ? [] : [`seed ${seed}`]),
      ];
      for (const { label, chance, chosen, method, origin } of configured) {
        const own = {
          ...chosen,
          ...(order === undefined ? {} : { classOrder: `numpy:${order}`, seed: order }),
          ...(seed === undefined ? {} : { seed }),
          ...origin,
        };
        const config = parseConfig(own, where, 'methodFile' in origin ? method : undefined);
        const id = runId(config);
        const way = wayOf(config);
        if ((ways.get(label) ?? way) !== way) throw sameName(label, where);
        ways.set(label, way);
        // Orders and seeds of a configuration's own pair it as those of the sweep do.
        const owned = Object.entries(chance).map(([key, value]) => `${key} ${told(value)}`);
        if (!runs.has(id)) runs.set(id, { id, config, label, pair: [...pair, ...owned].join(', ') });
      }
    }
  }
  return [...runs.values()];
}

/** @throws {ConfigError} for an order or a seed that varies where each run is given its own: it would be dropped, or make one run two. */
function assertVaried({ orders, seeds, configurations = [], parameters }: SweepFile, where: string): void {
  const given = [...(orders ? CHANCE : []), ...(seeds ? ['seed'] : [])];
  const twice = [...configurations, parameters].flatMap(Object.keys).find((key) => given.includes(key));
  if (twice === undefined) return;
  throw new ConfigError({
    where,
    message: `"${twice}" varies beside "${orders ? 'orders' : 'seeds'}", which decide it in every run.`,
    fix: 'Leave it out: "orders" lists the orders of the classes, "seeds" the seeds.',
  });
}

/** What runs of one configuration have in common: all but order and seed. */
const wayOf = (config: Config): string =>
  runId(Object.fromEntries(Object.entries(config).filter(([key]) => !CHANCE.includes(key))));

/** Runs that are called alike are averaged. */
const sameName = (label: string, where: string): ConfigError =>
  new ConfigError({
    where,
    message: `two configurations with different settings are called "${clipped(label)}".`,
    fix: 'Give each of them a "name" of its own.',
  });

/** Every method that is named anywhere in it. */
function methodNames({ settings, configurations = [], parameters }: SweepFile, base: Settings): unknown[] {
  const { method } = parameters;
  const listed = method && 'values' in method ? method.values : [];
  const named = [base, settings, ...configurations].flatMap((one) => ('method' in one ? [one.method] : []));
  return [...new Set([...named, ...listed])];
}

function nameOf(name: unknown, index: number, where: string): string | undefined {
  if (name === undefined || (typeof name === 'string' && name !== '' && name.length <= 80)) return name;
  throw new ConfigError({
    where,
    message: `"configurations.${index}.name" does not fit: ${JSON.stringify(name)}.`,
    fix: 'A configuration is named by a text of up to 80 letters, or by what it sets where it has no name.',
  });
}
