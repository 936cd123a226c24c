/**
 * Weighs losses of samples and groups into one scalar, in one pass: the last step of a distillation whose groups and
 * samples do not all count the same (by similarity, by age, by confusion).
 */
import source from '../../shaders/distill/weighted-loss.wgsl';
import { record } from '../autograd/tape.ts';
import { ShapeError } from '../errors.ts';
import { plane } from '../gpu/plane.ts';
import { checkReduction } from '../ops/reduction.ts';
import { sameShape, show } from '../tensor/shape.ts';
import { commonEngine, Tensor } from '../tensor/tensor.ts';

/** Weights and reduction of {@link weightedLoss}. */
export interface WeightedLossOptions {
  /** f32 [groups]; all 1 by default. Has a gradient if it requires one. */
  groupWeights?: Tensor;
  /** f32 [samples], for example lower for replayed or confused samples; all 1 by default. Has a gradient if it requires one. */
  sampleWeights?: Tensor;
  /** `mean`: divided by the number of samples (default); `sum`: not. The weights are used as they are. */
  reduction?: 'mean' | 'sum';
}

/** Losses one workgroup adds up. */
const TILE = 4096;

/**
 * Σ_b u_b Σ_g w_g ℓ_bg, by default divided by the number of samples: a scalar.
 * @param losses f32 [samples, groups], as `groupLosses` returns them.
 * @throws {ShapeError} when losses and weights are not f32, or do not fit each other.
 * @throws {ArgumentError} for what is no reduction.
 * @throws {EngineMismatchError} when they belong to several engines.
 */
export function weightedLoss(losses: Tensor, options: WeightedLossOptions = {}): Tensor {
  const where = 'weightedLoss';
  const { groupWeights, sampleWeights, reduction = 'mean' } = options;
  const given = [groupWeights, sampleWeights].filter((t): t is Tensor => t !== undefined);
  const engine = commonEngine(where, [losses, ...given]);
  const [samples, groups] = losses.shape as readonly [number, number];
  const fits = (weights: Tensor | undefined, n: number) =>
    !weights || (weights.dtype === 'f32' && sameShape(weights.shape, [n]));
  if (losses.rank !== 2 || losses.dtype !== 'f32' || !fits(groupWeights, groups) || !fits(sampleWeights, samples)) {
    const shown = (t: Tensor | undefined) => (t ? `${t.dtype}${show(t.shape)}` : 'none');
    throw new ShapeError({
      where,
      message: `losses ${shown(losses)}, group weights ${shown(groupWeights)}, sample weights ${shown(sampleWeights)} do not fit; f32 [samples, groups], [groups] and [samples] were expected.`,
    });
  }
  checkReduction(where, reduction, ['mean', 'sum']);
  const scale = reduction === 'mean' ? 1 / samples : 1;
  const tiles = Math.ceil(losses.size / TILE);
  const run = (entry: string, inputs: readonly Tensor[], output: Tensor, count: number, threads: boolean) => {
    const [x, y] = plane(engine, threads ? Math.ceil(count / 64) : count);
    engine.dispatch({
      kernel: { name: 'weighted_loss', source, entry },
      constants: { SAMPLE_WEIGHTS: sampleWeights !== undefined, GROUP_WEIGHTS: groupWeights !== undefined },
      buffers: [...inputs, output].map((t) => t.storage),
      params: { samples, groups, tile: TILE, tiles, scale, row: x * 64 },
      workgroups: [x, y],
    });
    return output;
  };
  const make = (shape: readonly number[]) => Tensor.empty(engine, shape, 'f32', where);
  const u = sampleWeights ?? losses;
  const w = groupWeights ?? losses;
  let loss = run('partial', [losses, u, w], make(tiles === 1 ? [] : [tiles]), tiles, false);
  if (tiles > 1) {
    const sums = loss;
    loss = run('total', [sums], make([]), 1, false);
    sums.dispose();
  }
  return record(loss, where, [losses, ...given], (dy) => {
    const gradients: (Tensor | null)[] = [
      losses.requiresGrad ? run('to_losses', [u, w, dy], make(losses.shape), losses.size, true) : null,
    ];
    if (groupWeights) {
      const wanted = groupWeights.requiresGrad;
      gradients.push(wanted ? run('to_groups', [losses, u, dy], make([groups]), groups, true) : null);
    }
    if (sampleWeights) {
      const wanted = sampleWeights.requiresGrad;
      gradients.push(wanted ? run('to_samples', [losses, w, dy], make([samples]), samples, false) : null);
    }
    return gradients;
  });
}
