/**
 * Curvature of a loss at its parameters: Hessian-vector products, the largest eigenvalue, the trace.
 *
 * The tape has no second derivatives, so a product is taken from central differences of gradients, (g(w + hv) − g(w − hv))/2h, in
 * steps that halve, extrapolated to h → 0 in float64 (Ridders 1982). A smooth loss is met to about 1e-6; the float32 gradients
 * set the limit. A ReLU network has kinks within the steps: its products are those of a loss smoothed over `step`, and `error`
 * tells by how much the steps disagree.
 */
import { ArgumentError, AutogradError, ShapeError } from '../errors.ts';
import '../ops/methods.ts';
import { tensorFrom } from '../tensor/create.ts';
import { Random } from '../tensor/random.ts';
import { sameShape, show } from '../tensor/shape.ts';
import { commonEngine, type Tensor } from '../tensor/tensor.ts';
import { largestEigenvalue } from './tridiagonal.ts';

export interface HessianOptions {
  /** Length of the first displacement of all parameters together, along a vector of length 1; 0.5 by default. */
  step?: number;
  /** Steps at most, each half the one before; 7 by default. Each takes two gradients. */
  levels?: number;
}

/** In float64, all parameters one after the other. */
type Vector = Float64Array<ArrayBuffer>;

const dot = (a: Vector, b: Vector): number => a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
const length = (a: Vector): number => Math.sqrt(dot(a, a));
const combine = (a: Vector, s: number, b: Vector, t: number): Vector =>
  a.map((value, i) => s * value + t * (b[i] as number));

/** The Hessian of a loss by some parameters, where they are now. One question at a time: parameters move while it is answered. */
export class Hessian {
  /** Parameters in all, the rows of the matrix. */
  readonly size: number;
  private readonly step: number;
  private readonly levels: number;

  /**
   * @param parameters f32 leaves that require a gradient; they are where they were after each question.
   * @param loss a scalar of them, the same whenever it is called: no augmentation, no dropout, batch norm in inference.
   * @throws {ArgumentError} when there are no parameters, or an option is out of range.
   * @throws {AutogradError} when a parameter is not a leaf that requires a gradient.
   * @throws {EngineMismatchError} when they belong to several engines.
   */
  constructor(
    readonly parameters: readonly Tensor[],
    private readonly loss: () => Tensor,
    { step = 0.5, levels = 7 }: HessianOptions = {},
  ) {
    commonEngine('Hessian', parameters);
    if (!parameters.every((one) => one.isLeaf && one.requiresGrad && one.dtype === 'f32')) {
      throw new AutogradError({
        where: 'Hessian',
        message: `the parameters are ${parameters.join(', ')}; f32 leaves that require a gradient were expected.`,
      });
    }
    if (!(step > 0 && step < Number.POSITIVE_INFINITY && Number.isInteger(levels) && levels >= 2)) {
      throw new ArgumentError({
        where: 'Hessian',
        message: `step is ${step} and levels ${levels}; a number above 0 and a whole one of at least 2 were expected.`,
      });
    }
    this.step = step;
    this.levels = levels;
    this.size = parameters.reduce((total, { size }) => total + size, 0);
  }

  /**
   * The product with a vector, one tensor a parameter.
   * @param vector of the parameters' shapes.
   * @returns the product, which belongs to the caller, and its estimated error relative to its length.
   * @throws {ShapeError} when the vector has other shapes.
   * @throws {ArgumentError} when a gradient is not finite.
   */
  async product(vector: readonly Tensor[]): Promise<{ product: Tensor[]; error: number }> {
    if (!sameShape([vector.length], [this.parameters.length]) || vector.some((v, i) => !this.fits(v, i))) {
      const shapes = (list: readonly Tensor[]) => list.map(({ shape }) => show(shape)).join(', ');
      throw new ShapeError({
        where: 'Hessian.product',
        message: `the vector has the shapes ${shapes(vector)}; the parameters ${shapes(this.parameters)}.`,
      });
    }
    const { product, error } = await this.times(await flat(vector));
    let start = 0;
    const parts = this.parameters.map(({ engine, shape, size }) => {
      const part = Float32Array.from(product.subarray(start, start + size));
      start += size;
      return engine.keep(tensorFrom(engine, part, shape));
    });
    return { product: parts, error };
  }

  /**
   * The largest eigenvalue, by Lanczos's iteration with every vector held orthogonal to all before.
   * @param options `iterations` at most, 50 by default; it ends before when the value changes by less than `tolerance`,
   * relatively (1e-7 by default); `seed` of the first vector.
   */
  async topEigenvalue({ iterations = 50, tolerance = 1e-7, seed = 0 } = {}): Promise<number> {
    const random = Random.of(seed, 'hessian');
    const basis: Vector[] = [];
    const [diagonal, beside]: [number[], number[]] = [[], []];
    let next = Float64Array.from({ length: this.size }, () => random.normal());
    let value = 0;
    for (let i = 0; i < Math.min(iterations, this.size); i++) {
      const norm = length(next);
      if (i > 0) {
        // Nothing is left but what the products' errors put there.
        if (norm <= 1e-5 * Math.abs(value)) break;
        beside.push(norm);
      }
      const vector = next.map((x) => x / norm);
      basis.push(vector);
      next = (await this.times(vector)).product;
      diagonal.push(dot(next, vector));
      // Twice: once leaves what rounding brought back.
      for (let pass = 0; pass < 2; pass++) for (const old of basis) next = combine(next, 1, old, -dot(next, old));
      const before = value;
      value = largestEigenvalue(diagonal, beside);
      if (i > 1 && Math.abs(value - before) <= tolerance * Math.abs(value)) break;
    }
    return value;
  }

