/** What a run is known by: its configuration, whatever the machine. */
import { createHash } from 'node:crypto';

/** Settings by name; where data, lists and methods lie, as paths. */
type Recorded = Readonly<Record<string, unknown>>;

/** Where data, lists and methods lie is a machine's own affair: the last part of the path is kept. */
const lastPart = (path: unknown): unknown =>
  typeof path === 'string'
    ? path
        .replace(/[\\/]+$/, '')
        .split(/[\\/]/)
        .at(-1)
    : path;

/** A configuration as it is recorded, and as it is hashed. */
export function recordedConfig(config: Recorded): Record<string, unknown> {
  const { methodFile, testList, ...rest } = config;
  return {
    ...rest,
    data: lastPart(config.data),
    ...(methodFile === undefined ? {} : { methodFile: lastPart(methodFile) }),
    ...(testList === undefined ? {} : { testList: lastPart(testList) }),
  };
}

/** Objects with their entries in alphabetical order; `undefined` left out. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, canonical(one)]));
}

/** Twelve hexadecimal digits of the SHA-256 of the configuration, defaults included: the same settings are the same run. */
export const runId = (config: Recorded): string =>
  createHash('sha256')
    .update(JSON.stringify(canonical(recordedConfig(config))))
    .digest('hex')
    .slice(0, 12);
