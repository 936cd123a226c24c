/**
 * The loss around where a model is, on the plane of two random directions (Li et al. 2018, Visualizing the Loss Landscape of
 * Neural Nets). A network that rectifies is the same when one layer's filters are twice as long and the next one's half: so
 * each direction is normalised filter by filter to the model's own, and two models are comparable.
 */
import { noGrad } from '../autograd/tape.ts';
import { ArgumentError, ShapeError } from '../errors.ts';
import type { AnyModule } from '../nn/module.ts';
import { elementwise } from '../ops/elementwise/elementwise.ts';
import '../ops/methods.ts';
import { copyInto, copyOf } from '../tensor/copy-into.ts';
import type { Engine } from '../tensor/engine.ts';
import { Random } from '../tensor/random.ts';
import { normal } from '../tensor/random-tensors.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Which plane, and how finely it is looked at. */
export interface LossLandscapeOptions {
  /** Points along each side, 2^k + 1: the model itself is the one in the middle; 33 by default. */
  points?: number;
  /** From the middle to each side, in lengths of the model's own filters; 1 by default. */
  extent?: number;
  /** Of the directions, a whole number below 2^53; 0 by default. */
  seed?: number;
}

/** How far the evaluation is, after a point. */
export interface LandscapeProgress {
  readonly done: number;
  readonly total: number;
  /** Every so many points along each side are there, 1 when all are; `null` before the corners. */
  readonly stride: number | null;
}

/** A weight, a direction, and how far along it. */
const displaced = elementwise('displaced', {
  operands: ['a', 'b', 'c'],
  forward: 'a + c * b',
  gradients: ['dy', 'dy * c', 'dy * b'],
});

/** A weight that is moved: where it was, and the two directions. */
interface Moved {
  readonly weight: Tensor;
  readonly center: Tensor;
  readonly u: Tensor;
  readonly v: Tensor;
}

/** The last axis of linear and of convolution weights counts their filters. */
const filterAxes = ({ rank }: Tensor): number[] => Array.from({ length: rank - 1 }, (_, axis) => axis);

/** Gaussian, each filter as long as the weight's own (Li et al. 2018, section 4). */
function directionOf(weight: Tensor, seed: number, stream: number): Tensor {
  const { engine } = weight;
  return engine.scope(() => {
    const drawn = normal(engine, weight.shape, { from: { seed, stream } });
    const lengths = (x: Tensor) => x.square().sum(filterAxes(x), { keepDims: true }).sqrt();
    return engine.keep(drawn.mul(lengths(weight).div(lengths(drawn).clamp(1e-30))));
  });
}

/**
 * The loss of a model on the plane of two random directions through it, normalised filter by filter (Li et al. 2018, section 4).
 * @example
 * const landscape = new LossLandscape(model.eval(), capture(engine, () => noGrad(engine, () => crossEntropy(model.forward(x), y))));
 * for (const { done, total } of landscape.evaluate()) if (done % 16 === 0) await engine.sync();
 * const losses = await landscape.losses.data(); // or borrow(landscape.losses), to draw them where they are
 */
export class LossLandscape {
  /**
   * f32 [points, points], on the device: row i has b = extent·(2i/(points − 1) − 1), column j the same for a, of the weights
   * w + a·u + b·v. 0 where it is not evaluated yet.
   */
  readonly losses: Tensor;
  readonly points: number;
  readonly extent: number;
  private readonly engine: Engine;
  private readonly moved: readonly Moved[];

  /**
   * Looks at a model where it is now. Weights of two axes and more are moved; biases and those of batch norm stay (as in the
   * paper).
   * @param model in inference: running statistics as they are, no dropout.
   * @param loss a scalar f32 of the model, the same whenever it is called; a captured step is the fastest.
   * @throws {ArgumentError} when `points` is not 2^k + 1, the extent not above 0, or the model has no weight that is moved.
   */
  constructor(
    model: AnyModule,
    private readonly loss: () => Tensor,
    { points = 33, extent = 1, seed = 0 }: LossLandscapeOptions = {},
  ) {
    const where = 'LossLandscape';
    if (!(Number.isInteger(Math.log2(points - 1)) && points >= 3)) {
      const fix = 'Take 17, 33 or 65: each is refined from the one before.';
      throw new ArgumentError({ where, message: `${points} points along each side; 2^k + 1 were expected.`, fix });
    }
    if (!(extent > 0 && Number.isFinite(extent))) {
      throw new ArgumentError({ where, message: `extent is ${extent}; a finite number above 0 was expected.` });
    }
    const weights = model.parameters().filter(({ rank, dtype }) => rank >= 2 && dtype === 'f32');
    if (weights.length === 0) {
      throw new ArgumentError({ where, message: 'the model has no f32 weights of two axes or more.' });
    }
    this.engine = model.engine;
    this.points = points;
    this.extent = extent;
    const { engine } = this;
    const streams = Random.of(seed, 'landscape');
    this.moved = noGrad(engine, () =>
      weights.map((weight) => ({
        weight,
        center: engine.keep(copyOf(weight, 'LossLandscape')),
        u: directionOf(weight, seed, streams.word()),
        v: directionOf(weight, seed, streams.word()),
      })),
    );
    this.losses = engine.keep(engine.zeros([points, points]));
  }

  /**
   * Evaluates every point once, a coarse grid first and then what lies between. The work is recorded: nothing waits for the
   * device and nothing is read. Wait for it now and then (`engine.sync()`, or `device.queue.onSubmittedWorkDone()` after
   * `engine.flush()`), or all of it is asked for at once. Between two points the model is where it was.
   * @throws {ShapeError} when the loss is not one number.
   */
  *evaluate(): Generator<LandscapeProgress> {
    const { points } = this;
    const [total, seen] = [points * points, new Set<number>()];
    let complete: number | null = null;
    for (let stride = points - 1; stride >= 1; stride /= 2) {
      for (let row = 0; row < points; row += stride) {
        for (let column = 0; column < points; column += stride) {
          const place = row * points + column;
          if (seen.has(place)) continue;
          seen.add(place);
          this.evaluateAt(row, column);
          if (isLast(row, column, stride, points)) complete = stride;
          yield { done: seen.size, total, stride: complete };
        }
      }
    }
  }

  /** Frees what it holds; the model is its owner's. */
  dispose(): void {
    this.losses.dispose();
    for (const { center, u, v } of this.moved) for (const one of [center, u, v]) one.dispose();
  }

  private evaluateAt(row: number, column: number): void {
    const { engine, losses, points, extent } = this;
    const along = (at: number) => extent * ((2 * at) / (points - 1) - 1);
    const [a, b] = [along(column), along(row)];
    noGrad(engine, () =>
      engine.scope(() => {
        try {
          for (const { weight, center, u, v } of this.moved) copyInto(displaced(displaced(center, u, a), v, b), weight);
          const loss = this.loss();
          if (loss.size !== 1 || loss.dtype !== 'f32') {
            throw new ShapeError({ where: 'LossLandscape', message: `the loss is ${loss}; one f32 was expected.` });
          }
          engine.copy(loss.storage, losses.storage, 4, 4 * (row * points + column));
        } finally {
          for (const { weight, center } of this.moved) copyInto(center, weight);
        }
      }),
    );
  }
}

/** Whether a grid is whole with a point: of the finer ones the corner was there before. */
const isLast = (row: number, column: number, stride: number, points: number): boolean =>
  row === points - 1 && column === points - 1 - (stride < points - 1 ? stride : 0);
