/** The built-in methods. */
import type { PoolKind } from '../distill/task-pool.ts';
import { crossEntropy } from '../ops/cross-entropy.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { MethodName, RunConfig } from './config.ts';
import { checkDistillation, distillation } from './distillation.ts';
import type { BatchContext, Method } from './method.ts';

const classification = ({ logits, targets }: BatchContext, config: RunConfig): Tensor =>
  crossEntropy(logits, targets, { labelSmoothing: config.labelSmoothing });

function plain(name: string, data: Method['data'], summary: string): Method {
  return {
    name,
    data,
    summary,
    teacher: false,
    // The two bounds are published without.
    align: data === 'memory',
    begin: ({ config }) => ({ loss: (batch) => classification(batch, config) }),
  };
}

/** @param pool the method's own groups; the configured ones by default. */
function distilled(
  name: string,
  summary: string,
  { pool, random = false }: { pool?: PoolKind; random?: boolean },
): Method {
  return {
    name,
    summary,
    data: 'memory',
    teacher: true,
    align: true,
    check: (config, scenario) =>
      checkDistillation(config, scenario.taskSizes.slice(0, -1), { pool: pool ?? config.pool, random }),
    async begin(context) {
      const kd = await distillation(context, { pool: pool ?? context.config.pool, random });
      return {
        loss: (batch) =>
          kd && batch.oldLogits
            ? classification(batch, context.config).add(kd.loss(batch.logits, batch.oldLogits))
            : classification(batch, context.config),
        dispose: () => kd?.dispose(),
      };
    },
  };
}

/** The built-in methods by name. A method of one's own is an object of the same shape, handed to the learner. */
export const methods: Readonly<Record<MethodName, Method>> = {
  finetune: plain('finetune', 'new', 'cross entropy on new data alone: the lower bound'),
  joint: plain('joint', 'all', 'cross entropy on all data so far: the upper bound'),
  replay: plain('replay', 'memory', 'cross entropy on new data and exemplars'),
  kd: distilled('kd', 'replay + distillation of all old logits as one group', { pool: 'whole' }),
  tkd: distilled('tkd', 'replay + distillation task by task', { pool: 'tasks' }),
  fdkd: distilled('fdkd', 'replay + dense distillation of every group in the pool (FDKD)', {}),
  rdkd: distilled('rdkd', 'replay + dense distillation of randomly drawn groups (RDKD)', { random: true }),
};
