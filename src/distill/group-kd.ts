/**
 * Grouped softmax distillation: Σ_S w_S · KL(softmax(z_S/T) ‖ softmax(s_S/T)) over the groups S of a task pool, where z_S
 * are the teacher's and s_S the student's logits of the group's classes. "Densely Distilling Cumulative Knowledge for
 * Continual Learning" (arXiv 2405.09820) names the idea; the loss of a group is our reading of it.
 *
 * A sample's classes are read once, however many groups there are: `README.md` beside this file has the derivation. As the
 * loss is linear in the gradient from above, the forward pass computes the finished gradient, and backward only scales it.
 */

import denseSource from '../../shaders/distill/group-kd-dense.wgsl';
import listedSource from '../../shaders/distill/group-kd-listed.wgsl';
import { record } from '../autograd/tape.ts';
import { ArgumentError, DTypeError, ShapeError } from '../errors.ts';
import { plane } from '../gpu/plane.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { launchElementwise } from '../ops/elementwise/elementwise-kernel.ts';
import { sum } from '../ops/reduce.ts';
import { checkReduction } from '../ops/reduction.ts';
import { zeros } from '../tensor/create.ts';
import { show } from '../tensor/shape.ts';
import { commonEngine, Tensor } from '../tensor/tensor.ts';
import { paddedSizes } from './group-sizes.ts';
import { type GroupWeights, resolveWeights, WEIGHT_SOURCES, type WeightSource } from './group-weights.ts';
import { MOST_DENSE_TASKS, type TaskPool } from './task-pool.ts';

/** Temperature, weights and reduction of {@link groupKD}. */
export interface GroupKDOptions {
  /** T > 0; 2 by default. The loss has no factor T². */
  temperature?: number;
  /** Uniform by default. */
  weights?: GroupWeights;
  /** Divide the weights by their sum, so that the loss is a weighted mean over the groups (default), or use them as they are. */
  normalize?: boolean;
  /** `mean` over the batch, a scalar (default); `none`: one loss a sample, [batch]. */
  reduction?: 'mean' | 'none';
}

/** Groups as the kernels see them. */
export interface GroupSource {
  /** Every set of tasks, those of a list, or a list a sample. */
  readonly kind: 'enumerated' | 'listed' | 'per-sample';
  /** u32 [groups, 2], or [batch, groups, 2] per sample; a stand-in when enumerated. */
  readonly masks: Tensor;
  /** How many there are, for each sample. */
  readonly groups: number;
}

const MASK_SOURCES = { enumerated: 0, listed: 1, 'per-sample': 2 } as const;
const kernels = {
  listed: { name: 'group_kd', source: listedSource },
  dense: { name: 'group_kd_dense', source: denseSource },
} as const;
/** Groups a workgroup at most; bounds the length of its sums. */
const MOST_CHUNK = 4096;
/** Sets a workgroup in the kernel for all sets; see `distill/group-kd-dense.wgsl`. */
const DENSE_CHUNK = 2 ** 15;
/** Workgroups that keep an adapter busy. */
const ENOUGH_WORKGROUPS = { software: 16, hardware: 512 } as const;
/** Threads a workgroup. On a CPU they take turns at every barrier, except those that run as one vector. */
const WORKGROUP = { software: 8, hardware: 64 } as const;
/** Workgroup memory that the kernel for all sets takes with the fewer threads, which are the more sets each: more than a device has to have. */
const SOFTWARE_BYTES = 20_560;

function threadsOf({ adapterKind, device }: Runtime): number {
  const fits = device.limits.maxComputeWorkgroupStorageSize >= SOFTWARE_BYTES;
  return WORKGROUP[fits ? adapterKind : 'hardware'];
}

export const DEFAULT_TEMPERATURE = 2;

/**
 * @throws {ShapeError} when the logits do not fit each other or the pool.
 * @throws {DTypeError} when they are not f32.
 * @throws {ArgumentError} when the temperature is not a finite number above 0.
 * @throws {EngineMismatchError} when they belong to several engines.
 */
