/**
 * What comes when (van de Ven et al. 2022). Class-incremental: classes arrive task by task, and after each task all classes seen
 * so far are to be told apart without knowing the task; with blurry boundaries some images of each class come with the other
 * tasks. Domain-incremental: every task brings all classes, in another domain.
 */
import { ConfigError } from '../../errors.ts';
import { Random } from '../../tensor/random.ts';
import { named } from '../setting-name.ts';
import { type Deal, dealClasses, USUAL_TASKS } from './deal-classes.ts';
import { numpyOrder, numpySeed } from './numpy-order.ts';

/** What distinguishes the tasks where all bring the same classes; `own` is what the data's reader says. */
export const DOMAIN_KINDS = ['rotations', 'permutations', 'own'] as const;
/**
 * What distinguishes tasks that all bring the same classes: images rotated, pixels permuted, or what the data say.
 * @useDeclaredType
 */
export type DomainKind = (typeof DOMAIN_KINDS)[number];

/** What comes when, in numbers. */
export interface ScenarioOptions extends Deal {
  /** Number of classes in the data. */
  classes: number;
  /** Order of arrival, or `numpy:SEED` for NumPy's of that seed; drawn from `classSeed` by default. */
  classOrder?: readonly number[] | string | undefined;
  /** −1 keeps the order of the data. */
  classSeed?: number;
  /** Makes it domain-incremental. */
  domains?: DomainKind | undefined;
  /** Degrees of the rotations, one a task; by default they share 180° evenly, the first task being upright. */
  angles?: readonly number[] | undefined;
  /** Domains that the data know; 0 where they know none. */
  ownDomains?: number;
  /** Share of each class's training images that come with the other tasks, from 0 to below 1. */
  blurry?: number | undefined;
  /** Seed of what is random but the class order: permutations, and what is blurred. */
  seed?: number;
}

/**
 * What comes when: the classes of each task and their order, or the domains. Three kinds of stream (van de Ven et al. 2022):
 * class-incremental, the same with blurry boundaries, and domain-incremental.
 */
export class Scenario {
  /** Class numbers of the data, in order of arrival. */
  readonly classOrder: readonly number[];
  /** The same with classes behind them that no task has room for. */
  readonly wholeOrder: readonly number[];
  /** Class numbers of each task; where boundaries are blurry, those it brings most of and is tested on. */
  readonly tasks: readonly (readonly number[])[];
  /** The logit of each class of the data: its place in the order; −1 for a class that never arrives. */
  readonly logitOf: Int32Array;
  /** `null` where tasks differ by their classes. */
  readonly domains: DomainKind | null;
  /** Degrees by which each task's images are rotated; none where they are not. */
  readonly angles: readonly number[];
  /** Share of each class's training images that come with the other tasks. */
  readonly blurry: number;
  /** Of what is random but the class order. */
  readonly seed: number;

  /** @throws {ConfigError} when the tasks cannot be filled, the order names no permutation, or what is asked for does not go together. */
  constructor(options: ScenarioOptions) {
    const { classes, classOrder, classSeed = 0, domains = null, blurry = 0, seed = 0 } = options;
    const order = orderOf(classes, classOrder, classSeed);
    this.wholeOrder = order;
    this.domains = domains;
    this.blurry = blurry;
    this.seed = seed;
    checkKind(options);
    if (domains) {
      const tasks = domainCount(domains, options);
      this.classOrder = order;
      this.tasks = Array.from({ length: tasks }, () => order);
      this.angles = domains === 'rotations' ? (options.angles ?? this.tasks.map((_, i) => (180 * i) / tasks)) : [];
    } else {
      let start = 0;
      this.tasks = dealClasses(order.length, options).map((size) => {
        start += size;
        return order.slice(start - size, start);
      });
      this.classOrder = order.slice(0, start);
      this.angles = [];
    }
    if (blurry > 0 && this.tasks.length === 1)
      throw refuse(
        'there is one task, and none its boundaries could be blurred with.',
        `Leave ${named('blurry')} out.`,
      );
    this.logitOf = new Int32Array(classes).fill(-1);
    this.classOrder.forEach((label, logit) => {
      this.logitOf[label] = logit;
    });
  }

