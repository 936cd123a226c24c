/**
 * Class-incremental learning: the classes arrive task by task, and after each task all classes seen so far are to be told
 * apart without knowing the task (van de Ven et al. 2022).
 */
import { ConfigError } from '../../errors.ts';
import { Random } from '../../tensor/random.ts';

export interface ScenarioOptions {
  /** Number of classes in the data. */
  classes: number;
  tasks: number;
  /** Classes of the first task; 0 deals all tasks alike. */
  baseClasses?: number;
  /** Order of arrival; drawn from `classSeed` by default. */
  classOrder?: readonly number[] | undefined;
  /** −1 keeps the order of the data. */
  classSeed?: number;
}

export class Scenario {
  /** Class numbers of the data, in order of arrival. */
  readonly classOrder: readonly number[];
  /** Class numbers of each task. */
  readonly tasks: readonly (readonly number[])[];
  /** The logit of each class of the data: its place in the order; −1 for a class that never arrives. */
  readonly logitOf: Int32Array;

  /** @throws {ConfigError} when the tasks cannot be filled or the order names no permutation. */
  constructor({ classes, tasks, baseClasses = 0, classOrder, classSeed = 0 }: ScenarioOptions) {
    this.classOrder = classOrder ?? drawOrder(classes, classSeed);
    checkOrder(this.classOrder, classes);
    const sizes = taskSizes(this.classOrder.length, tasks, baseClasses);
    let start = 0;
    this.tasks = sizes.map((size) => {
      start += size;
      return this.classOrder.slice(start - size, start);
    });
    this.logitOf = new Int32Array(classes).fill(-1);
    this.classOrder.forEach((label, logit) => {
      this.logitOf[label] = logit;
    });
  }

  /** Classes that each task brings. */
  get taskSizes(): number[] {
    return this.tasks.map((classes) => classes.length);
  }

  /** Number of classes seen after a task; 0 before the first. */
  classesAfter(task: number): number {
    return this.taskSizes.slice(0, task + 1).reduce((total, size) => total + size, 0);
  }

  /** The task of each logit. */
  get taskOfLogit(): Int32Array {
    return Int32Array.from(this.tasks.flatMap((classes, task) => classes.map(() => task)));
  }
}

function drawOrder(classes: number, seed: number): number[] {
  const order = Array.from({ length: classes }, (_, i) => i);
  return seed < 0 ? order : Random.of(seed, 'class order').shuffle(order);
}

function checkOrder(order: readonly number[], classes: number): void {
  const seen = new Set<number>();
  const bad = order.find(
    (label) => !Number.isInteger(label) || label < 0 || label >= classes || seen.size === seen.add(label).size,
  );
  if (bad === undefined) return;
  throw new ConfigError({
    where: 'class order',
    message: `class ${bad} appears twice or is not in the data, which has the classes 0 to ${classes - 1}.`,
    fix: 'Name every class at most once.',
  });
}

/** Deals `classes` out to tasks: the first gets `base` if that is above 0, the rest share evenly, earlier ones the remainder. */
function taskSizes(classes: number, tasks: number, base: number): number[] {
  const first = base > 0 ? [base] : [];
  const left = classes - (first[0] ?? 0);
  const others = tasks - first.length;
  if (left < others || others < 0 || (others === 0 && left > 0)) {
    throw new ConfigError({
      where: 'scenario',
      message: `${classes} classes cannot be dealt out to ${tasks} tasks${base > 0 ? ` of which the first has ${base}` : ''}.`,
      fix: 'Ask for fewer tasks or a smaller first one.',
    });
  }
  return [
    ...first,
    ...Array.from({ length: others }, (_, i) => Math.floor(left / others) + (i < left % others ? 1 : 0)),
  ];
}