export function checkLogits(
  where: string,
  student: Tensor,
  teacher: Tensor,
  pool: TaskPool,
  temperature: number,
): { engine: Runtime; batch: number } {
  const engine = commonEngine(where, [student, teacher]);
  if (student.dtype !== 'f32' || teacher.dtype !== 'f32') {
    throw new DTypeError({ where, message: `takes f32 logits, not ${student.dtype} and ${teacher.dtype}.` });
  }
  const [batch, classes] = student.shape;
  const [rows, teacherClasses] = teacher.shape;
  const fits = student.rank === 2 && teacher.rank === 2 && batch === rows;
  if (!fits || (classes as number) < pool.classes || (teacherClasses as number) < pool.classes) {
    throw new ShapeError({
      where,
      message: `student ${show(student.shape)} and teacher ${show(teacher.shape)} do not fit: both must be [batch, classes] with one batch and at least the ${pool.classes} classes of the ${pool.tasks} old tasks.`,
      fix: 'The old classes come first in both; the teacher may lack the new ones.',
    });
  }
  if (!(temperature > 0 && temperature < Number.POSITIVE_INFINITY)) {
    throw new ArgumentError({
      where,
      message: `the temperature is ${temperature}; a finite number above 0 was expected.`,
      fix: 'T = 2 is usual.',
    });
  }
  return { engine, batch: batch as number };
}

/** @throws {ArgumentError} when a dense pool is too large to be distilled exactly. */
function allGroups(where: string, engine: Runtime, pool: TaskPool): GroupSource {
  if (pool.isLazy && pool.tasks > MOST_DENSE_TASKS) {
    throw new ArgumentError({
      where,
      message: `the dense pool of ${pool.tasks} old tasks has 2^${pool.tasks} − 1 groups; up to ${MOST_DENSE_TASKS} tasks are distilled exactly.`,
      fix: "Use the pool 'runs', or random groups of the dense one (RDKD, variant 'random').",
    });
  }
  return { kind: pool.isLazy ? 'enumerated' : 'listed', masks: pool.masksOn(engine), groups: pool.size };
}

/**
 * Sets that the kernel for all of them takes in the time of one from a list, by measurement: 2 to 5 ns a sample on two cores, and
 * 0.4 to 0.6 µs from a list (`bench/results/dkd.md`).
 */
const SETS_A_LISTED_GROUP = 100;

/**
 * All groups of a pool and their weights, in the faster of two forms: a pool of all sets of at most so many tasks is a list, or every set
 * of which those of more tasks weigh nothing.
 * @throws {ArgumentError} when a dense pool is too large to be distilled exactly.
 */
export function weightedGroups(
  where: string,
  engine: Runtime,
  pool: TaskPool,
  weights: WeightSource,
): { groups: GroupSource; weights: WeightSource } {
  const groups = allGroups(where, engine, pool);
  const { tasks, upTo } = pool;
  const all: GroupSource = { ...groups, kind: 'enumerated', groups: 2 ** tasks - 1 };
  const bySize = weights.source === 'uniform' || weights.source === 'task';
  const isFaster = isDense(all) && tasks <= MOST_DENSE_TASKS && all.groups <= SETS_A_LISTED_GROUP * groups.groups;
  if (groups.kind !== 'listed' || upTo === null || !bySize || !isFaster) return { groups, weights };
  const perSize = pool.taskSizes.map((_, i) => (i < upTo ? (weights.perSize?.[i] ?? 1) : 0));
  return { groups: all, weights: { ...weights, perSize } };
}

interface Distillation {
  readonly student: Tensor;
  readonly teacher: Tensor;
  readonly pool: TaskPool;
  readonly batch: number;
  readonly groups: GroupSource;
  readonly weights: WeightSource;
  readonly temperature: number;
  /** Factor of every sample's loss. */
  readonly scale: number;
}

