/**
 * Dense Knowledge Distillation in one call, for use in any training loop.
 * @example
 * const kd = denseKD(studentLogits, teacherLogits, { taskSizes: [10, 10, 10] });
 * crossEntropy(studentLogits, labels).add(kd).backward();
 */
import { ArgumentError, ShapeError } from '../errors.ts';
import { gather } from '../ops/gather.ts';
import '../ops/methods.ts';
import { pad } from '../ops/strided.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { GroupDraw } from './group-draw.ts';
import { checkLogits, DEFAULT_TEMPERATURE, distilGroups, weightedGroups, zeroLoss } from './group-kd.ts';
import { type GroupSizes, sameSizes } from './group-sizes.ts';
import { type GroupWeights, resolveWeights, type SizeWeights, type TaskWeights } from './group-weights.ts';
import { randomKD } from './random-kd.ts';
import { type PoolKind, TaskPool } from './task-pool.ts';
import { type CountStrategy, countWeight, type Weighting } from './weighting.ts';

/** Which groups {@link denseKD} distils, and how heavily. */
export interface DenseKDOptions {
  /** Classes of each old task, in the order of the logits. None in the first task: the loss is then zero. */
  taskSizes: readonly number[];
  /** A kind of pool, `dense` by default, or a pool of your own. */
  pool?: PoolKind | TaskPool;
  /** Tasks of the largest groups of a kind of pool; those of more are left out. */
  upTo?: number;
  /** `full`: every group of the pool (FDKD, default). `random`: the groups that `draw` takes (RDKD). */
  variant?: 'full' | 'random';
  /** For `random`: what draws the groups. */
  draw?: GroupDraw;
  /** T; 2 by default. */
  temperature?: number;
  /** λ_t by a strategy's name, a factor, or as `weighting()` returns it; `fixed` (λ = 1) by default. */
  weighting?: CountStrategy | number | Weighting;
  /** Classes of the samples, i32 [batch], for a weighting that weighs samples by them. */
  labels?: Tensor;
  /** One number a group, divided by their sum; for `full`. Uniform by default. */
  groupWeights?: Exclude<GroupWeights, TaskWeights | SizeWeights>;
  /**
   * How groups weigh by their number of tasks: `uniform` by default; `balanced` for as much of every size, as single tasks and pairs are
   * few among the groups of a dense pool; or one number a size. For `random` they are the draw's. With the weighting `adaptive` they are
   * given to `weighting()`.
   */
  sizes?: GroupSizes;
}

const where = 'denseKD';
/** Pools by kind and sizes: a training loop asks for the same one in every step. */
const pools = new Map<string, TaskPool>();
const MOST_POOLS = 64;

function poolOf(kind: PoolKind | TaskPool, taskSizes: readonly number[], upTo?: number): TaskPool {
  if (kind instanceof TaskPool) {
    if (upTo !== undefined) {
      throw new ArgumentError({
        where,
        message: `upTo ${upTo} is for kinds of pools, and this one has its groups already.`,
        fix: 'Give it to TaskPool.of.',
      });
    }
    if (String(kind.taskSizes) === String(taskSizes)) return kind;
    throw new ArgumentError({
      where,
      message: `the pool is over tasks of [${kind.taskSizes.join(', ')}] classes, taskSizes says [${taskSizes.join(', ')}].`,
    });
  }
  const key = `${kind} ${upTo} ${taskSizes.join()}`;
  let pool = pools.get(key);
  if (!pool) {
    pool = TaskPool.of(kind, taskSizes, { upTo });
    if (pools.size >= MOST_POOLS) pools.clear();
    pools.set(key, pool);
  }
  return pool;
}

/**
 * λ_t · Σ_S w_S · mean_b KL(teacher_S ‖ student_S) over the groups S of the pool, a scalar with a gradient to the student.
 * @param student f32 [batch, classes]; new classes, behind the old ones, take no gradient.
 * @param teacher f32 [batch, at least the old classes].
 * @throws {ShapeError} when logits, weights, labels or sizes do not fit each other or the pool.
 * @throws {DTypeError} when the logits are not f32.
 * @throws {ArgumentError} when the temperature, the pool or a weight is out of range, `random` has no draw or one over other
 * groups, or weights a task beside a draw by weights of its own.
 * @throws {EngineMismatchError} when the logits belong to several engines.
 */
