/** How many classes each task brings. */
import { ConfigError } from '../../errors.ts';
import { named } from '../setting-name.ts';

/** What says how classes are dealt out; more than one may, where they agree. */
export interface Deal {
  /** Tasks the classes are dealt out to. */
  readonly tasks?: number | undefined;
  /** Classes of each task after the first. */
  readonly increment?: number | undefined;
  /** Classes of the first task; 0 for no more than the others. */
  readonly baseClasses?: number | undefined;
  /** Classes of each task. */
  readonly taskSizes?: readonly number[] | undefined;
}

/** Tasks where nothing says how many. */
export const USUAL_TASKS = 5;

const refuse = (message: string, fix: string): ConfigError => new ConfigError({ where: 'scenario', message, fix });

/**
 * Sizes of the tasks that so many classes are dealt out to: those that are given, steps of `increment` after a base, the last one
 * with what is left, or tasks that share evenly what the base leaves, earlier ones the remainder.
 * @throws {ConfigError} when the tasks cannot be filled, or what says it does not agree.
 */
export function dealClasses(classes: number, deal: Deal): number[] {
  const { tasks, increment, baseClasses: base = 0, taskSizes } = deal;
  if (base > classes) {
    throw refuse(
      `the first task is to have ${base} classes, but there are only ${classes}.`,
      `Use ${named('baseClasses', classes)} or fewer.`,
    );
  }
  if (taskSizes === undefined && increment === undefined) return evenly(classes, tasks ?? USUAL_TASKS, base);
  const sizes = taskSizes ? given(classes, taskSizes, deal) : stepwise(classes, increment as number, base);
  if (tasks === undefined || tasks === sizes.length) return sizes;
  throw refuse(
    `${taskSizes ? 'the sizes of tasks' : `increments of ${increment}`} make ${sizes.length} tasks of ${classes} classes, but ${tasks} are asked for.`,
    `Leave ${named('tasks')} out.`,
  );
}

function evenly(classes: number, tasks: number, base: number): number[] {
  const first = base > 0 ? [base] : [];
  const left = classes - (first[0] ?? 0);
  const others = tasks - first.length;
  if (left < others || others < 0 || (others === 0 && left > 0)) {
    throw refuse(
      `${classes} classes cannot be dealt out to ${tasks} tasks${base > 0 ? ` of which the first has ${base}` : ''}.`,
      'Ask for fewer tasks or a smaller first one.',
    );
  }
  return [
    ...first,
    ...Array.from({ length: others }, (_, i) => Math.floor(left / others) + (i < left % others ? 1 : 0)),
  ];
}

function stepwise(classes: number, increment: number, base: number): number[] {
  if (!(Number.isInteger(increment) && increment > 0))
    throw refuse(
      `tasks cannot bring ${increment} classes each.`,
      `Give a whole number of at least 1 for ${named('increment')}.`,
    );
  const sizes = base > 0 ? [base] : [];
  for (let left = classes - base; left > 0; left -= increment) sizes.push(Math.min(increment, left));
  return sizes;
}

function given(classes: number, sizes: readonly number[], { increment, baseClasses = 0 }: Deal): number[] {
  if (increment !== undefined || baseClasses > 0) {
    throw refuse(
      `the tasks' sizes are given one by one, and ${increment === undefined ? 'the first one' : 'an increment'} besides.`,
      `Leave ${named('increment')} and ${named('baseClasses')} out, or ${named('taskSizes')}.`,
    );
  }
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total > classes) {
    throw refuse(
      `tasks of [${sizes.join(', ')}] classes need ${total}, but there are only ${classes}.`,
      'Ask for fewer or smaller tasks.',
    );
  }
  if (sizes.length === 0 || !sizes.every((size) => Number.isInteger(size) && size > 0))
    throw refuse(`[${sizes.join(', ')}] are no sizes of tasks.`, 'Give a whole number of at least 1 for each task.');
  return [...sizes];
}
