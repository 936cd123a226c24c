/**
 * Curvature of a loss at its parameters: Hessian-vector products, the largest eigenvalue, the trace.
 *
 * Where every operation behind the loss can be differentiated twice (see `recordedGradients`), as in ResNets in inference, a
 * product is exact but for rounding: the gradient of gᵀv (Pearlmutter 1994). Otherwise, for batch norm in training and f16
 * activations for example, it is taken from differences of gradients, which float32 holds to a relative error of about 1e-5 at
 * best. A ReLU network has kinks within the steps: products by differences are those of a loss smoothed over `step`, far from
 * exact where images are few, and `error` tells by how much the steps disagree.
 */
import { ArgumentError, AutogradError, ShapeError } from '../errors.ts';
import '../ops/methods.ts';
import { recordedGradients, withoutSecondDerivative } from '../ops/recorded-gradients.ts';
import { tensorFrom } from '../tensor/create.ts';
import { Random } from '../tensor/random.ts';
import { sameShape, show } from '../tensor/shape.ts';
import { commonEngine, type Tensor } from '../tensor/tensor.ts';
import { combine, derivative, dot, length, type Vector } from './extrapolated-differences.ts';
import { type LossParts, partsOf } from './loss-parts.ts';
import { largestEigenvalues } from './tridiagonal.ts';

/** How a Hessian's products are taken. */
export interface HessianOptions {
  /** `auto`: exact where the operations permit, differences otherwise (default); `differences` everywhere. */
  by?: 'auto' | 'differences';
  /** Of differences: the length of the first displacement of all parameters together; 1 by default. */
  step?: number;
  /** Of differences: displacements at most, each half the one before; 7 by default. Each takes two gradients. */
  levels?: number;
}

/** How eigenvalues are looked for. */
export interface EigenvalueOptions {
  /** How many; 1 by default. */
  count?: number;
  /** Products at most, 50 by default. */
  iterations?: number;
  /** It ends when no value changes by more than this, relatively; 1e-7 by default. */
  tolerance?: number;
  /** Of the first vector; 0 by default. */
  seed?: number;
  /** Is told how many products are taken. */
  onProduct?: (taken: number) => void;
}

/** How a trace is estimated. */
export interface TraceOptions {
  /** Random vectors, 64 by default. */
  samples?: number;
  /** Of the vectors; 0 by default. */
  seed?: number;
  /** Is told how many products are taken. */
  onProduct?: (taken: number) => void;
}

/** What is left of a vector beside the others, which are orthogonal and of length 1. */
function orthogonal(vector: Vector, basis: readonly Vector[]): Vector {
  let left = vector;
  // Twice: the second time takes what the first one's rounding left.
  for (let pass = 0; pass < 2; pass++) for (const one of basis) left = combine(left, 1, one, -dot(left, one));
  return left;
}

/** The Hessian of a loss by some parameters, where they are now. One question at a time: parameters move while it is answered. */
export class Hessian {
  /** Parameters in all, the rows of the matrix. */
  readonly size: number;
  private readonly options: { readonly step: number; readonly levels: number };
  private readonly loss: readonly (() => Tensor)[];
  /** Whether products are exact, as far as is known. */
  private isExact: boolean;

  /**
   * @param parameters f32 leaves that require a gradient; after each question they are where they were.
   * @param loss a scalar of them, in parts where all images at once are too many.
   * @throws {ArgumentError} when there are no parameters or no loss, or an option is out of range.
   * @throws {AutogradError} when a parameter is not an f32 leaf that requires a gradient.
   * @throws {EngineMismatchError} when they belong to several engines.
   */
  constructor(
    readonly parameters: readonly Tensor[],
    loss: LossParts,
    { by = 'auto', step = 1, levels = 7 }: HessianOptions = {},
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
    this.options = { step, levels };
    this.loss = partsOf(loss, 'Hessian');
    this.isExact = by === 'auto';
    this.size = parameters.reduce((total, { size }) => total + size, 0);
  }

  /** Whether products are exact but for rounding; known once one was asked for. */
  get exact(): boolean {
    return this.isExact;
  }

