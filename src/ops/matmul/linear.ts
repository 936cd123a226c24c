/** The linear layer: a matrix product with one weight for every row, and a bias. */
import { record } from '../../autograd/tape.ts';
import { ShapeError } from '../../errors.ts';
import { commonFloat } from '../../tensor/dtype.ts';
import { show } from '../../tensor/shape.ts';
import { commonEngine, Tensor } from '../../tensor/tensor.ts';
import { convert } from '../elementwise/elementwise-kernel.ts';
import { weightsFor } from '../mixed-precision.ts';
import { sum } from '../reduce.ts';
import { reshape } from '../reshape.ts';
import { matmul } from './matmul.ts';
import { multiply } from './multiply.ts';

/**
 * y = x·weight + bias for x [..., in], weight [in, out] and bias [out] or none. PyTorch keeps the weight as [out, in].
 * With x in f16, weight and bias may be f32, and y is f16.
 * @throws {ShapeError} when the operands do not fit.
 * @throws {DTypeError} when x is not f32 with all others f32, or f16 with others of f32 or f16.
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  const inputs = bias ? [x, weight, bias] : [x, weight];
  commonEngine('linear', inputs);
  const [features = 0, outputs = 0] = weight.shape;
  if (weight.rank !== 2 || x.rank < 1 || x.shape.at(-1) !== features) {
    throw new ShapeError({
      where: 'linear',
      message: `x ${show(x.shape)} and weight ${show(weight.shape)}: takes [..., in] and [in, out].`,
      fix: 'Flatten images before a linear layer; PyTorch weights [out, in] must be transposed.',
    });
  }
  if (bias && (bias.rank !== 1 || bias.size !== outputs)) {
    throw new ShapeError({
      where: 'linear',
      message: `the bias has shape ${show(bias.shape)}; weight ${show(weight.shape)} needs [${outputs}].`,
    });
  }
  const rows = x.size / features;
  const dtype = commonFloat('linear', [x]);
  const read = weightsFor('linear', x, weight, bias);
  const plain = { m: rows, n: outputs, k: features, batch: 1, aBatch: 0, bBatch: 0 };
  const strides = { aRow: features, aCol: 1, bRow: outputs, bCol: 1 };
  const y = multiply(
    'linear',
    x,
    read.weight,
    { ...plain, ...strides },
    [...x.shape.slice(0, -1), outputs],
    dtype,
    read.bias,
  );
  const backward = (dy: Tensor) => {
    const flat = Tensor.view(dy, [rows, outputs], 'linear');
    const gradients: (Tensor | null)[] = [null, null];
    if (x.requiresGrad) {
      const task = { ...plain, n: features, k: outputs, aRow: outputs, aCol: 1, bRow: 1, bCol: outputs };
      gradients[0] = multiply('linear', dy, read.weight, task, x.shape, dtype);
    }
    if (weight.requiresGrad) {
      const task = { ...plain, m: features, k: rows, aRow: 1, aCol: features, bRow: outputs, bCol: 1 };
      gradients[1] = multiply('linear', x, dy, task, weight.shape, commonFloat('linear', [weight]));
    }
    if (bias) gradients.push(bias.requiresGrad ? convert(sum(flat, 0), bias.dtype) : null);
    flat.dispose();
    return gradients;
  };
  const recorded = (dy: Tensor) => {
    const [from, to] = [reshape(x, [rows, features]), reshape(dy, [rows, outputs])];
    return [
      reshape(matmul(to, weight, { transposeB: true }), x.shape),
      matmul(from, to, { transposeA: true }),
      ...(bias ? [sum(to, 0)] : []),
    ];
  };
  const isPlain = inputs.every((input) => input.dtype === 'f32');
  record(y, 'linear', inputs, backward, isPlain ? recorded : undefined);
  if (!y.node) read.release();
  return y;
}
