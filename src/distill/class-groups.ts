/**
 * Classes in groups that were no tasks: what dense distillation is of where a model was not learnt task by task. They come as
 * lists, and `TaskPool` wants its tasks' logits side by side, so that a partition is an order of the classes with sizes.
 */
import { ArgumentError } from '../errors.ts';

/** A partition of classes. */
export interface ClassGroups {
  /** The classes group by group: `order[i]` is the class whose logit belongs in place i. */
  readonly order: readonly number[];
  /** Classes of each group; what `taskSizes` is for `denseKD`. */
  readonly sizes: readonly number[];
}

const refuse = (message: string, fix: string) => new ArgumentError({ where: 'class groups', message, fix });

/**
 * A partition from the classes of each group.
 * @param groups class numbers.
 * @param classes how many there are; each is in one group.
 * @param nameOf names a class in errors.
 * @throws {ArgumentError} when a group is empty, or a class is in none, in two, or not there.
 */
export function classGroups(
  groups: readonly (readonly number[])[],
  classes: number,
  nameOf: (label: number) => string = String,
): ClassGroups {
  const groupOf = new Map<number, number>();
  for (const [at, members] of groups.entries()) {
    if (members.length === 0) throw refuse(`group ${at + 1} has no classes.`, 'Leave it out.');
    for (const label of members) {
      if (!(Number.isInteger(label) && label >= 0 && label < classes))
        throw refuse(`group ${at + 1} has class ${label}, but there are 0 to ${classes - 1}.`, 'Take it out.');
      const other = groupOf.get(label);
      if (other !== undefined)
        throw refuse(
          other === at
            ? `group ${at + 1} has class ${nameOf(label)} twice.`
            : `class ${nameOf(label)} is in groups ${other + 1} and ${at + 1}.`,
          'Each class is in one group.',
        );
      groupOf.set(label, at);
    }
  }
  const missing = Array.from({ length: classes }, (_, label) => label).filter((label) => !groupOf.has(label));
  if (missing.length > 0)
    throw refuse(
      `class ${nameOf(missing[0]!)} is in no group${missing.length > 1 ? `, and ${missing.length - 1} others are not either` : ''}.`,
      'Each class is in one group.',
    );
  return { order: groups.flat(), sizes: groups.map(({ length }) => length) };
}

/** Whether the classes lie in their groups' order already. */
export const isInOrder = ({ order }: ClassGroups): boolean => order.every((label, place) => label === place);

/**
 * Classes that resemble each other in one group: agglomerative clustering of their prototypes by the mean cosine between the
 * classes of two clusters (average linkage, UPGMA; Sokal and Michener 1958), no cluster beyond twice its even share. Chosen over
 * k-means for having neither a start nor a seed, so that a teacher has one partition; and bounded as linkage alone puts most
 * classes into one cluster and leaves the rest alone, where the dense pool has little to combine.
 * @param prototypes [classes, features] row-major, of any length; zeros resemble nothing.
 * @param groups how many are left.
 * @returns the classes of each, ascending; the groups in the order of their first classes.
 * @throws {ArgumentError} when there are not that many classes, or the prototypes are not as many.
 */
export function clusterClasses(prototypes: ArrayLike<number>, classes: number, groups: number): number[][] {
  if (!(Number.isInteger(groups) && groups >= 1 && groups <= classes))
    throw refuse(`${classes} classes cannot be in ${groups} groups.`, `Ask for 1 to ${classes}.`);
  const features = prototypes.length / classes;
  if (!Number.isInteger(features) || features === 0)
    throw refuse(`${prototypes.length} numbers are no prototypes of ${classes} classes.`, 'Give a row for each class.');
  const likeness = cosines(prototypes, classes, features);
  const clusters = Array.from({ length: classes }, (_, label) => [label]);
  const alive = new Set(clusters.keys());
  // Of more than `groups` clusters the two smallest have no more than that together: there is always a pair to join.
  const most = 2 * Math.ceil(classes / groups);
  while (alive.size > groups) {
    const [a, b] = closestPair(clusters, alive, likeness, most);
    const [one, other] = [clusters[a] as number[], clusters[b] as number[]];
    for (const c of alive) {
      const [toA, toB] = [likeness[a]![c]!, likeness[b]![c]!];
      const mean = (one.length * toA + other.length * toB) / (one.length + other.length);
      likeness[a]![c] = mean;
      likeness[c]![a] = mean;
    }
    one.push(...other);
    alive.delete(b);
  }
  return [...alive].map((at) => (clusters[at] as number[]).sort((a, b) => a - b)).sort((a, b) => a[0]! - b[0]!);
}

/** Of pairs that are equally alike, the first. */
function closestPair(
  clusters: readonly (readonly number[])[],
  alive: ReadonlySet<number>,
  likeness: readonly Float64Array[],
  most: number,
): [number, number] {
  let best: [number, number] = [0, 0];
  let highest = Number.NEGATIVE_INFINITY;
  const list = [...alive];
  for (const [i, a] of list.entries()) {
    for (const b of list.slice(i + 1)) {
      if (clusters[a]!.length + clusters[b]!.length > most || likeness[a]![b]! <= highest) continue;
      highest = likeness[a]![b]!;
      best = [a, b];
    }
  }
  return best;
}

function cosines(prototypes: ArrayLike<number>, classes: number, features: number): Float64Array[] {
  const rows = Array.from({ length: classes }, (_, label) =>
    Float64Array.from({ length: features }, (_, i) => prototypes[label * features + i] as number),
  );
  const lengths = rows.map((row) => Math.hypot(...row) || 1);
  return rows.map((a, i) =>
    Float64Array.from(rows, (b, j) => a.reduce((sum, x, k) => sum + x * b[k]!, 0) / (lengths[i]! * lengths[j]!)),
  );
}