  /**
   * The product with a vector, one tensor a parameter.
   * @param vector of the parameters' shapes.
   * @returns the product, which belongs to the caller, and its estimated error relative to its length: 0 where it is exact.
   * @throws {ShapeError} when the vector has other shapes.
   * @throws {ArgumentError} when a gradient is not finite.
   */
  async product(vector: readonly Tensor[]): Promise<{ product: Tensor[]; error: number }> {
    const fits = vector.every((part, i) => sameShape(part.shape, this.parameters[i]?.shape ?? []));
    if (vector.length !== this.parameters.length || !fits) {
      const shapes = (list: readonly Tensor[]) => list.map(({ shape }) => show(shape)).join(', ');
      throw new ShapeError({
        where: 'Hessian.product',
        message: `the vector has the shapes ${shapes(vector)}; the parameters ${shapes(this.parameters)}.`,
      });
    }
    const { value, error } = await this.times(await joined(vector));
    return { product: this.parts(value).map((part) => part.moveTo(null)), error };
  }

  /**
   * The largest eigenvalue; see {@link topEigenvalues}.
   * @throws {ArgumentError} when a gradient is not finite.
   */
  async topEigenvalue(options: Omit<EigenvalueOptions, 'count'> = {}): Promise<number> {
    return (await this.topEigenvalues({ ...options, count: 1 }))[0] as number;
  }

  /**
   * The largest eigenvalues, the largest one first, by Lanczos's iteration with every vector held orthogonal to all before.
   * @returns as many as were asked for, or as there are parameters.
   * @throws {ArgumentError} when `count` is not a whole number of at least 1, or a gradient is not finite.
   */
  async topEigenvalues({
    count = 1,
    iterations = 50,
    tolerance = 1e-7,
    seed = 0,
    onProduct,
  }: EigenvalueOptions = {}): Promise<number[]> {
    if (!(Number.isInteger(count) && count >= 1)) {
      throw new ArgumentError({ where: 'Hessian', message: `count is ${count}; at least 1 was expected.` });
    }
    const random = Random.of(seed, 'hessian');
    const basis: Vector[] = [];
    const [diagonal, beside]: [number[], number[]] = [[], []];
    const randomVector = (): Vector => Float64Array.from({ length: this.size }, () => random.normal());
    let next = randomVector();
    let values: number[] = [];
    for (let i = 0; i < Math.min(iterations, this.size); i++) {
      let norm = length(next);
      if (i > 0 && norm <= 1e-6 * Math.abs(values[0] as number)) {
        // Nothing is left but what rounding put there: the vector's own directions are done, and of an eigenvalue that is there
        // more than once they hold one. The others are found from elsewhere.
        next = orthogonal(randomVector(), basis);
        norm = length(next);
        beside.push(0);
      } else if (i > 0) beside.push(norm);
      const vector = next.map((x) => x / norm);
      basis.push(vector);
      next = (await this.times(vector)).value;
      onProduct?.(i + 1);
      diagonal.push(dot(next, vector));
      next = orthogonal(next, basis);
      const before = values;
      values = largestEigenvalues(diagonal, beside, count);
      const isStill = (value: number, at: number) =>
        Math.abs(value - (before[at] ?? Number.NaN)) <= tolerance * Math.abs(value);
      if (i > 1 && values.length === Math.min(count, this.size) && values.every(isStill)) break;
    }
    return values;
  }

