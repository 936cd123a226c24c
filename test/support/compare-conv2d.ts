/** Convolutions on the device beside float64. */
import * as assert from 'uvu/assert';
import { conv2d, type DType } from '../../src/index.ts';
import { type ConvCase, convForward, convGradients, outputSize } from './conv-reference.ts';
import { engine, leaf, near, uniform } from './engine.ts';
import { HALF_EPSILON, halfLeaf, rounded } from './half.ts';

/**
 * Runs the case forward and backward and compares all four results with the reference. In f16 the images are: the weights
 * stay f32, and so do their gradients.
 */
export async function compareConv2d(c: ConvCase, seed: number, what: string, dtype: DType = 'f32'): Promise<void> {
  const { stride, padding, dilation = [1, 1], groups = 1 } = c;
  const half = dtype === 'f16';
  const drawn = (n: number, from: number) => (half ? rounded(uniform(n, from)) : uniform(n, from));
  const [rows, columns] = outputSize(c);
  const x = drawn(c.batch * c.height * c.width * c.inChannels, seed);
  const weight = drawn((c.kernel[0] * c.kernel[1] * c.inChannels * c.outChannels) / groups, seed + 1);
  const bias = uniform(c.outChannels, seed + 2);
  const dy = drawn(c.batch * rows * columns * c.outChannels, seed + 3);
  const tx = (half ? halfLeaf : leaf)(x, [c.batch, c.height, c.width, c.inChannels]);
  const tweight = leaf(weight, [...c.kernel, c.inChannels / groups, c.outChannels]);
  const tbias = leaf(bias, [c.outChannels]);
  const y = conv2d(tx, tweight, { bias: tbias, stride, padding, dilation, groups });
  assert.equal(y.shape, [c.batch, rows, columns, c.outChannels], what);
  assert.is(y.dtype, dtype);
  y.backward(engine.tensor(dy, y.shape, dtype));
  const expected = convGradients(c, x, weight, dy);
  const tolerance = half ? HALF_EPSILON : 1e-5;
  await near(y, convForward(c, x, weight, bias), tolerance, `${what}: y`);
  await near(tx.grad, expected.dx, tolerance, `${what}: dx`);
  await near(tweight.grad, expected.dweight, 1e-5, `${what}: dweight`);
  await near(tbias.grad, expected.dbias, 1e-5, `${what}: dbias`);
  for (const t of [y, tx.grad, tweight.grad, tbias.grad, tx, tweight, tbias]) t?.dispose();
}
