/**
 * What dense distillation costs: every pool by the fused kernels, and the same loss put together from general operations
 * (`composed`), forwards and backwards on a batch of 128. Ratios are to `whole`, the usual distillation of the same logits.
 */
import { GroupDraw } from '../../src/distill/group-draw.ts';
import { groupKD } from '../../src/distill/group-kd.ts';
import type { GroupSizes } from '../../src/distill/group-sizes.ts';
import { randomKD } from '../../src/distill/random-kd.ts';
import { type PoolKind, TaskPool } from '../../src/distill/task-pool.ts';
import { concat, type Engine, logSoftmax, slice, type Tensor } from '../../src/index.ts';
import { bytesOf, noise, noiseLeaf, type Work, type WorkCase } from '../bench-case.ts';

const BATCH = 128;
const TEMPERATURE = 2;
/** Behind the old classes. */
const NEW_CLASSES = 10;

const even = (tasks: number, classes: number): readonly number[] => new Array<number>(tasks).fill(classes);

const logits: Readonly<Record<string, readonly number[]>> = {
  '4x10': even(4, 10),
  '9x10': even(9, 10),
  '50+9x5': [50, ...even(9, 5)],
  '10x5': even(10, 5),
  '12x5': even(12, 5),
  '14x5': even(14, 5),
  '16x5': even(16, 5),
  '18x5': even(18, 5),
  '20x5': even(20, 5),
};
/** Logits of which every variant is timed; the others are points on the curve of `dense`. */
const WHOLLY_TIMED = ['4x10', '9x10', '16x5', '20x5', '50+9x5'];
/** Beyond this a step is tens of thousands of dispatches without a pause: more bind groups than lavapipe can map. */
const MOST_COMPOSED = 511;

interface Made {
  readonly student: Tensor;
  readonly teacher: Tensor;
}

/** Σ over groups of mean_b KL / groups from general operations: each group's logits joined, two softmaxes, a sum. */
export function composedKD(student: Tensor, teacher: Tensor, pool: TaskPool, temperature: number): Tensor {
  const batch = student.shape[0] as number;
  const columns = (logits: Tensor) =>
    pool.taskSizes.map((_, task) =>
      slice(logits, [
        [0, batch],
        [pool.starts[task] as number, pool.starts[task + 1] as number],
      ]),
    );
  const parts = { student: columns(student.mul(1 / temperature)), teacher: columns(teacher.mul(1 / temperature)) };
  const joined = (of: readonly Tensor[], tasks: readonly number[]) => {
    const chosen = tasks.map((task) => of[task] as Tensor);
    return logSoftmax(chosen.length > 1 ? concat(chosen, 1) : (chosen[0] as Tensor), 1);
  };
  let total: Tensor | null = null;
  for (let g = 0; g < pool.size; g++) {
    const tasks = pool.tasksOf(g);
    const logP = joined(parts.teacher, tasks);
    const divergence = logP
      .exp()
      .mul(logP.sub(joined(parts.student, tasks)))
      .sum();
    total = total ? total.add(divergence) : divergence;
  }
  return (total as Tensor).mul(1 / (batch * pool.size));
}

type Variant = (engine: Engine, made: Made, taskSizes: readonly number[]) => Pick<Work, 'run' | 'dispose' | 'groups'>;

const fused =
  (kind: PoolKind, sizes: GroupSizes = 'uniform'): Variant =>
  (_, { student, teacher }, taskSizes) => {
    const pool = TaskPool.of(kind, taskSizes);
    return {
      groups: pool.size,
      run() {
        const loss = groupKD(student, teacher, pool, { temperature: TEMPERATURE, weights: { sizes } });
        return loss.node?.backward(loss);
      },
    };
  };

const variants: Readonly<Record<string, Variant>> = {
  whole: fused('whole'),
  tasks: fused('tasks'),
  random(engine, { student, teacher }, taskSizes) {
    const draw = new GroupDraw(engine, TaskPool.of('dense', taskSizes));
    return {
      groups: 1,
      run() {
        const loss = randomKD(student, teacher, draw, { temperature: TEMPERATURE });
        return loss.node?.backward(loss);
      },
      dispose: () => draw.dispose(),
    };
  },
  pairs: fused('pairs'),
  dense: fused('dense'),
  balanced: fused('dense', 'balanced'),
  composed(_, { student, teacher }, taskSizes) {
    const pool = TaskPool.of('dense', taskSizes);
    return {
      groups: pool.size,
      run() {
        composedKD(student, teacher, pool, TEMPERATURE).backward();
        student.grad?.dispose();
        student.grad = null;
      },
    };
  },
};

function isTimed(variant: string, at: string, tasks: number): boolean {
  if (variant === 'composed') return WHOLLY_TIMED.includes(at) && 2 ** tasks - 1 <= MOST_COMPOSED;
  return variant === 'dense' || variant === 'balanced' || variant === 'whole' || WHOLLY_TIMED.includes(at);
}

export const dkdCases: readonly WorkCase[] = Object.entries(logits).flatMap(([at, taskSizes]) =>
  Object.entries(variants)
    .filter(([variant]) => isTimed(variant, at, taskSizes.length))
    .map(([variant, make]) => ({
      name: `dkd/${variant}/${at}`,
      ...(variant === 'whole' ? {} : { versus: `dkd/whole/${at}` }),
      prepare(engine) {
        const old = taskSizes.reduce((sum, size) => sum + size, 0);
        const student = noiseLeaf(engine, [BATCH, old + NEW_CLASSES]);
        const teacher = noise(engine, [BATCH, old], 1);
        const bytes = 2 * bytesOf(student) + bytesOf(teacher);
        return { bytes, samples: BATCH, ...make(engine, { student, teacher }, taskSizes) };
      },
    })),
);
