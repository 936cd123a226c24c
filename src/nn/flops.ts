/** The arithmetic of a network, counted from the shapes of its layers: nothing is run, and the same on every adapter. */
import { BasicBlock } from './basic-block.ts';
import { CosineLinear } from './cosine-linear.ts';
import { type Conv2d, Linear } from './layers.ts';
import type { Module } from './module.ts';
import { ResNetBackbone } from './resnet.ts';

/** @inline */
interface Size {
  readonly height: number;
  readonly width: number;
}

/** A window of `kernel` that moves by `stride` over a side with `padding` zeros at both ends. */
const places = (side: number, kernel: number, stride: number, padding: number): number =>
  Math.floor((side + 2 * padding - kernel) / stride) + 1;

/** Walks along a network, and adds up. */
class Count {
  flops = 0;

  constructor(public size: Size) {}

  /** A convolution of what is there, or of what was there `from`. */
  convolve({ weight, stride, padding }: Conv2d, from = this.size): void {
    const [kernel = 0] = weight.shape;
    const side = (length: number) => places(length, kernel, stride, padding);
    this.size = { height: side(from.height), width: side(from.width) };
    this.flops += 2 * this.size.height * this.size.width * weight.size;
  }

  /** The max-pool of the ImageNet stem: comparisons are not counted. */
  pool(): void {
    const side = (length: number) => places(length, 3, 2, 1);
    this.size = { height: side(this.size.height), width: side(this.size.width) };
  }

  block({ conv1, conv2, downsample }: BasicBlock): void {
    const before = this.size;
    if (downsample) this.convolve(downsample.modules[0] as Conv2d, before);
    this.convolve(conv1, before);
    this.convolve(conv2);
  }
}

function backboneFlops(network: ResNetBackbone, size: Size): number {
  const count = new Count(size);
  count.convolve(network.conv1);
  if (network.imagenetStem) count.pool();
  for (const stage of [network.layer1, network.layer2, network.layer3, network.layer4])
    for (const block of stage?.modules ?? []) if (block instanceof BasicBlock) count.block(block);
  return count.flops;
}

/**
 * Floating-point operations of one image's way through a model, twice the multiply-adds of its ResNets' convolutions and of its
 * classifiers; batch norm, ReLU, sums and pooling, some per cent of them, are left out, as papers leave them out.
 * @param image its size, in pixels.
 */
export function flopsPerImage(model: Module, image: Size): number {
  let flops = 0;
  for (const [, module] of model.namedModules()) {
    if (module instanceof ResNetBackbone) flops += backboneFlops(module, image);
    if (module instanceof Linear) flops += 2 * module.weight.size;
    if (module instanceof CosineLinear) for (const { size } of module.weights) flops += 2 * size;
  }
  return flops;
}
