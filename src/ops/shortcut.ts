/** The parameter-free shortcut of CIFAR ResNets, in one dispatch each way instead of slice, zeros and pad. */
import source from '../../shaders/pool/shortcut.wgsl';
import { record } from '../autograd/tape.ts';
import { ShapeError } from '../errors.ts';
import { plane } from '../gpu/plane.ts';
import { commonFloat } from '../tensor/dtype.ts';
import { show } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';

/**
 * Option A of He et al. 2016, section 3.3: every `stride`-th pixel of x [n, h, w, c], with zero channels behind
 * its own up to `channels`.
 * @throws {ShapeError} when x is not a batch of images, has more channels, or the stride is not a whole number above 0.
 * @throws {DTypeError} for integers.
 */
export function paddedShortcut(x: Tensor, stride: number, channels: number): Tensor {
  const stored = commonFloat('paddedShortcut', [x]);
  const [n = 0, height = 0, width = 0, c = 0] = x.shape;
  if (x.rank !== 4 || channels < c || !(Number.isInteger(stride) && stride > 0)) {
    throw new ShapeError({
      where: 'paddedShortcut',
      message: `takes images [n, h, w, c] with c ≤ ${channels} and a whole stride; was given ${show(x.shape)} and stride ${stride}.`,
    });
  }
  const out = [n, Math.ceil(height / stride), Math.ceil(width / stride), channels] as const;
  const run = (entry: string, input: Tensor, output: Tensor) => {
    const pixels = output.size / (output.shape[3] as number);
    const [gx, gy] = plane(x.engine, Math.ceil(pixels / 64));
    x.engine.dispatch({
      kernel: { name: 'shortcut', source, entry },
      constants: { S: stored },
      buffers: [input.storage, output.storage],
      params: {
        pixels,
        row: gx * 64,
        height,
        width,
        channels: c,
        out_height: out[1],
        out_width: out[2],
        out_channels: channels,
        stride,
      },
      workgroups: [gx, gy],
    });
    return output;
  };
  const y = run('forward', x, Tensor.empty(x.engine, out, stored, 'paddedShortcut'));
  const backward = (dy: Tensor) => run('backward', dy, Tensor.empty(x.engine, x.shape, stored, 'paddedShortcut'));
  // Linear: the gradient of the gradient is the forward pass.
  const recorded = (dy: Tensor) => [
    record(backward(dy), 'paddedShortcut’s gradient', [dy], (d) => [
      run('forward', d, Tensor.empty(x.engine, out, stored, 'paddedShortcut')),
    ]),
  ];
  return record(y, 'paddedShortcut', [x], (dy) => [backward(dy)], recorded, { stride, channels });
}
