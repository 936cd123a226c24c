/** What no run leaves in its checkpoint, though every part has its type: said in a clause, or `undefined`. */
import { clipped } from '../gpu/printable.ts';
import type { StateDict } from '../nn/state-dict.ts';
import type { Learner } from './learner.ts';
import type { AccuracyMatrix } from './metrics.ts';

/** Row t has t + 1 accuracies from 0 to 100. */
export function matrixFault(matrix: AccuracyMatrix): string | undefined {
  const task = matrix.findIndex(
    (row, at) => row.length !== at + 1 || !row.every((value) => value >= 0 && value <= 100),
  );
  if (task < 0) return undefined;
  const row = clipped(`[${matrix[task]?.join(', ')}]`);
  return `after task ${task + 1} it has the accuracies ${row}, where ${task + 1} of 0 to 100 percent belong`;
}

/**
 * Every class seen has its exemplars, and no other class: each image once, no more than the memory allows.
 * Methods without memory have none. `tasks` are those learnt.
 */
export function exemplarFault(
  memory: readonly (readonly [label: number, indices: readonly number[]])[],
  tasks: number,
  learner: Learner,
): string | undefined {
  const { scenario, method } = learner;
  if (method.data !== 'memory')
    return memory.length > 0 ? `${method.name} keeps no exemplars, but there are some` : undefined;
  const seen = new Set(scenario.tasks.slice(0, tasks).flat());
  const quota = learner.memory.quota(seen.size);
  const kept = new Map(memory);
  const twice = memory.find(([label, indices]) => kept.get(label) !== indices);
  if (twice) return `the exemplars of class ${twice[0]} are there twice`;
  const early = memory.find(([label]) => !seen.has(label));
  if (early) return `it has exemplars of class ${early[0]}, which is in no task learnt so far`;
  for (const label of seen) {
    const indices = kept.get(label) ?? [];
    if (indices.length < 1 || indices.length > quota) {
      return `class ${label} has ${indices.length} exemplars, where 1 to ${quota} belong`;
    }
    const once = new Set<number>();
    const repeated = indices.find((index) => once.size === once.add(index).size);
    if (repeated !== undefined) return `image ${repeated} is an exemplar of class ${label} twice`;
  }
  return undefined;
}

/** All numbers are finite, and variances are not negative. */
export function weightFault(weights: StateDict): string | undefined {
  for (const [name, { data }] of weights) {
    const strange = data.find((value) => !Number.isFinite(value));
    if (strange !== undefined) return `"${clipped(name)}" holds ${strange}`;
    const negative = name.endsWith('running_var') ? data.find((value) => value < 0) : undefined;
    if (negative !== undefined) return `"${clipped(name)}" holds the variance ${negative}`;
  }
  return undefined;
}