function launch(plan: Distillation, entry: string, outputs: readonly Tensor[], chunk: number, chunks: number): void {
  const { student, teacher, pool, batch, groups, weights, temperature, scale } = plan;
  const lanes = threadsOf(student.engine);
  const [across, layers] = plane(student.engine, batch);
  const uniform = weights.source === 'uniform';
  const weightBuffer = uniform ? teacher : weights.tensor;
  const inputs = entry === 'finish' ? [student, teacher] : [student, teacher, groups.masks];
  if (entry !== 'finish' && entry !== 'each') inputs.push(weightBuffer);
  student.engine.dispatch({
    kernel: { ...(isDense(groups) && entry !== 'each' ? kernels.dense : kernels.listed), entry },
    constants: {
      LANES: lanes,
      MASKS: MASK_SOURCES[groups.kind],
      WEIGHTS: WEIGHT_SOURCES[weights.source],
      BY_SIZE: weights.perSize !== undefined,
    },
    buffers: [...inputs, ...outputs].map((t) => t.storage),
    params: {
      samples: batch,
      across,
      tasks: pool.tasks,
      lanes: Math.max(1, Math.floor(lanes / pool.tasks)),
      student_row: student.shape[1] as number,
      teacher_row: teacher.shape[1] as number,
      groups: groups.groups,
      chunks,
      chunk,
      temperature,
      weight: uniform ? weights.value : 0,
      loss_scale: scale,
      gradient_scale: scale / temperature,
      zero: 0,
      starts: pool.paddedStarts,
      by_size: paddedSizes(weights.perSize ?? null),
    },
    workgroups: [across, entry === 'finish' ? 1 : chunks, layers],
  });
}

/**
 * Whether the kernel for all sets is used. The 63 sets of six tasks are as fast as a list, which is more exact when teacher and
 * student agree on nearly everything; over more sets than these they hardly ever do.
 */
const isDense = ({ kind, groups }: GroupSource) => kind === 'enumerated' && groups > 63;

/** Groups a workgroup and workgroups a sample. */
function split(
  plan: Pick<Distillation, 'batch' | 'groups' | 'student'>,
  entry?: 'each',
): { chunk: number; chunks: number } {
  const { batch, groups, student } = plan;
  if (isDense(groups) && !entry) {
    const chunk = Math.min(DENSE_CHUNK, groups.groups + 1);
    return { chunk, chunks: (groups.groups + 1) / chunk };
  }
  const even = Math.ceil((groups.groups * batch) / ENOUGH_WORKGROUPS[student.engine.adapterKind]);
  const chunk = Math.min(MOST_CHUNK, Math.max(64, Math.ceil(even / 64) * 64));
  return { chunk, chunks: Math.ceil(groups.groups / chunk) };
}

/** Losses [batch, chunks] and, if wanted, the gradient of the student's logits. */
function run(plan: Distillation, where: string, wanted: boolean): { losses: Tensor; gradient: Tensor | null } {
  const { student, batch, pool } = plan;
  const { engine } = student;
  const { chunk, chunks } = split(plan);
  const losses = Tensor.empty(engine, [batch, chunks], 'f32', where);
  const gradient = wanted ? Tensor.empty(engine, student.shape, 'f32', where) : null;
  if (gradient && chunks === 1) {
    launch(plan, 'fused', [gradient, losses], chunk, chunks);
  } else if (gradient || isDense(plan.groups)) {
    const partials = Tensor.empty(engine, [batch, chunks, pool.tasks, 2], 'f32', where);
    launch(plan, 'chunked', [losses, partials], chunk, chunks);
    if (gradient) launch(plan, 'finish', [gradient, partials], chunk, chunks);
    partials.dispose();
  } else {
    launch(plan, 'losses_only', [losses], chunk, chunks);
  }
  return { losses, gradient };
}

/** The loss from groups and weights that are already on the GPU, times `factor`: scalar, or [batch] when not reduced. */
export function distilGroups(
  where: string,
  student: Tensor,
  teacher: Tensor,
  pool: TaskPool,
  groups: GroupSource,
  weights: WeightSource,
  temperature: number,
  reduction: 'mean' | 'none' = 'mean',
  factor = 1,
): Tensor {
  const { engine } = student;
  const batch = student.shape[0] as number;
  const scale = reduction === 'mean' ? factor / batch : factor;
  const plan: Distillation = { student, teacher, pool, batch, groups, weights, temperature, scale };
  const { losses, gradient } = run(plan, where, engine.gradEnabled && student.requiresGrad);
  const loss = sum(losses.detach(), reduction === 'mean' ? undefined : 1);
  losses.dispose();
  if (!gradient) return loss;
  return record(loss, where, [student], (dy) => {
    const by = reduction === 'mean' ? dy : dy.reshape([batch, 1]);
    return [launchElementwise('group_kd.scale', 'a * b', { a: gradient, b: by }, { shape: student.shape })];
  });
}

