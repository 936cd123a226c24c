/** What no run leaves in its files, though every part has its type: said in a clause, or `undefined`. */
import type { ImageFormat } from '../data/image-bytes.ts';
import { clipped } from '../gpu/printable.ts';
import type { StateDict } from '../nn/state-dict.ts';
import type { AccuracyMatrix } from './benchmark/metrics/matrix.ts';
import type { LearnerSettings } from './learner-settings.ts';
import type { ExemplarMemory } from './memory.ts';
import type { AnyMethod } from './method.ts';

/** Row t has t + 1 accuracies from 0 to 100. */
export function matrixFault(matrix: AccuracyMatrix): string | undefined {
  const task = matrix.findIndex(
    (row, at) => row.length !== at + 1 || !row.every((value) => value >= 0 && value <= 100),
  );
  if (task < 0) return undefined;
  const row = clipped(`[${matrix[task]?.join(', ')}]`);
  return `after task ${task + 1} it has the accuracies ${row}, where ${task + 1} of 0 to 100 percent belong`;
}

/** What a memory's exemplars follow from. */
type KeptBy = Pick<AnyMethod, 'keeps'> &
  Pick<LearnerSettings, 'selection'> & {
    /** Of the images; `null` before the first task. */
    readonly format: ImageFormat | null;
  };

/**
 * Every class has exemplars, no more than the memory allows; a reservoir has as many as it was offered, up to its size.
 * @param classes known so far.
 * @throws {ConfigError} when the memory is too small for so many classes.
 */
export function exemplarFault(
  memory: ExemplarMemory,
  classes: number,
  { keeps, selection, format }: KeptBy,
): string | undefined {
  if (keeps === 'nothing')
    return memory.size > 0 ? `its method keeps no exemplars, but there are ${memory.size}` : undefined;
  const { bytes: most = 0 } = memory.options;
  if (most > 0 && memory.bytes > most) return `its exemplars have ${memory.bytes} bytes, where at most ${most} belong`;
  if (!format) return undefined;
  if (keeps === 'exemplars' && selection === 'reservoir') return reservoirFault(memory, format);
  const quota = memory.quota(Math.max(1, classes), format);
  for (let label = 0; label < classes; label++) {
    const { length } = memory.of(label);
    if (length >= 1 && length <= quota) continue;
    const belongs = Number.isFinite(quota) ? `1 to ${quota} belong` : '1 or more belong';
    return `class ${label} has ${length} exemplars, where ${belongs}`;
  }
  return undefined;
}

function reservoirFault(memory: ExemplarMemory, format: ImageFormat): string | undefined {
  const { bytes = 0, perClass = 0 } = memory.options;
  const capacity = perClass > 0 ? perClass : memory.room(format);
  const offered = new Map(memory.counts);
  const kept = new Map<number, number>();
  for (const { label } of memory.exemplars) {
    const key = perClass > 0 ? label : -1;
    kept.set(key, (kept.get(key) ?? 0) + 1);
  }
  for (const key of new Set([...offered.keys(), ...kept.keys()])) {
    const [is, due] = [kept.get(key) ?? 0, Math.min(capacity, offered.get(key) ?? 0)];
    // Of so many bytes fewer have room with what is stored with them.
    if (bytes > 0 ? is > due || (is === 0 && due > 0) : is !== due)
      return `${key < 0 ? 'it' : `class ${key}`} has ${is} exemplars, where ${due} belong`;
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
