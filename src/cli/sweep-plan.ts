/** A sweep's file, and the runs that it comes to. */
import { methodOf } from '../continual/benchmark/config.ts';
import type { AnyMethod } from '../continual/method.ts';
import { ConfigError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { type ChosenMethod, type PlannedRun, planRuns } from '../sweep/plan.ts';
import { readSweep, type SweepFile } from '../sweep/sweep-file.ts';
import { didYouMean, type GivenSettings, meaningsOf } from './config-flags.ts';
import { isMethodFile, methodBeside, methodFrom, methodIn, placeBeside } from './method-choice.ts';
import { loadMethod, originOf } from './method-file.ts';
import { readConfigFile } from './settings.ts';

/** A sweep's file and its runs. */
export interface Planned {
  readonly sweep: SweepFile;
  readonly runs: readonly PlannedRun[];
  /** The label of the configuration that the others are compared with. */
  readonly baseline: string | undefined;
}

/** @throws {ConfigError | DataError} for a file that is no sweep, or whose settings do not fit. */
export async function planSweep(file: string, limit?: number): Promise<Planned> {
  const sweep = await withMethodsBeside(await readSweep(file), file);
  const base = await baseOf(sweep);
  const runs = await planRuns(sweep, {
    where: file,
    base,
    ...(limit === undefined ? {} : { limit }),
    methodOf: methodChoice(file),
    assertKnown,
  });
  return { sweep, runs, baseline: baselineOf(sweep, runs, file) };
}

/** A sweep whose methods are named by where they lie: beside its file, as its `config` does. @throws {ConfigError} */
async function withMethodsBeside(sweep: SweepFile, file: string): Promise<SweepFile> {
  const placed = async (name: unknown) => (isMethodFile(name) ? methodBeside(name, file) : name);
  const inSettings = async <T extends Readonly<Record<string, unknown>>>(settings: T): Promise<T> =>
    'method' in settings ? { ...settings, method: await placed(settings.method) } : settings;
  const { settings, configurations, parameters } = sweep;
  const { method } = parameters;
  const isListed = method !== undefined && 'values' in method;
  return {
    ...sweep,
    settings: await inSettings(settings),
    ...(configurations ? { configurations: await Promise.all(configurations.map(inSettings)) } : {}),
    ...(isListed
      ? { parameters: { ...parameters, method: { values: await Promise.all(method.values.map(placed)) } } }
      : {}),
  };
}

/** Settings of the file that everything else is beside. @throws {ConfigError | DataError} */
async function baseOf({ config, settings }: SweepFile): Promise<GivenSettings> {
  if (config === undefined) return {};
  const named = await methodIn(config);
  if (named !== undefined && !isMethodFile(named)) await methodFrom(named, config);
  const chosen = settings.method ?? named;
  const own = isMethodFile(chosen) ? (await loadMethod(chosen)).method : undefined;
  const before = own && settings.method !== undefined ? own.name : settings.method;
  const base = await readConfigFile(config, before, own);
  return named === undefined ? base : { ...base, method: named };
}

function assertKnown(key: string, where: string, methods: readonly AnyMethod[]): void {
  const known = meaningsOf();
  if (known.has(key) || methods.some(({ settings }) => Object.hasOwn(settings, key))) return;
  throw new ConfigError({
    where,
    message: `there is no setting "${clipped(key)}".`,
    fix: `${didYouMean(key, [...known.keys()])} The help of \`engram train\` names them all.`,
  });
}

/** Methods by name or by file, each file loaded once. @param where the sweep's file. */
function methodChoice(where: string): (name: unknown) => Promise<ChosenMethod> {
  const loaded = new Map<string, Promise<ChosenMethod>>();
  return async (name = 'fdkd') => {
    if (!isMethodFile(name)) {
      // Refuses what is none, with what it may mean.
      await methodFrom(typeof name === 'string' ? name : JSON.stringify(name), where);
      return { method: methodOf(name) };
    }
    const known = loaded.get(name) ?? loadMethod(name).then((own) => ({ method: own.method, origin: originOf(own) }));
    loaded.set(name, known);
    return known;
  };
}

/** The one configuration that has the baseline's settings. */
function baselineOf({ baseline }: SweepFile, runs: readonly PlannedRun[], where: string): string | undefined {
  if (baseline === undefined) return undefined;
  const wanted = Object.entries(baseline);
  const has = ({ config, label }: PlannedRun, key: string, value: unknown): boolean => {
    if (key === 'name') return label === value;
    // A method of one's own is named as configurations do, or by the name that it has itself.
    if (key === 'method' && isMethodFile(value)) return config.methodFile === placeBeside(value, where);
    return JSON.stringify(config[key]) === JSON.stringify(value);
  };
  const fits = runs.filter((run) => wanted.every(([key, value]) => has(run, key, value)));
  const labels = [...new Set(fits.map(({ label }) => label))];
  const [label] = labels;
  if (label !== undefined && labels.length === 1) return label;
  throw new ConfigError({
    where,
    message:
      label === undefined
        ? `no run has the settings of the baseline, ${JSON.stringify(baseline)}.`
        : `${labels.length} configurations have the settings of the baseline: ${labels.slice(0, 3).join('; ')}${labels.length > 3 ? '; …' : ''}.`,
    fix: 'The baseline names settings of one configuration, such as {"method": "kd", "kdWeight": 1}, or its {"name": …}.',
  });
}