  /**
   * The trace: the sum of the diagonal where that takes no more than `samples` products, otherwise Hutchinson's estimate, the
   * mean of vᵀHv over random vectors of ±1.
   * @param options `samples`, 64 by default; `seed` of the vectors.
   * @returns the trace, and the estimate's standard error: 0 for the sum.
   * @throws {ArgumentError} when `samples` is not a whole number of at least 2.
   */
  async trace({ samples = 64, seed = 0 } = {}): Promise<{ trace: number; standardError: number }> {
    if (!(Number.isInteger(samples) && samples >= 2)) {
      throw new ArgumentError({ where: 'Hessian.trace', message: `samples is ${samples}; at least 2 were expected.` });
    }
    const through = async (vector: Vector) => dot(vector, (await this.times(vector)).product);
    if (this.size <= samples) {
      let trace = 0;
      for (let i = 0; i < this.size; i++) trace += await through(new Float64Array(this.size).fill(1, i, i + 1));
      return { trace, standardError: 0 };
    }
    const random = Random.of(seed, 'hessian');
    const values: number[] = [];
    for (let i = 0; i < samples; i++) {
      values.push(await through(Float64Array.from({ length: this.size }, () => (random.uniform() < 0.5 ? -1 : 1))));
    }
    const trace = values.reduce((sum, x) => sum + x, 0) / samples;
    const variance = values.reduce((sum, x) => sum + (x - trace) ** 2, 0) / (samples - 1);
    return { trace, standardError: Math.sqrt(variance / samples) };
  }

  private fits(vector: Tensor, i: number): boolean {
    return sameShape(vector.shape, (this.parameters[i] as Tensor).shape);
  }

  /** The product and its relative error: the entry of Ridders's table that agrees best with those it comes from. */
  private async times(vector: Vector): Promise<{ product: Vector; error: number }> {
    const norm = length(vector);
    let best = new Float64Array(this.size);
    if (norm === 0) return { product: best, error: 0 };
    const at = await flat(this.parameters);
    const held = this.parameters.map(({ grad }) => grad);
    let least = Number.POSITIVE_INFINITY;
    let row: Vector[] = [];
    try {
      for (let level = 0; level < this.levels; level++) {
        const h = this.step * 0.5 ** level;
        const above = await this.gradientAt(combine(at, 1, vector, h / norm));
        const below = await this.gradientAt(combine(at, 1, vector, -h / norm));
        const scale = norm / (2 * h);
        const next = [combine(above, scale, below, -scale)];
        for (const [order, coarse] of row.entries()) {
          const fine = next[order] as Vector;
          const factor = 4 ** (order + 1);
          const better = combine(fine, factor / (factor - 1), coarse, -1 / (factor - 1));
          next.push(better);
          const error = Math.max(length(combine(better, 1, fine, -1)), length(combine(better, 1, coarse, -1)));
          if (error < least) [least, best] = [error, better];
        }
        const [last, before] = [next.at(-1), row.at(-1)];
        row = next;
        // Smaller steps have begun to lose more to rounding than they gain.
        if (last && before && length(combine(last, 1, before, -1)) > 8 * least) break;
      }
    } finally {
      this.move(at);
      this.parameters.forEach((parameter, i) => {
        parameter.grad = held[i] ?? null;
      });
    }
    return { product: best, error: least / (length(best) || 1) };
  }

  private move(to: Vector): void {
    let start = 0;
    for (const { engine, storage, size } of this.parameters) {
      engine.write(storage, Float32Array.from(to.subarray(start, start + size)));
      start += size;
    }
  }

  private async gradientAt(place: Vector): Promise<Vector> {
    this.move(place);
    for (const parameter of this.parameters) parameter.grad = null;
    const { engine } = this.parameters[0] as Tensor;
    engine.scope(() => this.loss().backward());
    const gradients = this.parameters.map(
      (one) => one.grad ?? engine.keep(tensorFrom(engine, new Float32Array(one.size))),
    );
    const values = await flat(gradients);
    for (const gradient of gradients) gradient.dispose();
    if (values.every(Number.isFinite)) return values;
    throw new ArgumentError({
      where: 'Hessian',
      message: `a gradient is not finite within ${this.step} of the parameters.`,
      fix: 'Choose a smaller step, or see whether the loss is finite.',
    });
  }
}

/** All elements, one tensor after the other. */
async function flat(tensors: readonly Tensor[]): Promise<Vector> {
  const parts = await Promise.all(tensors.map((tensor) => tensor.data()));
  const all = new Float64Array(parts.reduce((total, { length }) => total + length, 0));
  let start = 0;
  for (const part of parts) {
    all.set(part, start);
    start += part.length;
  }
  return all;
}
