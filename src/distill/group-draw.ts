/**
 * Random groups of a task pool, drawn on the GPU: the randomised variant of dense distillation (RDKD) takes m of them a
 * step instead of all. The counter of the draws lives in a buffer and moves on by itself, so that a captured step draws
 * other groups each time it is replayed.
 */

import source from '../../shaders/distill/group-gather.wgsl';
import { record } from '../autograd/tape.ts';
import { ArgumentError, ShapeError } from '../errors.ts';
import { plane } from '../gpu/plane.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { tensorFrom } from '../tensor/create.ts';
import { splitWords } from '../tensor/philox.ts';
import { commonEngine, Tensor } from '../tensor/tensor.ts';
import { chancesBySize, chancesByWeight } from './draw-chances.ts';
import { checkLogits, type GroupSource } from './group-kd.ts';
import { type GroupSizes, sizeWeights } from './group-sizes.ts';
import { MOST_DENSE_TASKS, type TaskPool } from './task-pool.ts';

/** How many groups are drawn, and from which numbers. */
export interface GroupDrawOptions {
  /** Groups a draw, m; 1 by default. No group is drawn twice, but for those that `sizes` make weigh more than 1/m. */
  groups?: number;
  /** One draw for the whole batch (default), or one a sample. */
  per?: 'batch' | 'sample';
  /** Whole number below 2^53; 0 by default. */
  seed?: number;
  /** Stream of the seed's numbers, a whole number below 2^32. */
  stream?: number;
  /** One number a group: group S is drawn with probability m·w_S / Σ w. Uniform by default. */
  weights?: readonly number[] | Float32Array;
  /**
   * How groups weigh by their number of tasks, in place of `weights`: of the dense pool, of up to 64 tasks, the size is drawn first, by
   * its weight and its number of groups, and then one of these. What is distilled is then an estimate of the loss with such `sizes`.
   */
  sizes?: GroupSizes;
}

/** `RDKD` in ASCII: apart from other streams, which are counted from zero. */
const STREAM = 0x52444b44;
const ENUMERATED = 0;
const LISTED = 1;
const WEIGHTED = 2;
const UNCOUNTED = 4;
const BY_SIZE = 5;

const kernel = (entry: string) => ({ name: 'group_gather', source, entry });

/**
 * Draws random groups of a pool on the GPU, for {@link randomKD} and the variant `random` of {@link denseKD}. Its counter lies on the
 * device and moves on by itself, so that a captured step draws others each time.
 */
export class GroupDraw {
  /** Groups a draw, m: never more than the pool has. */
  readonly groups: number;
  /** One draw for the whole batch, or one a sample. */
  readonly per: 'batch' | 'sample';
  /** Counter (low, high word) and seed, u32 [4]: save it, and load it to go on with the same groups. */
  readonly state: Tensor;
  /** How groups weigh by their number of tasks; `uniform` by default. */
  readonly sizes: GroupSizes;
  /** Whether groups are drawn by weights of their own. */
  readonly isWeighted: boolean;
  /** What one group of each size weighs, from one task on, in a mean over all; `null` where sizes make no difference. */
  readonly perSize: readonly number[] | null;
  private readonly stream: number;
  private readonly cumulative: Tensor | null;

  /**
   * @throws {ArgumentError} when the pool is empty, m, the seed or a weight is out of range, or both weights and sizes were given.
   * @throws {ShapeError} when there is not one weight a group, or a size.
   */
  constructor(
    readonly engine: Runtime,
    readonly pool: TaskPool,
    options: GroupDrawOptions = {},
  ) {
    const { groups = 1, per = 'batch', seed = 0, stream = STREAM, weights, sizes = 'uniform' } = options;
    const where = 'GroupDraw';
    if (!Number.isInteger(groups) || groups < 1) {
      throw new ArgumentError({
        where,
        message: `${groups} groups a draw; a whole number of at least 1 was expected.`,
      });
    }
    if (pool.isEmpty) {
      throw new ArgumentError({ where, message: 'the pool has no group to draw, as there is no old task.' });
    }
    if (weights && sizes !== 'uniform') {
      throw new ArgumentError({
        where,
        message: 'groups weigh by weights of their own or by sizes; both were given.',
        fix: 'Leave one of the two out.',
      });
    }
    const [low, high] = splitWords(seed, 'seed');
    this.groups = Math.min(groups, pool.size);
    this.per = per;
    this.stream = stream;
    this.sizes = sizes;
    this.isWeighted = weights !== undefined;
    this.perSize = sizeWeights(where, pool, sizes);
    const chances = this.perSize
      ? chancesBySize(pool, this.perSize)
      : weights && chancesByWeight(where, pool, weights, this.groups);
    this.cumulative = chances ? engine.keep(tensorFrom(engine, chances)) : null;
    this.state = engine.keep(tensorFrom(engine, Uint32Array.of(0, 0, low, high)));
  }

