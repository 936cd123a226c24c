/** Cross entropy of logits with integer targets: log-softmax and the pick of the target in one dispatch, the sum or the mean in others, which count the rows too. */

import source from '../../shaders/norm/cross-entropy.wgsl';
import { record } from '../autograd/tape.ts';
import { ArgumentError, DTypeError, ShapeError } from '../errors.ts';
import { plane } from '../gpu/plane.ts';
import { show } from '../tensor/shape.ts';
import { commonEngine, Tensor } from '../tensor/tensor.ts';
import { launchElementwise } from './elementwise/elementwise-kernel.ts';
import { oneHot } from './gather.ts';
import './methods.ts';
import { sum } from './reduce.ts';
import { checkReduction, type Reduction } from './reduction.ts';
import { reshape } from './reshape.ts';
import { rowTeams } from './row-teams.ts';
import { softmax } from './softmax.ts';

/** What {@link crossEntropy} may differ in. */
export interface CrossEntropyOptions {
  /** ε: the target distribution is (1 − ε)·one-hot + ε/classes (Szegedy et al. 2016). */
  labelSmoothing?: number;
  /** `mean` over the rows that count (default), `sum`, or `none` for one loss a row. */
  reduction?: Reduction;
  /** A mean is over all rows, those that count for nothing too, where PyTorch's is over the others alone; false by default. */
  overAllRows?: boolean;
}

/** 1 for each target that is a class, 0 for others; f32. */
export const countsOf = (targets: Tensor, classes: number): Tensor =>
  launchElementwise(
    'counts',
    'select(0.0, 1.0, a >= 0 && a < b)',
    { a: targets, b: classes },
    { shape: targets.shape },
  );

/**
 * Cross entropy of logits [n, classes] with targets [n] (i32). A row with a target outside [0, classes), such as PyTorch's −100, counts
 * for nothing and has no gradient. A mean is over the rows that count, and NaN where none does; see `overAllRows` too.
 * @throws {ShapeError} unless the logits are [n, classes] and the targets [n].
 * @throws {DTypeError} unless the logits are f32 and the targets i32.
 * @throws {ArgumentError} when `labelSmoothing` is not in [0, 1), or for what is no reduction.
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { labelSmoothing = 0, reduction = 'mean', overAllRows = false } = options;
  const engine = commonEngine('crossEntropy', [logits, targets]);
  const [rows = 0, n = 0] = logits.shape;
  if (logits.rank !== 2 || targets.rank !== 1 || targets.shape[0] !== rows) {
    throw new ShapeError({
      where: 'crossEntropy',
      message: `takes logits [n, classes] and targets [n]; was given ${show(logits.shape)} and ${show(targets.shape)}.`,
    });
  }
  if (logits.dtype !== 'f32' || targets.dtype !== 'i32') {
    throw new DTypeError({
      where: 'crossEntropy',
      message: `takes f32 logits and i32 targets; was given ${logits.dtype} and ${targets.dtype}.`,
      fix: 'Convert with cast().',
    });
  }
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new ArgumentError({
      where: 'crossEntropy',
      message: `labelSmoothing must be in [0, 1), not ${labelSmoothing}.`,
    });
  }
  checkReduction('crossEntropy', reduction);
  const counted = reduction === 'mean' && !overAllRows ? sum(countsOf(targets, n)) : null;
  // What is bound where nothing is counted is not looked at.
  const { storage: countedStorage } = counted ?? targets;
  const scale = reduction === 'mean' ? 1 / rows : 1;
  const losses = Tensor.empty(engine, [rows], 'f32', 'crossEntropy');
  const lse = Tensor.empty(engine, [rows, 2], 'f32', 'crossEntropy');
  const { constants: teams, workgroups } = rowTeams(engine, rows, n, 1);
  const constants = { ...teams, COUNTED: counted !== null };
  const params = { rows, n, smoothing: labelSmoothing, scale };
  engine.dispatch({
    kernel: { name: 'cross_entropy', source, entry: 'forward' },
    constants,
    buffers: [logits.storage, targets.storage, losses.storage, lse.storage, countedStorage],
    params,
    workgroups: plane(engine, workgroups),
  });
  const loss = reduction === 'none' ? losses : sum(losses);
  const backward = (dy: Tensor) => {
    const dlogits = Tensor.empty(engine, logits.shape, 'f32', 'crossEntropy');
    engine.dispatch({
      kernel: { name: 'cross_entropy', source, entry: 'backward' },
      constants,
      buffers: [logits.storage, targets.storage, lse.storage, dy.storage, dlogits.storage, countedStorage],
      params: { ...params, per_row: reduction === 'none' },
      workgroups: plane(engine, workgroups),
    });
    return [dlogits];
  };
  const recorded = (dy: Tensor) => {
    const hot = oneHot(targets, n);
    const wanted = hot.mul(1 - labelSmoothing).add(labelSmoothing / n);
    // Rows with a target that does not exist have no gradient.
    const counts = hot.sum(1, { keepDims: true }).mul(counted ? counted.clamp(1).reciprocal() : scale);
    return [
      softmax(logits)
        .sub(wanted)
        .mul(counts)
        .mul(reduction === 'none' ? reshape(dy, [rows, 1]) : dy),
    ];
  };
  return record(loss, 'crossEntropy', [logits], backward, recorded);
}