  /** Classes that each task brings, new or not. */
  get taskSizes(): number[] {
    return this.tasks.map((classes) => classes.length);
  }

  /** Whether every task brings images of all classes: none is new after the first. */
  get isShared(): boolean {
    return this.domains !== null || this.blurry > 0;
  }

  /** New classes by task, as a learner counts them: tasks that bring none are left out. */
  get newSizes(): number[] {
    return this.isShared ? [this.classOrder.length] : this.taskSizes;
  }

  /** Number of classes seen after a task; 0 before the first. */
  classesAfter(task: number): number {
    if (task < 0) return 0;
    if (this.isShared) return this.classOrder.length;
    return this.taskSizes.slice(0, task + 1).reduce((total, size) => total + size, 0);
  }

  /** The task of each logit; the first one where every task has all classes. */
  get taskOfLogit(): Int32Array {
    if (this.domains) return new Int32Array(this.classOrder.length);
    return Int32Array.from(this.tasks.flatMap((classes, task) => classes.map(() => task)));
  }
}

const refuse = (message: string, fix: string, where = 'scenario'): ConfigError =>
  new ConfigError({ where, message, fix });

function orderOf(classes: number, order: ScenarioOptions['classOrder'], classSeed: number): number[] {
  if (order === undefined) {
    const all = Array.from({ length: classes }, (_, i) => i);
    return classSeed < 0 ? all : Random.of(classSeed, 'class order').shuffle(all);
  }
  if (typeof order !== 'string') {
    checkOrder(order, classes);
    return [...order];
  }
  const seed = numpySeed(order);
  if (seed !== undefined) return numpyOrder(classes, seed);
  throw refuse(
    `${JSON.stringify(order)} is no order.`,
    "Give a list of classes, or NumPy's order of a seed: numpy:1993.",
    'class order',
  );
}

function checkOrder(order: readonly number[], classes: number): void {
  const seen = new Set<number>();
  const bad = order.find(
    (label) => !Number.isInteger(label) || label < 0 || label >= classes || seen.size === seen.add(label).size,
  );
  if (bad === undefined) return;
  throw refuse(
    `class ${bad} appears twice or is not in the data, which has the classes 0 to ${classes - 1}.`,
    'Name every class at most once.',
    'class order',
  );
}

/** @throws {ConfigError} for settings of other scenarios. */
function checkKind({ domains, angles, increment, baseClasses = 0, taskSizes, blurry = 0 }: ScenarioOptions): void {
  if (!(blurry >= 0 && blurry < 1))
    throw refuse(`a share of ${blurry} cannot come with other tasks.`, `Give 0 up to below 1 for ${named('blurry')}.`);
  if (angles && domains !== 'rotations')
    throw refuse(
      'angles are those of rotated domains.',
      `Use ${named('domains', 'rotations')}, or leave ${named('angles')} out.`,
    );
  if (!domains) return;
  const stray = [
    ...(increment === undefined ? [] : [named('increment')]),
    ...(baseClasses > 0 ? [named('baseClasses')] : []),
    ...(taskSizes ? [named('taskSizes')] : []),
    ...(blurry > 0 ? [named('blurry')] : []),
  ];
  if (stray.length > 0)
    throw refuse(
      `every task brings all classes in a domain of its own; ${stray.join(', ')} would mean nothing.`,
      `Leave that out, or ${named('domains')}.`,
    );
}

/** Tasks of a domain-incremental run. */
function domainCount(domains: DomainKind, { tasks, angles, ownDomains = 0 }: ScenarioOptions): number {
  if (domains === 'own' && ownDomains === 0) {
    throw refuse(
      'the data do not say which domain an image is of.',
      `Use ${named('domains', 'rotations')} or permutations, or a reader that gives \`domains\`.`,
    );
  }
  const known = domains === 'own' ? ownDomains : angles?.length;
  if (known === 0)
    throw refuse('there are no angles.', `Give one for each task, such as ${named('angles', [0, 45, 90])}.`);
  if (known !== undefined && tasks !== undefined && tasks !== known) {
    throw refuse(
      `there are ${known} ${domains === 'own' ? 'domains in the data' : 'angles'}, but ${tasks} tasks are asked for.`,
      `Leave ${named('tasks')} out.`,
    );
  }
  return known ?? tasks ?? USUAL_TASKS;
}
