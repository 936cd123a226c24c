/** The distillation term of a method: which groups of old tasks are kept, and how heavily. */
import * as v from 'valibot';
import { denseKD } from '../distill/dense-kd.ts';
import { GroupDraw } from '../distill/group-draw.ts';
import { GROUP_SIZES, type GroupSizes } from '../distill/group-sizes.ts';
import { classSimilarity } from '../distill/prototypes.ts';
import { MOST_DENSE_TASKS, MOST_TASKS, POOL_KINDS, type PoolKind, TaskPool } from '../distill/task-pool.ts';
import { isBySimilarity, WEIGHTING_STRATEGIES, type Weighting, weighting } from '../distill/weighting.ts';
import { ArgumentError, ConfigError } from '../errors.ts';
import { Random } from '../tensor/random.ts';
import { Tensor } from '../tensor/tensor.ts';
import { Disposables } from './disposables.ts';
import type { AnyMethod, Task } from './method.ts';
import { choiceSetting, number, numberSetting, type Setting, setting, type ValuesOf } from './setting.ts';
import { named } from './setting-name.ts';

/** The settings of every distillation. */
export const distillationSettings = {
  temperature: numberSetting(2, { above: 0 }, 'temperature of the distillation', 'T'),
  kdWeight: numberSetting(1, { least: 0 }, 'weight of the distillation beside the cross entropy', 'λ'),
  weighting: choiceSetting(WEIGHTING_STRATEGIES, 'fixed', 'how the weight changes from task to task'),
};

/**
 * Values of {@link distillationSettings}.
 * @interface
 */
export type DistillationSettings = ValuesOf<typeof distillationSettings>;

/** What the random numbers of the draws are for. */
const DRAWS = 'groups';

/** Groups that a random draw takes in each step. */
export const groupsSetting = numberSetting(
  1,
  { whole: true, least: 1, most: 65536 },
  'groups that are drawn in each step',
  'n',
);

/**
 * How groups weigh by their number of old tasks. A list goes from groups of one task on; of sizes beyond it, groups weigh nothing, as there
 * are more old tasks before each task.
 */
export const sizesSetting = setting<GroupSizes>(
  v.pipe(
    v.union([
      v.picklist(GROUP_SIZES),
      // The second task of a run has groups of one task alone.
      v.pipe(
        v.array(number({ least: 0 })),
        v.check(([first = 0]) => first > 0),
      ),
    ]),
    v.description('one of uniform, balanced, or a list of finite numbers of at least 0, the first one above 0'),
  ),
  undefined,
  'how groups weigh by their number of old tasks: uniform (default), balanced for each size as much as another, or a list for groups of ' +
    'one task, of two, …, such as 1,1 for single tasks and pairs',
  'name',
);

/** Bounds the groups of a pool. */
export const upToSetting = setting(
  number({ whole: true, least: 1 }),
  undefined,
  'old tasks of the largest groups of the pool; any number by default',
  'n',
);

/** What may stand in the place of a published method's own distillation: `--distill`. */
export const DISTILLS = ['dense', 'random', 'tasks', 'whole'] as const;
/**
 * One of {@link DISTILLS}: every group of the pool, some drawn in each step, each old task, or all in one.
 * @useDeclaredType
 */
export type Distill = (typeof DISTILLS)[number];

/**
 * The settings of a published method's distillation term, which dense distillation can take the place of.
 * @param usual as the method was published; `undefined` where it keeps something else than logits.
 */
export const distillSettings = <D extends Distill | undefined>(usual: D) => ({
  temperature: numberSetting(2, { above: 0 }, 'temperature of the distillation', 'T'),
  distill: choiceSetting(
    DISTILLS,
    usual as Distill,
    'groups of old tasks that are distilled instead: all of the dense pool, some drawn from it in each step, each task, all in one',
  ) as Setting<Distill | Exclude<D, Distill>>,
  groups: groupsSetting,
  sizes: sizesSetting,
});

/** @inline */
type DistillValues = {
  readonly distill: Distill;
  readonly groups: number;
  readonly sizes?: GroupSizes | undefined;
};

/** The pool that stands for a choice, before so many old tasks. */
function distillOptions({ distill, groups, sizes }: DistillValues, oldTasks: number): DistillationOptions {
  if (distill === 'whole' || distill === 'tasks') return { pool: distill };
  const isDrawn = distill === 'random';
  return {
    pool: usualPool(oldTasks, isDrawn),
    ...(isDrawn ? { draw: groups } : {}),
    sizes,
  };
}

/**
 * The distillation term of a published method: of all old logits as one group, task by task, or dense.
 * @param weight what the mean over its groups is multiplied by.
 * @returns null in the first task, when there is nothing to keep.
 */