/** Zero, with a (missing) gradient to the student: nothing is old yet. */
export function zeroLoss(where: string, student: Tensor, shape: readonly number[]): Tensor {
  return record(zeros(student.engine, shape), where, [student], () => [null]);
}

/**
 * Distils every group of the pool: Σ_S w_S · mean_b KL(teacher_S ‖ student_S). An empty pool (first task) gives 0.
 * Logits that are NaN or infinite give NaN, loss and gradient.
 * @param student f32 [batch, classes ≥ the old classes]; new classes take no gradient.
 * @param teacher f32 [batch, classes ≥ the old classes]; takes no gradient at all.
 * @throws {ShapeError} when logits or weights do not fit each other or the pool.
 * @throws {DTypeError} when the logits are not f32.
 * @throws {ArgumentError} when the temperature or a weight is out of range, a dense pool has more than 20 tasks, or the reduction
 * is none.
 * @throws {EngineMismatchError} when the logits belong to several engines.
 */
export function groupKD(student: Tensor, teacher: Tensor, pool: TaskPool, options: GroupKDOptions = {}): Tensor {
  const { temperature = DEFAULT_TEMPERATURE, weights, normalize = true, reduction = 'mean' } = options;
  const { engine, batch } = checkLogits('groupKD', student, teacher, pool, temperature);
  checkReduction('groupKD', reduction, ['mean', 'none']);
  if (pool.isEmpty) return zeroLoss('groupKD', student, reduction === 'mean' ? [] : [batch]);
  const given = resolveWeights('groupKD', engine, pool, weights, normalize);
  const { groups, weights: source } = weightedGroups('groupKD', engine, pool, given);
  return distilGroups('groupKD', student, teacher, pool, groups, source, temperature, reduction);
}

/**
 * The divergence of every group for every sample, [batch, groups], with its gradient to the student: to inspect the loss,
 * or to weigh it yourself. Takes batch × groups numbers of memory, unlike {@link groupKD}.
 * @throws {ShapeError} when the logits do not fit each other or the pool.
 * @throws {DTypeError} when they are not f32.
 * @throws {ArgumentError} when the pool is empty or too large, or the temperature is out of range.
 * @throws {EngineMismatchError} when the logits belong to several engines.
 */
export function groupLosses(
  student: Tensor,
  teacher: Tensor,
  pool: TaskPool,
  { temperature = DEFAULT_TEMPERATURE }: Pick<GroupKDOptions, 'temperature'> = {},
): Tensor {
  const where = 'groupLosses';
  const { engine, batch } = checkLogits(where, student, teacher, pool, temperature);
  if (pool.isEmpty) {
    throw new ArgumentError({ where, message: 'the pool has no group, as there is no old task.' });
  }
  const groups = allGroups(where, engine, pool);
  const plan = { student, teacher, pool, batch, groups, temperature, scale: 1 };
  const { chunk, chunks } = split(plan, 'each');
  const losses = Tensor.empty(engine, [batch, groups.groups], 'f32', where);
  launch({ ...plan, weights: { source: 'uniform', value: 1 } }, 'each', [losses], chunk, chunks);
  return record(losses, where, [student], (dy) => {
    const weighted = run({ ...plan, weights: { source: 'sample', tensor: dy } }, where, true);
    weighted.losses.dispose();
    return [weighted.gradient];
  });
}

/**
 * Reads a loss and refuses one that is not finite: logits that are NaN or infinite reach it as NaN.
 * @throws {ArgumentError} when the loss is NaN or infinite.
 */
export async function finiteLoss(loss: Tensor): Promise<number> {
  const value = await loss.item();
  if (Number.isFinite(value)) return value;
  throw new ArgumentError({
    where: 'distillation loss',
    message: `it is ${value}: the logits of student or teacher were NaN or infinite.`,
    fix: 'Lower the learning rate or clip the gradients; check the images and the checkpoint of the teacher.',
  });
}
