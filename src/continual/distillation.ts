/** The distillation term of a method: which groups of old tasks are kept, and how heavily. */
import { denseKD } from '../distill/dense-kd.ts';
import { GroupDraw } from '../distill/group-draw.ts';
import { MOST_DENSE_TASKS, MOST_TASKS, type PoolKind, TaskPool } from '../distill/task-pool.ts';
import { classSimilarity, type Weighting, weighting } from '../distill/weighting.ts';
import { ConfigError } from '../errors.ts';
import { Random } from '../tensor/random.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { RunConfig } from './config.ts';
import { Disposables } from './disposables.ts';
import type { TaskContext } from './method.ts';

export interface Distillation {
  /** λ · KD of a batch, a scalar. */
  loss(logits: Tensor, oldLogits: Tensor): Tensor;
  dispose(): void;
}

export interface DistillationOptions {
  pool: PoolKind;
  /** Draws groups of the pool in each step, instead of distilling all of them. */
  random: boolean;
}

/** Sizes as the pool sees them: one group of all takes the old tasks for one where a mask has no room for them. */
const pooledSizes = (kind: PoolKind, sizes: readonly number[]): readonly number[] =>
  kind === 'whole' && sizes.length > MOST_TASKS ? [sizes.reduce((total, size) => total + size, 0)] : sizes;

/**
 * Whether the last task of a run, with the most old ones before it, can be distilled.
 * @param oldTaskSizes classes of all tasks but the last.
 * @throws {ConfigError}
 */
export function checkDistillation(
  { groups }: Pick<RunConfig, 'groups'>,
  oldTaskSizes: readonly number[],
  { pool: kind, random }: DistillationOptions,
): void {
  const where = 'task pool';
  const sizes = pooledSizes(kind, oldTaskSizes);
  const tasks = sizes.length;
  if (tasks > MOST_TASKS) {
    throw new ConfigError({
      where,
      message: `the last of ${tasks + 1} tasks has ${tasks} old ones; groups of at most ${MOST_TASKS} are distilled.`,
      fix: `Use --tasks ${MOST_TASKS + 1} or fewer, or --method kd or replay, which take any number.`,
    });
  }
  if (kind === 'dense' && !random && tasks > MOST_DENSE_TASKS) {
    throw new ConfigError({
      where,
      message: `the last of ${tasks + 1} tasks has ${tasks} old ones, and so many have 2^${tasks} − 1 groups; the dense pool of at most ${MOST_DENSE_TASKS} is distilled.`,
      fix: 'Use --pool runs, or --method rdkd, which draws groups of the dense pool.',
    });
  }
  const { size } = TaskPool.of(kind, sizes);
  if (random && tasks > 0 && groups > size) {
    throw new ConfigError({
      where,
      message: `${groups} groups are to be drawn in each step, but before the last task the pool '${kind}' has ${size}.`,
      fix: `Use --groups ${size} or fewer, or --method fdkd, which distils all.`,
    });
  }
}

/** The weighting of one task, kept until the task ends. */
async function weightingOf(context: TaskContext, pool: TaskPool, held: Disposables): Promise<Weighting> {
  const { config, newClasses, engine } = context;
  const options = { newClasses, strength: config.kdWeight };
  if (config.weighting !== 'adaptive') return weighting(config.weighting, pool, options);
  const prototypes = held.add(await context.prototypes());
  const chosen = engine.scope(() =>
    weighting('adaptive', pool, { ...options, similarity: classSimilarity(prototypes, pool.classes) }),
  );
  held.release(prototypes).dispose();
  for (const value of [chosen.lambda, chosen.groups?.perTask]) {
    if (value instanceof Tensor) held.add(engine.keep(value));
  }
  return chosen;
}

/** The distillation for one task; `null` in the first one, when there is nothing to keep. */
export async function distillation(
  context: TaskContext,
  { pool: kind, random }: DistillationOptions,
): Promise<Distillation | null> {
  const { engine, config, task } = context;
  if (context.oldTaskSizes.length === 0) return null;
  const taskSizes = pooledSizes(kind, context.oldTaskSizes);
  const pool = TaskPool.of(kind, taskSizes);
  const held = new Disposables();
  held.add({ dispose: () => pool.disposeOn(engine) });
  try {
    const chosen = await weightingOf(context, pool, held);
    const seed = Random.of(config.seed, 'groups', task).word();
    const draw = random ? held.add(new GroupDraw(engine, pool, { groups: config.groups, seed })) : null;
    return {
      loss: (logits, oldLogits) =>
        denseKD(logits, oldLogits, {
          taskSizes,
          pool,
          temperature: config.temperature,
          weighting: chosen,
          ...(draw ? { variant: 'random', draw } : {}),
        }),
      dispose: () => held.dispose(),
    };
  } catch (error) {
    held.dispose();
    throw error;
  }
}
