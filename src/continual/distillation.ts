/** The distillation term of a method: which groups of old tasks are kept, and how heavily. */
import { denseKD } from '../distill/dense-kd.ts';
import { GroupDraw } from '../distill/group-draw.ts';
import { type PoolKind, TaskPool } from '../distill/task-pool.ts';
import { classSimilarity, type Weighting, weighting } from '../distill/weighting.ts';
import { Random } from '../tensor/random.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { TaskContext } from './method.ts';

export interface Distillation {
  /** λ · KD of a batch, a scalar. */
  loss(logits: Tensor, oldLogits: Tensor): Tensor;
  dispose(): void;
}

/** The weighting of one task, kept until the task ends. */
async function weightingOf(context: TaskContext, pool: TaskPool): Promise<Weighting> {
  const { config, newClasses, engine } = context;
  const options = { newClasses, strength: config.kdWeight };
  if (config.weighting !== 'adaptive') return weighting(config.weighting, pool, options);
  const prototypes = await context.prototypes();
  const chosen = engine.scope(() =>
    weighting('adaptive', pool, { ...options, similarity: classSimilarity(prototypes, pool.classes) }),
  );
  prototypes.dispose();
  for (const tensor of tensorsOf(chosen)) engine.keep(tensor);
  return chosen;
}

const tensorsOf = ({ lambda, groups }: Weighting): Tensor[] =>
  [lambda, groups?.perTask].filter((value): value is Tensor => value instanceof Tensor);

/** The distillation for one task; `null` in the first one, when there is nothing to keep. */
export async function distillation(
  context: TaskContext,
  { pool: kind, random }: { pool: PoolKind; random: boolean },
): Promise<Distillation | null> {
  const { engine, oldTaskSizes, config, task } = context;
  if (oldTaskSizes.length === 0) return null;
  const pool = TaskPool.of(kind, oldTaskSizes);
  const chosen = await weightingOf(context, pool);
  const seed = Random.of(config.seed, 'groups', task).word();
  const draw = random ? new GroupDraw(engine, pool, { groups: config.groups, seed }) : null;
  return {
    loss: (logits, oldLogits) =>
      denseKD(logits, oldLogits, {
        taskSizes: oldTaskSizes,
        pool,
        temperature: config.temperature,
        weighting: chosen,
        ...(draw ? { variant: 'random', draw } : {}),
      }),
    dispose() {
      draw?.dispose();
      pool.disposeOn(engine);
      for (const tensor of tensorsOf(chosen)) tensor.dispose();
    },
  };
}