export const distillTerm = (
  task: DistilledTask,
  settings: DistillValues & { readonly temperature: number },
  weight = 1,
): Promise<Distillation | null> =>
  distillation(
    task,
    { temperature: settings.temperature, kdWeight: weight, weighting: 'fixed' },
    distillOptions(settings, task.oldTaskSizes.length),
  );

/**
 * Whether the last task of a run can be distilled so.
 * @returns what a user should know of it.
 * @throws {ConfigError}
 */
export function checkDistill(settings: DistillValues, taskSizes: readonly number[]): readonly string[] | undefined {
  const oldTasks = taskSizes.slice(0, -1);
  checkDistillation(oldTasks, distillOptions(settings, oldTasks.length));
  const { distill } = settings;
  return distill === 'dense' ? densePoolNotices(oldTasks.length) : undefined;
}

/** A distillation term, made for one task. */
export interface Distillation {
  /**
   * λ · KD of a batch, a scalar.
   * @param targets i32 [batch]: the right logits, for a weighting that weighs samples by their classes.
   */
  loss(logits: Tensor, oldLogits: Tensor, targets?: Tensor): Tensor;
  /** What changes from step to step: the counter of the draws. */
  readonly state: Readonly<Record<string, Tensor>>;
}

/** Which groups of old tasks are distilled. */
export interface DistillationOptions {
  /** The groups there are. */
  readonly pool: PoolKind;
  /** Old tasks of the largest groups; any number by default. */
  readonly upTo?: number | undefined;
  /** How groups weigh by their number of old tasks; beyond a list, not at all. `uniform` by default. */
  readonly sizes?: GroupSizes | undefined;
  /** Draws so many groups of the pool in each step, instead of distilling all of them. */
  readonly draw?: number;
}

/** What a distillation needs of a task, whatever its method's settings and model. */
export type DistilledTask = Pick<
  Task,
  'engine' | 'old' | 'oldTaskSizes' | 'newClasses' | 'random' | 'hold' | 'release' | 'prototypes'
>;

/** Sizes as the pool sees them: one group of all takes the old tasks for one where a mask has no room for them. */
const pooledSizes = (kind: PoolKind, sizes: readonly number[]): readonly number[] =>
  kind === 'whole' && sizes.length > MOST_TASKS ? [sizes.reduce((total, size) => total + size, 0)] : sizes;

/** Weights by size as so many old tasks have them; groups that are all of one size have no use for any. */
export function sizesOf({ pool, sizes = 'uniform' }: DistillationOptions, oldTasks: number): GroupSizes {
  if (pool === 'tasks' || pool === 'whole') return 'uniform';
  if (typeof sizes === 'string') return sizes;
  return Array.from({ length: oldTasks }, (_, i) => sizes[i] ?? 0);
}

/** The groups before a task. */
const poolOf = (taskSizes: readonly number[], { pool, upTo }: DistillationOptions): TaskPool =>
  TaskPool.of(pool, taskSizes, { upTo });

/** @throws {ConfigError} for groups that cannot be listed, or of which a bound leaves none. */
function checkedPool(taskSizes: readonly number[], options: DistillationOptions): TaskPool {
  try {
    return poolOf(taskSizes, options);
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    const fix =
      options.pool === 'whole'
        ? `Leave out ${named('upTo')}, or use another ${named('pool')}.`
        : `Use a smaller ${named('upTo')}, or leave it out.`;
    throw new ConfigError({ where: 'task pool', message: error.reason, fix, cause: error });
  }
}

/**
 * The pool that is distilled where none is chosen: dense, and every run of neighbouring tasks where there are more old tasks
 * than the dense pool is distilled for.
 */
export const usualPool = (oldTasks: number, isDrawn: boolean): PoolKind =>
  oldTasks <= (isDrawn ? MOST_TASKS : MOST_DENSE_TASKS) ? 'dense' : 'runs';

/**
 * The pool that a method with such settings keeps after so many tasks.
 * @throws {ArgumentError} beyond 64 tasks, for which a mask has no room, and for more groups up to a bound than can be listed.
 */
export function keptPool(
  method: AnyMethod,
  settings: Readonly<Record<string, unknown>>,
  taskSizes: readonly number[],
): TaskPool {
  // Of a copy, for a method's settings refuse names that it does not declare.
  const { pool, groups, distill, upTo } = { ...settings };
  // A method of one's own may call something else so.
  const chosen = POOL_KINDS.find((kind) => kind === pool);
  const isDrawn = 'distill' in method.settings ? distill === 'random' : groups !== undefined;
  const isBounded = 'pool' in method.settings && typeof upTo === 'number';
  const usual = isBounded ? 'dense' : usualPool(taskSizes.length, isDrawn);
  return TaskPool.of(chosen ?? usual, taskSizes, isBounded ? { upTo } : {});
}