  /**
   * Draws: masks of the chosen groups, u32 [1 or batch, m, 2], and their places in the pool (`chosen`, u32 [1 or batch, m]; 2³² − 1 in
   * the dense pool of more than 20 tasks).
   */
  next(batch: number): GroupSource & { readonly chosen: Tensor } {
    const { engine, pool, groups } = this;
    const rows = this.per === 'batch' ? 1 : batch;
    const masks = Tensor.empty(engine, [rows, groups, 2], 'u32', 'GroupDraw');
    const chosen = Tensor.empty(engine, [rows, groups], 'u32', 'GroupDraw');
    const listed = pool.masksOn(engine);
    engine.dispatch({
      kernel: kernel('draw'),
      constants: { DRAW: this.kind, SHARED: rows === 1 },
      buffers: [listed, this.cumulative ?? listed, this.state, chosen, masks].map((t) => t.storage),
      params: {
        rows,
        drawn: groups,
        groups: this.kind === UNCOUNTED ? 0 : this.kind === BY_SIZE ? pool.tasks : pool.size,
        tasks: pool.tasks,
        stream: this.stream,
      },
      workgroups: [1],
    });
    return { kind: this.per === 'batch' ? 'listed' : 'per-sample', masks, groups, chosen };
  }

  /** Frees the counter. */
  dispose(): void {
    this.state.dispose();
    this.cumulative?.dispose();
  }

  private get kind(): number {
    const { pool } = this;
    if (pool.isLazy && this.perSize) return BY_SIZE;
    if (pool.isLazy && pool.tasks > MOST_DENSE_TASKS) return UNCOUNTED;
    return (pool.isLazy ? ENUMERATED : LISTED) + (this.cumulative ? WEIGHTED : 0);
  }
}

/**
 * The logits of the drawn groups' classes, packed to the front: f32 [batch, m, old classes] of student and teacher, in
 * the order of the classes. What lies behind a group's last class is −1e30, which no softmax sees. The student's has a gradient.
 * @param masks u32 [1 or batch, m, 2], as {@link GroupDraw.next} returns them.
 * @throws {ShapeError} when logits or masks do not fit the pool or each other.
 * @throws {DTypeError} when logits are not f32.
 * @throws {EngineMismatchError} when they belong to several engines.
 */
export function gatherGroups(
  student: Tensor,
  teacher: Tensor,
  masks: Tensor,
  pool: TaskPool,
): { student: Tensor; teacher: Tensor } {
  const where = 'gatherGroups';
  commonEngine(where, [student, teacher, masks]);
  const { engine, batch } = checkLogits(where, student, teacher, pool, 1);
  const [rows, drawn] = masks.shape as readonly [number, number];
  if (masks.dtype !== 'u32' || masks.rank !== 3 || masks.shape[2] !== 2 || (rows !== 1 && rows !== batch)) {
    throw new ShapeError({
      where,
      message: `the masks are ${masks.dtype}[${masks.shape.join(', ')}]; u32[1 or ${batch}, groups, 2] was expected.`,
      fix: 'Take those of GroupDraw.next().',
    });
  }
  const shape = [batch, drawn, pool.classes];
  const packed = {
    student: Tensor.empty(engine, shape, 'f32', where),
    teacher: Tensor.empty(engine, shape, 'f32', where),
  };
  const run = (entry: string, buffers: readonly Tensor[], count: number) => {
    const [x, y] = plane(engine, Math.ceil(count / 64));
    engine.dispatch({
      kernel: kernel(entry),
      constants: { DRAW: 0, SHARED: rows === 1 },
      buffers: buffers.map((t) => t.storage),
      params: {
        drawn,
        tasks: pool.tasks,
        batch,
        student_row: student.shape[1] as number,
        teacher_row: teacher.shape[1] as number,
        width: pool.classes,
        row: x * 64,
        starts: pool.paddedStarts,
      },
      workgroups: [x, y],
    });
  };
  run('pack', [masks, student, teacher, packed.student, packed.teacher], packed.student.size);
  record(packed.student, where, [student], (dy) => {
    const gradient = Tensor.empty(engine, student.shape, 'f32', where);
    run('unpack', [masks, dy, gradient], student.size);
    return [gradient];
  });
  return packed;
}