  /**
   * The trace: the sum of the diagonal where that takes no more than `samples` products, otherwise Hutchinson's estimate, the
   * mean of vᵀHv over random vectors of ±1.
   * @param options `samples`, 64 by default; `seed` of the vectors; `onProduct` is told how many products are taken.
   * @returns the trace, and the estimate's standard error: 0 for the sum.
   * @throws {ArgumentError} when `samples` is not a whole number of at least 2, or a gradient is not finite.
   */
  async trace({
    samples = 64,
    seed = 0,
    onProduct,
  }: TraceOptions = {}): Promise<{ trace: number; standardError: number }> {
    if (!(Number.isInteger(samples) && samples >= 2)) {
      throw new ArgumentError({ where: 'Hessian.trace', message: `samples is ${samples}; at least 2 were expected.` });
    }
    let taken = 0;
    const through = async (vector: Vector) => {
      const { value } = await this.times(vector);
      onProduct?.(++taken);
      return dot(vector, value);
    };
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

  private async times(vector: Vector): Promise<{ value: Vector; error: number }> {
    const held = this.parameters.map(({ grad }) => grad);
    try {
      const exact = this.isExact ? await this.exactly(vector) : null;
      return exact ? { value: exact, error: 0 } : await this.byDifferences(vector);
    } finally {
      this.parameters.forEach((parameter, i) => {
        parameter.grad = held[i] ?? null;
      });
    }
  }

  /** The gradient of gᵀv; `null` where an operation cannot be differentiated twice. */
  private async exactly(vector: Vector): Promise<Vector | null> {
    this.isExact = this.gradientOf((part) => {
      const loss = part();
      if (withoutSecondDerivative(loss)) return null;
      const parts = this.parts(vector);
      const gradients = recordedGradients(loss, this.parameters);
      return gradients.map((g, i) => g.mul(parts[i] as Tensor).sum()).reduce((sum, part) => sum.add(part));
    });
    return this.isExact ? this.takeGradients() : null;
  }

  private async byDifferences(vector: Vector): Promise<{ value: Vector; error: number }> {
    const norm = length(vector);
    if (norm === 0) return { value: vector, error: 0 };
    const at = await joined(this.parameters);
    try {
      const along = async (h: number) => {
        this.moveTo(combine(at, 1, vector, h / norm));
        this.gradientOf((part) => part());
        return this.takeGradients();
      };
      const { value, error } = await derivative(along, this.options);
      return { value: value.map((x) => x * norm), error };
    } finally {
      this.moveTo(at);
    }
  }

  /** Leaves with the parameters the gradient of a function of the loss, summed over its parts; whether there was a function. */
  private gradientOf(of: (part: () => Tensor) => Tensor | null): boolean {
    for (const parameter of this.parameters) parameter.grad = null;
    const { engine } = this.parameters[0] as Tensor;
    return this.loss.every((part) =>
      engine.scope(() => {
        const value = of(part);
        // The gradient of a loss that is linear depends on nothing, and has the gradient zero.
        if (value?.requiresGrad) value.backward();
        return value !== null;
      }),
    );
  }

  private async takeGradients(): Promise<Vector> {
    const { engine } = this.parameters[0] as Tensor;
    const gradients = this.parameters.map(
      ({ grad, size }) => grad ?? engine.keep(tensorFrom(engine, new Float32Array(size))),
    );
    const values = await joined(gradients);
    for (const gradient of gradients) gradient.dispose();
    if (values.every(Number.isFinite)) return values;
    throw new ArgumentError({
      where: 'Hessian',
      message: 'a gradient is not finite, at the parameters or a step from them.',
      fix: 'See whether the loss is finite, or choose a smaller step.',
    });
  }

  private moveTo(place: Vector): void {
    let start = 0;
    for (const { engine, storage, size } of this.parameters) {
      engine.write(storage, Float32Array.from(place.subarray(start, start + size)));
      start += size;
    }
  }

  /** A vector as tensors of the parameters' shapes. */
  private parts(vector: Vector): Tensor[] {
    let start = 0;
    return this.parameters.map(({ engine, shape, size }) => {
      const part = Float32Array.from(vector.subarray(start, start + size));
      start += size;
      return tensorFrom(engine, part, shape);
    });
  }
}

/** All elements, one tensor after the other. */
async function joined(tensors: readonly Tensor[]): Promise<Vector> {
  const parts = await Promise.all(tensors.map((tensor) => tensor.data()));
  const all = new Float64Array(parts.reduce((total, part) => total + part.length, 0));
  let start = 0;
  for (const part of parts) {
    all.set(part, start);
    start += part.length;
  }
  return all;
}