/** What is to be known where all groups of the usual pool are distilled, and so many tasks come before the last one. */
export const densePoolNotices = (oldTasks: number): readonly string[] | undefined =>
  usualPool(oldTasks, false) === 'dense'
    ? undefined
    : [
        `The dense pool is distilled for up to ${MOST_DENSE_TASKS} old tasks, and there will be ${oldTasks}: ` +
          "from then on every run of neighbouring tasks is distilled instead, which is the pool 'runs'.",
      ];

/**
 * Whether the last task of a run, with the most old ones before it, can be distilled.
 * @param oldTaskSizes classes of all tasks but the last.
 * @throws {ConfigError}
 */
export function checkDistillation(oldTaskSizes: readonly number[], options: DistillationOptions): void {
  const where = 'task pool';
  const { pool: kind, draw, upTo } = options;
  const sizes = pooledSizes(kind, oldTaskSizes);
  const tasks = sizes.length;
  if (tasks > MOST_TASKS) {
    throw new ConfigError({
      where,
      message: `the last of ${tasks + 1} tasks has ${tasks} old ones; groups of at most ${MOST_TASKS} are distilled.`,
      fix: `Use ${named('tasks', MOST_TASKS + 1)} or fewer, or the method kd or replay (--method), which take any number.`,
    });
  }
  if (kind === 'dense' && draw === undefined && tasks > MOST_DENSE_TASKS && (upTo ?? tasks) >= tasks) {
    throw new ConfigError({
      where,
      message: `the last of ${tasks + 1} tasks has ${tasks} old ones, and so many have 2^${tasks} − 1 groups; the dense pool of at most ${MOST_DENSE_TASKS} is distilled.`,
      fix: `Use ${named('pool', 'runs')} or pairs, ${named('upTo', 3)}, or the method rdkd (--method), which draws groups of the dense pool.`,
    });
  }
  const { size } = checkedPool(sizes, options);
  if (draw !== undefined && tasks > 0 && draw > size) {
    throw new ConfigError({
      where,
      message: `${draw} groups are to be drawn in each step, but before the last task the pool '${kind}' has ${size}.`,
      fix: `Use ${named('groups', size)} or fewer, or the method fdkd (--method), which distils all.`,
    });
  }
}

/** The weighting of one task, kept until the task ends. */
async function weightingOf(
  task: DistilledTask,
  settings: DistillationSettings,
  pool: TaskPool,
  sizes: GroupSizes,
): Promise<Weighting> {
  const { newClasses, engine, old } = task;
  const options = { newClasses, strength: settings.kdWeight, sizes };
  // Without new classes there is nothing to weigh the old ones against.
  if (newClasses === 0 || !old) return { lambda: settings.kdWeight };
  const { weighting: strategy } = settings;
  if (!isBySimilarity(strategy)) return weighting(strategy, pool, options);
  const prototypes = task.hold(await task.prototypes(old));
  const chosen = engine.scope(() =>
    weighting(strategy, pool, { ...options, similarity: classSimilarity(prototypes, pool.classes) }),
  );
  task.release(prototypes).dispose();
  for (const value of [chosen.lambda, chosen.groups?.perTask, chosen.classes, chosen.samples]) {
    if (value instanceof Tensor) task.hold(engine.keep(value));
  }
  return chosen;
}

/**
 * The seed of the groups that the steps of a task draw: `new GroupDraw(engine, pool, { groups, seed })` draws the same once more.
 * @param seed the learner's own.
 * @param task from 0 on.
 */
export const drawSeed = (seed: number, task: number): number => Random.of(seed, DRAWS, task).word();

/** The distillation for one task, freed with it; `null` in the first one, when there is nothing to keep. */
export async function distillation(
  task: DistilledTask,
  settings: DistillationSettings,
  options: DistillationOptions,
): Promise<Distillation | null> {
  const { engine } = task;
  if (task.oldTaskSizes.length === 0) return null;
  const taskSizes = pooledSizes(options.pool, task.oldTaskSizes);
  const pool = poolOf(taskSizes, options);
  const sizes = sizesOf(options, taskSizes.length);
  const held = task.hold(new Disposables());
  held.add({ dispose: () => pool.disposeOn(engine) });
  const chosen = await weightingOf(task, settings, pool, sizes);
  const draw =
    options.draw === undefined
      ? null
      : held.add(new GroupDraw(engine, pool, { groups: options.draw, seed: task.random(DRAWS).word(), sizes }));
  return {
    loss: (logits, oldLogits, targets) =>
      denseKD(logits, oldLogits, {
        taskSizes,
        pool,
        temperature: settings.temperature,
        weighting: chosen,
        ...(targets ? { labels: targets } : {}),
        // Similarities have them in their weights.
        ...(chosen.groups ? {} : { sizes }),
        ...(draw ? { variant: 'random', draw } : {}),
      }),
    state: draw ? { draw: draw.state } : {},
  };
}
