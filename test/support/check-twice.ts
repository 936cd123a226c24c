/** Second derivatives of tensor functions against differences of a float64 reference. */
import { recordedGradients, type Tensor } from '../../src/index.ts';
import { engine, near, uniform } from './engine.ts';

/** A function of the inputs in float64. */
export type Scalar64 = (...inputs: Float64Array[]) => number;

/** The Hessian times `v`, both of all inputs one after the other, by mixed differences. */
function productByDifferences(fn: Scalar64, inputs: readonly Float64Array[], v: ArrayLike<number>): number[] {
  const h = 3e-4;
  const at = (along: number, i: number, beside: number) => {
    let place = 0;
    const moved = inputs.map((input) => input.map((x) => x + along * v[place]! + (place++ === i ? beside : 0)));
    return fn(...moved);
  };
  return Array.from(
    { length: v.length },
    (_, i) => (at(h, i, h) - at(h, i, -h) - at(-h, i, h) + at(-h, i, -h)) / (4 * h * h),
  );
}

/** The recorded gradients are the plain ones, and their gradient along a vector is the Hessian's product with it. */
export async function checkTwice(fn: (...inputs: Tensor[]) => Tensor, reference: Scalar64, inputs: readonly Tensor[]) {
  for (const input of inputs) {
    input.requiresGrad = true;
    input.grad = null;
  }
  fn(...inputs).backward();
  const plain = inputs.map(({ grad }) => grad!);
  for (const input of inputs) input.grad = null;
  const gradients = recordedGradients(fn(...inputs), inputs);
  for (const [i, gradient] of gradients.entries()) await near(gradient, await plain[i]!.data(), 2e-6, `gradient ${i}`);
  const parts = inputs.map(({ size }, i) => uniform(size, 90 + i));
  gradients
    .map((g, i) => g.mul(engine.tensor(parts[i]!, g.shape)).sum())
    .reduce((total, part) => total.add(part))
    .backward();
  const values = await Promise.all(inputs.map(async (input) => Float64Array.from(await input.data())));
  const expected = productByDifferences(
    reference,
    values,
    parts.flatMap((part) => [...part]),
  );
  const actual = await Promise.all(
    inputs.map(async ({ grad, size }) => [...(grad ? await grad.data() : new Float32Array(size))]),
  );
  await near(engine.tensor(actual.flat()), expected, 2e-5, 'product');
}
