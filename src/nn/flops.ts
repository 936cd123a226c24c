/** The arithmetic of a network, counted from the shapes of its layers: nothing is run, and the same on every adapter. */
import { type Pair, pairOf } from '../ops/pair.ts';
import { ConvTranspose2d } from './conv-transpose2d.ts';
import { CosineLinear } from './cosine-linear.ts';
import { AvgPool2d, Conv2d, Linear, MaxPool2d } from './layers.ts';
import type { Module } from './module.ts';
import { hasPath } from './path.ts';

/** @inline */
interface Size {
  readonly height: number;
  readonly width: number;
}

/** @inline */
interface Window {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation?: readonly [number, number];
  readonly padding: Pair | 'same' | 'valid';
}

/** The size of what a window that moves over an image makes of it. */
function windowed({ height, width }: Size, { kernel, stride, dilation = [1, 1], padding }: Window): Size {
  const zeros = typeof padding === 'string' ? null : pairOf('flopsPerImage', 'padding', padding, 0);
  const [rows, columns] = [height, width].map((side, i) => {
    const spread = (dilation[i] as number) * ((kernel[i] as number) - 1);
    const added = zeros ? 2 * (zeros[i] as number) : padding === 'same' ? spread : 0;
    return Math.floor((side + added - spread - 1) / (stride[i] as number)) + 1;
  }) as [number, number];
  return { height: rows, width: columns };
}

/** The size of what a transposed convolution makes of an image. */
function transposed(
  { height, width }: Size,
  { weight, stride, padding, outputPadding, dilation }: ConvTranspose2d,
): Size {
  const [rows, columns] = [height, width].map((side, i) => {
    const spread = (dilation[i] as number) * ((weight.shape[i] as number) - 1);
    return (side - 1) * (stride[i] as number) - 2 * (padding[i] as number) + spread + (outputPadding[i] as number) + 1;
  }) as [number, number];
  return { height: rows, width: columns };
}

/** Walks along a network, and adds up. */
class Count {
  flops = 0;

  /** @returns the size of what a module makes of an image of that size. */
  walk(module: Module, size: Size): Size {
    if (module instanceof Conv2d) {
      const { weight, stride, dilation, padding } = module;
      const kernel = weight.shape.slice(0, 2) as unknown as readonly [number, number];
      const made = windowed(size, { kernel, stride, dilation, padding });
      this.flops += 2 * made.height * made.width * weight.size;
      return made;
    }
    if (module instanceof ConvTranspose2d) {
      this.flops += 2 * size.height * size.width * module.weight.size;
      return transposed(size, module);
    }
    if (module instanceof MaxPool2d || module instanceof AvgPool2d) {
      const { kernel, stride = kernel, padding = 0 } = module.options;
      const pair = (value: Pair) => pairOf('flopsPerImage', 'window', value, 1);
      return windowed(size, { kernel: pair(kernel), stride: pair(stride), padding });
    }
    if (module instanceof Linear) this.flops += 2 * module.weight.size;
    if (module instanceof CosineLinear) for (const weight of module.weights) this.flops += 2 * weight.size;
    if (!hasPath(module)) {
      for (const [, child] of module.children()) this.walk(child, size);
      return size;
    }
    const { along, beside } = module.path();
    if (beside) this.walk(beside, size);
    return along.reduce((at, part) => this.walk(part, at), size);
  }
}

/**
 * Floating-point operations of one image's way through a model, twice the multiply-adds of its convolutions and of its
 * classifiers; batch norm, ReLU, sums and pooling, some per cent of them, are left out, as papers leave them out. A module
 * with a method `path()`, as Sequential and all networks here, says which of its layers come behind each other; those of others are
 * taken to see the image each. Convolutions of sequences are left out: an image does not tell how long these are.
 * @param image its size, in pixels.
 */
export function flopsPerImage(model: Module, image: Size): number {
  const count = new Count();
  count.walk(model, image);
  return count.flops;
}
