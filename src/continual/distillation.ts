/** The distillation term of a method: which groups of old tasks are kept, and how heavily. */
import { groupKD } from '../distill/group-kd.ts';
import { type PoolKind, TaskPool } from '../distill/task-pool.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { TaskContext } from './methods.ts';

export interface Distillation {
  /** λ · KD of a batch, a scalar. */
  loss(logits: Tensor, oldLogits: Tensor): Tensor;
  dispose(): void;
}

/** The distillation for one task; `null` in the first one, when there is nothing to keep. */
export async function distillation(
  context: TaskContext,
  { pool: kind }: { pool: PoolKind; random: boolean },
): Promise<Distillation | null> {
  const { engine, oldTaskSizes, config } = context;
  if (oldTaskSizes.length === 0) return null;
  const pool = TaskPool.of(kind, oldTaskSizes);
  const { temperature, kdWeight } = config;
  return {
    loss: (logits, oldLogits) => groupKD(logits, oldLogits, pool, { temperature }).mul(kdWeight),
    dispose: () => pool.disposeOn(engine),
  };
}
