/** Which classes are a group for the dense loss. */
import { files } from '#files';
import type { Compression } from '../../continual/compression/compression.ts';
import { type ClassGroups, classGroups, clusterClasses } from '../../distill/class-groups.ts';
import { MOST_DENSE_TASKS } from '../../distill/task-pool.ts';
import { ArgumentError, ConfigError } from '../../errors.ts';
import { clipped } from '../../gpu/printable.ts';

/** A grouping as it was asked for. */
export interface Grouping {
  readonly kind: 'clusters' | 'tasks' | 'file';
  /** Of clusters; by default the square root of the classes, as far as it is a number that is taken. */
  readonly count?: number;
  /** Of a file: its lists of names and numbers. */
  readonly lists: readonly (readonly (string | number)[])[];
  readonly where: string;
}

/**
 * Looks at what was asked for, without the teacher's classes.
 * @throws {ConfigError | DataError}
 */
export async function readGrouping(how: string, count: number | undefined): Promise<Grouping> {
  if (count !== undefined && how !== 'clusters') {
    throw new ConfigError({
      where: '--groups',
      message: 'it is the number of clusters, and the groups are to be something else.',
      fix: 'Leave it out, or leave --grouping out.',
    });
  }
  if (how === 'clusters') return { kind: 'clusters', lists: [], where: '--groups', ...(count ? { count } : {}) };
  if (how === 'tasks') return { kind: 'tasks', lists: [], where: '--grouping' };
  return { kind: 'file', lists: await readLists(how), where: how };
}

/** @throws {ConfigError | DataError} unless the file is a list of lists of names and numbers. */
async function readLists(path: string): Promise<(string | number)[][]> {
  if (!(await files.exists(path))) {
    throw new ConfigError({
      where: '--grouping',
      message: `"${clipped(path)}" is neither clusters nor tasks, nor a file.`,
      fix: 'Choose one of the two, or give a JSON file such as [["cup", "mug"], ["pen", "pencil"]].',
    });
  }
  const text = await files.readText(path);
  const refuse = (message: string, cause?: unknown) =>
    new ConfigError({
      where: path,
      message,
      fix: 'It looks like [["cup", "mug"], ["pen", "pencil"]], or with the numbers of classes.',
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refuse(`this is not JSON: ${(cause as Error).message}.`, cause);
  }
  const isClass = (one: unknown) => typeof one === 'string' || Number.isInteger(one);
  if (!Array.isArray(value) || value.length === 0 || !value.every((list) => Array.isArray(list) && list.every(isClass)))
    throw refuse('this is not a list of lists of class names or numbers.');
  return value;
}

/** What groups are made from. */
export interface Grouped {
  /** Names of the classes, in the order of the logits. */
  readonly names: readonly string[];
  /** The name of a class by its number in the data. */
  readonly nameOf: (label: number) => string;
  readonly taskSizes: readonly number[];
  readonly compression: Pick<Compression, 'prototypes'>;
}

/**
 * @throws {ConfigError} for groups that are none of these classes, for one alone, which would be the usual distillation, and for more
 * than the dense pool takes.
 */
export async function groupsFor(
  { kind, count, lists, where }: Grouping,
  { names, nameOf, taskSizes, compression }: Grouped,
): Promise<ClassGroups> {
  const classes = names.length;
  const lots =
    kind === 'clusters'
      ? clustered(where, await compression.prototypes(), classes, count ?? usualCount(classes))
      : kind === 'tasks'
        ? tasks(taskSizes)
        : lists.map((list) => list.map((one) => placeOf(typeof one === 'number' ? nameOf(one) : one, names, where)));
  const groups = told(where, () => classGroups(lots, classes, (label) => `"${clipped(names[label] as string)}"`));
  const many = groups.sizes.length;
  if (many > 1 && many <= MOST_DENSE_TASKS) return groups;
  throw new ConfigError({
    where,
    message:
      many === 1
        ? `all ${classes} classes would be one group, and the dense loss the usual distillation.`
        : `there would be ${many} groups; the dense pool has every union of up to ${MOST_DENSE_TASKS}.`,
    fix: kind === 'tasks' ? 'Use --grouping clusters.' : kind === 'clusters' ? askFor(classes) : 'Give others.',
  });
}

const usualCount = (classes: number): number => Math.min(Math.max(2, Math.round(Math.sqrt(classes))), MOST_DENSE_TASKS);

/** Numbers of clusters that are taken. */
const askFor = (classes: number): string => `Ask for 2 to ${Math.min(classes, MOST_DENSE_TASKS)}.`;

/** @throws {ConfigError} for more clusters than classes. */
function clustered(where: string, prototypes: ArrayLike<number>, classes: number, count: number): number[][] {
  if (count <= classes) return clusterClasses(prototypes, classes, count);
  throw new ConfigError({
    where,
    message: `${classes} classes cannot be in ${count} groups.`,
    fix: askFor(classes),
  });
}

function tasks(sizes: readonly number[]): number[][] {
  let first = 0;
  return sizes.map((size) => {
    first += size;
    return Array.from({ length: size }, (_, i) => first - size + i);
  });
}

/** @throws {ConfigError} */
function placeOf(one: string, names: readonly string[], where: string): number {
  const found = names.indexOf(one);
  if (found >= 0) return found;
  throw new ConfigError({
    where,
    message: `the run has no class "${clipped(one)}".`,
    fix: `Its classes are ${clipped(names.join(', '), 200)}.`,
  });
}

/** What is refused, where it was asked for. */
function told<T>(where: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof ArgumentError)) throw cause;
    throw new ConfigError({ where, message: cause.reason, ...(cause.fix ? { fix: cause.fix } : {}), cause });
  }
}
