/**
 * Checks an operation against a float64 reference on the CPU: its value, and its gradient against central differences
 * of the reference. Differences of the float32 operation itself would drown in rounding.
 */

import { ArgumentError, AutogradError } from '../errors.ts';
import { tensorFrom } from '../tensor/create.ts';
import { fromStored, isFloat, type TypedArray, toStored } from '../tensor/dtype.ts';
import { Random } from '../tensor/random.ts';
import { compareNumbers } from '../tensor/relative-error.ts';
import { show, sizeOf } from '../tensor/shape.ts';
import { commonEngine, Tensor } from '../tensor/tensor.ts';
import { backward } from './tape.ts';

/** The operation on plain numbers: row-major inputs to the row-major output. Must not change its inputs. */
export type Reference64 = (...inputs: Float64Array[]) => ArrayLike<number>;

/** How strict a check is. */
export interface GradcheckOptions {
  /** Largest relative L2 error of the value and of each gradient, 1e-5 by default. */
  tolerance?: number;
  /** Step of the differences, relative to max(1, |x|), 1e-5 by default. Half of it must not cross a kink. */
  step?: number;
  /** Seed of the random gradient put in at the output, 0 by default. */
  seed?: number;
}

/** How far off what was checked is. */
export interface GradcheckReport {
  /** Relative L2 error of the output. */
  value: number;
  /** Relative L2 error of each input's gradient; `null` for integers, which have none. */
  gradients: (number | null)[];
}

/**
 * Runs `fn` on leaves with the inputs' values, puts a random gradient in at its output and compares.
 * @param inputs their values are read; integers are passed on as they are.
 * @throws {AutogradError} when the value or a gradient is off, with the worst element of the first that is.
 * @throws {ArgumentError} when the reference has another size, or an option is out of its range.
 * @example
 * import { gradcheck } from 'engram/testing';
 * await gradcheck((x) => x.exp(), (x) => x.map(Math.exp), [engine.tensor([0.5, -1])]);
 */
export async function gradcheck(
  fn: (...inputs: Tensor[]) => Tensor,
  reference: Reference64,
  inputs: readonly Tensor[],
  { tolerance = 1e-5, step = 1e-5, seed = 0 }: GradcheckOptions = {},
): Promise<GradcheckReport> {
  if (!(tolerance >= 0 && step > 0 && Number.isFinite(step))) {
    throw new ArgumentError({
      where: 'gradcheck',
      message: `tolerance must be at least 0 and step above 0, not ${tolerance} and ${step}.`,
    });
  }
  const engine = commonEngine('gradcheck', inputs);
  const values = await Promise.all(inputs.map(async (input) => Float64Array.from(await input.data())));
  const random = Random.of(seed, 'gradcheck');
  const { output, gradients, cotangent } = engine.scope(() => {
    const leaves = inputs.map((input) => {
      const leaf = Tensor.view(input, input.shape, 'gradcheck');
      if (isFloat(leaf.dtype)) leaf.requiresGrad = true;
      return leaf;
    });
    const output = fn(...leaves);
    const drawn = Float32Array.from({ length: output.size }, () => random.normal());
    const stored = toStored(output.dtype, drawn);
    const cotangent = fromStored(output.dtype, stored.buffer, output.size);
    backward(output, tensorFrom(engine, cotangent, output.shape, output.dtype));
    return { output, gradients: leaves.map((leaf) => leaf.grad), cotangent };
  });
  try {
    const expected = reference(...values);
    if (expected.length !== output.size) {
      throw new ArgumentError({
        where: 'gradcheck',
        message: `the reference gives ${expected.length} elements, the operation ${show(output.shape)} = ${output.size}.`,
      });
    }
    const judge = (
      what: string,
      actual: ArrayLike<number>,
      wanted: ArrayLike<number>,
      shape: readonly number[],
    ): number => {
      const { error, worst } = compareNumbers(actual, wanted);
      if (error <= tolerance) return error;
      throw new AutogradError({
        where: 'gradcheck',
        message:
          `${what} of shape ${show(shape)} is off by ${error.toPrecision(3)} (relative L2; ${tolerance} allowed): ` +
          `element ${worst} is ${actual[worst]}, the reference has ${wanted[worst]}.`,
      });
    };
    const report: GradcheckReport = {
      value: judge('the value', await output.data(), expected, output.shape),
      gradients: [],
    };
    for (const [i, input] of inputs.entries()) {
      if (!isFloat(input.dtype)) {
        report.gradients.push(null);
        continue;
      }
      const gradient = gradients[i];
      const actual = gradient ? await gradient.data() : new Float32Array(sizeOf(input.shape));
      const wanted = differences(reference, values, i, cotangent, step);
      report.gradients.push(judge(`the gradient of input ${i}`, actual, wanted, input.shape));
    }
    return report;
  } finally {
    for (const tensor of [output, ...gradients]) tensor?.dispose();
  }
}

/** Central differences of Σ cotangent · reference with respect to one input. */
function differences(
  reference: Reference64,
  values: readonly Float64Array[],
  which: number,
  cotangent: TypedArray,
  step: number,
): Float64Array {
  const shifted = values.map((value) => value.slice());
  const of = shifted[which] as Float64Array;
  return of.map((x, i) => {
    const half = (step / 2) * Math.max(1, Math.abs(x));
    of[i] = x + half;
    const above = reference(...shifted);
    of[i] = x - half;
    const below = reference(...shifted);
    of[i] = x;
    // Element by element: the two sums would cancel.
    let sum = 0;
    cotangent.forEach((c, k) => {
      sum += (c * ((above[k] as number) - (below[k] as number))) / (2 * half);
    });
    return sum;
  });
}