export function denseKD(student: Tensor, teacher: Tensor, options: DenseKDOptions): Tensor {
  const { taskSizes, variant = 'full', temperature = DEFAULT_TEMPERATURE, draw, groupWeights, sizes } = options;
  const pool = poolOf(options.pool ?? draw?.pool ?? 'dense', taskSizes, options.upTo);
  const { engine } = checkLogits(where, student, teacher, pool, temperature);
  if (pool.isEmpty) return zeroLoss(where, student, []);
  const newClasses = (student.shape[1] as number) - pool.classes;
  const { lambda, groups, classes, samples } = lambdaOf(options.weighting, pool.classes, newClasses);
  if (samples) checkLabels(options.labels, samples, student);
  for (const one of [lambda, groups?.perTask, classes, samples, samples && options.labels, groupWeights])
    if (one instanceof Tensor) one.assertLive(where);
  if (groups && (groupWeights || sizes)) {
    throw new ArgumentError({
      where,
      message: 'the weighting has group weights of its own.',
      fix: groupWeights ? 'Leave out groupWeights.' : 'Give the sizes to weighting() instead.',
    });
  }
  if (groupWeights && sizes) {
    throw new ArgumentError({
      where,
      message: 'groups weigh by groupWeights or by sizes; both were given.',
      fix: 'Leave one of the two out.',
    });
  }
  // A softmax of z/T + ln ω is one of z/T in which classes count by ω.
  const shift = classes?.log().mul(temperature);
  const [of, as] = shift ? [shifted(student, shift), shifted(teacher, shift)] : [student, teacher];
  const reduction = samples ? 'none' : 'mean';
  const overSamples = (loss: Tensor) =>
    samples && options.labels ? loss.mul(gather(samples, options.labels)).mean() : loss;
  if (variant === 'random') {
    if (!draw || groupWeights || !draw.pool.hasGroupsOf(pool)) {
      throw new ArgumentError({
        where,
        message: draw
          ? 'the draw is over another pool, or groupWeights were given.'
          : "the variant 'random' needs a draw.",
        fix: 'Make one once with new GroupDraw(engine, pool, { groups, seed, weights }) and pass it in every step.',
      });
    }
    if (sizes && !sameSizes(sizes, draw.sizes)) {
      throw new ArgumentError({
        where,
        message: `the sizes are ${show(sizes)}, those of the draw ${show(draw.sizes)}.`,
        fix: 'Give them to new GroupDraw(engine, pool, { sizes }), and leave them out here.',
      });
    }
    const loss = randomKD(of, as, draw, { temperature, reduction, ...(groups ? { weights: groups } : {}) });
    return overSamples(groups || lambda === 1 ? loss : loss.mul(lambda));
  }
  const weights = groups
    ? resolveWeights(where, engine, pool, groups, false)
    : resolveWeights(where, engine, pool, sizes ? { sizes } : groupWeights, true);
  const factor = !groups && typeof lambda === 'number' ? lambda : 1;
  const all = weightedGroups(where, engine, pool, weights);
  const loss = distilGroups(where, of, as, pool, all.groups, all.weights, temperature, reduction, factor);
  return overSamples(!groups && lambda instanceof Tensor ? loss.mul(lambda) : loss);
}

/** Logits with something added to those of old classes. */
function shifted(logits: Tensor, shift: Tensor): Tensor {
  const more = (logits.shape[1] as number) - shift.size;
  return logits.add(more > 0 ? pad(shift, [[0, more]]) : shift);
}

/** @throws {ArgumentError | ShapeError} unless there is a class for each sample, and a weight for each class. */
function checkLabels(labels: Tensor | undefined, samples: Tensor, student: Tensor): void {
  if (!labels) {
    throw new ArgumentError({
      where,
      message: 'the weighting weighs samples by their classes, and no labels were given.',
      fix: 'Pass labels: i32 [batch].',
    });
  }
  const [batch, classes] = student.shape;
  if (labels.size !== batch || samples.size !== classes) {
    throw new ShapeError({
      where,
      message: `labels of shape [${labels.shape.join(', ')}] and weights of ${samples.size} classes do not fit students of shape [${student.shape.join(', ')}].`,
    });
  }
}

const show = (sizes: GroupSizes): string => (typeof sizes === 'string' ? `'${sizes}'` : `[${sizes.join(', ')}]`);

function lambdaOf(given: DenseKDOptions['weighting'], oldClasses: number, newClasses: number): Weighting {
  if (typeof given === 'object') return given;
  if (typeof given === 'number') return { lambda: countWeight('fixed', oldClasses, newClasses, given) };
  return { lambda: countWeight(given ?? 'fixed', oldClasses, newClasses) };
}

/** @inline */
type BaselineOptions = Pick<DenseKDOptions, 'taskSizes' | 'temperature' | 'weighting'>;

/** The usual distillation: one softmax over all old classes. As {@link denseKD} with the pool `whole`. */
export function globalKD(student: Tensor, teacher: Tensor, options: BaselineOptions): Tensor {
  return denseKD(student, teacher, { ...options, pool: 'whole' });
}

/** Task-wise distillation: one softmax a task, mean over the tasks. As {@link denseKD} with the pool `tasks`. */
export function taskwiseKD(student: Tensor, teacher: Tensor, options: BaselineOptions): Tensor {
  return denseKD(student, teacher, { ...options, pool: 'tasks' });
}
