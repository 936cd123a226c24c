/** The operations of layers over images: convolution, pooling, normalisation. Channels come first in ONNX. */
import type { Geometry } from '../../ops/conv2d/geometry.ts';
import { inverseOrder } from '../../tensor/shape.ts';
import type { Graph, Input, Numbers, Value } from './graph.ts';
import type { Call, Counterpart } from './operations.ts';

/** Weights as [out, in, kernel height, kernel width]. */
const OIHW = [3, 2, 0, 1];

const images = (shape: Value['shape'], first: string): Value => ({ shape, element: 'f32', first });

/** Weights are numbers that do not change; those that are computed have no counterpart in a convolution's geometry. */
const weights = (graph: Graph, weight: Input, order: readonly number[], as?: readonly number[]): string =>
  graph.numbers(weight as Numbers, as ? { order, as } : { order });

/** None, or one. */
const biasOf = (graph: Graph, bias: Input | undefined): string[] => (bias === undefined ? [] : [graph.operand(bias)]);

const windowOf = ({ kernelY, kernelX, strideY, strideX, dilationY, dilationX, groups }: Geometry) => ({
  kernel_shape: [kernelY, kernelX],
  strides: [strideY, strideX],
  dilations: [dilationY, dilationX],
  group: groups,
});

/** Zeros below or to the right: what the last window reaches beyond the image and the zeros before it. */
const behind = (size: number, outSize: number, stride: number, reach: number, before: number): number =>
  Math.max(0, (outSize - 1) * stride + reach - size - before);

function conv({ graph, inputs: [x, weight, bias], shape, options }: Call): Value {
  const g = options as unknown as Geometry;
  const bottom = behind(g.height, g.outHeight, g.strideY, g.dilationY * (g.kernelY - 1) + 1, g.padY);
  const right = behind(g.width, g.outWidth, g.strideX, g.dilationX * (g.kernelX - 1) + 1, g.padX);
  const names = [graph.first(x as Value), weights(graph, weight as Input, OIHW), ...biasOf(graph, bias)];
  return images(shape, graph.call('Conv', names, { ...windowOf(g), pads: [g.padY, g.padX, bottom, right] }));
}

/** The geometry is that of the convolution from the output back to x. */
function convTranspose({ graph, inputs: [x, weight, bias], shape, options }: Call): Value {
  const g = options as unknown as Geometry;
  const further = (size: number, from: number, stride: number, reach: number, pad: number) =>
    size - ((from - 1) * stride - 2 * pad + reach);
  const names = [graph.first(x as Value), weights(graph, weight as Input, OIHW), ...biasOf(graph, bias)];
  const first = graph.call('ConvTranspose', names, {
    ...windowOf(g),
    pads: [g.padY, g.padX, g.padY, g.padX],
    output_padding: [
      further(g.height, g.outHeight, g.strideY, g.dilationY * (g.kernelY - 1) + 1, g.padY),
      further(g.width, g.outWidth, g.strideX, g.dilationX * (g.kernelX - 1) + 1, g.padX),
    ],
  });
  return images(shape, first);
}

/** Over pixels it is a convolution of 1×1. */
function linear({ graph, inputs: [x, weight, bias], shape }: Call): Value {
  const value = x as Value;
  const isConstant = typeof weight === 'object' && 'data' in weight;
  if (value.shape.length === 4 && isConstant) {
    const [features = 0, outputs = 0] = weight.shape;
    const names = [graph.first(value), weights(graph, weight, OIHW, [1, 1, features, outputs]), ...biasOf(graph, bias)];
    return images(shape, graph.call('Conv', names, { kernel_shape: [1, 1] }));
  }
  // PyTorch's order, and so PyTorch's names.
  if (value.shape.length === 2 && isConstant) {
    const names = [graph.last(value), weights(graph, weight, [1, 0]), ...biasOf(graph, bias)];
    return { shape, element: 'f32', last: graph.call('Gemm', names, { transB: 1 }) };
  }
  const product = graph.call('MatMul', [graph.last(value), graph.operand(weight as Input)]);
  const last = bias === undefined ? product : graph.call('Add', [product, graph.operand(bias)]);
  return { shape, element: 'f32', last };
}

interface PoolWindow {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly [number, number];
}

function pool(operator: 'MaxPool' | 'AveragePool', { graph, inputs: [x], shape, options }: Call): Value {
  const { kernel, stride, padding, countIncludePad } = options as unknown as PoolWindow & { countIncludePad?: boolean };
  const [, height, width] = (x as Value).shape;
  const isWhole = kernel[0] === height && kernel[1] === width && padding.join() === '0,0';
  if (operator === 'AveragePool' && isWhole) {
    return images(shape, graph.call('GlobalAveragePool', [graph.first(x as Value)]));
  }
  const first = graph.call(operator, [graph.first(x as Value)], {
    kernel_shape: kernel,
    strides: stride,
    pads: [...padding, ...padding],
    ...(operator === 'AveragePool' ? { count_include_pad: countIncludePad ? 1 : 0 } : {}),
  });
  return images(shape, first);
}

/** [n, …, c] as [n, c, …]: the axes' order. */
const secondOrder = ({ length }: Value['shape']): number[] =>
  Array.from({ length }, (_, i) => (i === 0 ? 0 : i === 1 ? length - 1 : i - 1));

/** Anything with channels last, with its channels second: its name. */
function channelsSecond(graph: Graph, value: Value): string {
  const { shape } = value;
  if (shape.length === 4) return graph.first(value);
  return shape.length === 2
    ? graph.last(value)
    : graph.call('Transpose', [graph.last(value)], { perm: secondOrder(shape) });
}

/** The way back. @param name of what has its channels second. */
function fromChannelsSecond(graph: Graph, name: string, shape: Value['shape']): Value {
  if (shape.length === 4) return images(shape, name);
  const perm = inverseOrder(secondOrder(shape));
  return { shape, element: 'f32', last: shape.length === 2 ? name : graph.call('Transpose', [name], { perm }) };
}

/** In inference, with the residual and the ReLU that are part of it here. */
function batchNorm({ graph, inputs, shape, options }: Call): Value {
  const [x, weight, bias, mean, variance, residual] = inputs as [Value, Input, Input, Input, Input, Input];
  const { eps, relu } = options as { eps: number; relu: boolean };
  const vectors = [weight, bias, mean, variance].map((vector) => graph.operand(vector));
  const own = [channelsSecond(graph, x), ...vectors];
  let value = fromChannelsSecond(graph, graph.call('BatchNormalization', own, { epsilon: { float: eps } }), shape);
  if (residual !== 0) value = graph.elementwise([value, residual], shape, (names) => graph.call('Add', names));
  return relu ? graph.elementwise([value], shape, (names) => graph.call('Relu', names)) : value;
}

/** Of the last axes; weight and bias are 1 and 0 where there are none. */
function layerNorm({ graph, inputs: [x, weight, bias], shape, options }: Call): Value {
  const { eps } = options as { eps: number };
  const own = weight as Numbers | number;
  const axes = typeof own === 'object' ? own.shape.length : 1;
  const ones = (value: Input | undefined, fill: number): string =>
    typeof value === 'object'
      ? graph.operand(value)
      : graph.numbers({
          name: `normalisation ${fill}`,
          shape: shape.slice(-axes),
          data: filled(shape.slice(-axes), fill),
        });
  const last = graph.call('LayerNormalization', [graph.last(x as Value), ones(weight, 1), ones(bias, 0)], {
    axis: shape.length - axes,
    epsilon: { float: eps },
  });
  return { shape, element: 'f32', last };
}

const filled = (shape: readonly number[], value: number): Float32Array<ArrayBuffer> =>
  new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value);

/** A group's numbers as one channel, normalised by themselves. */
function groupNorm({ graph, inputs: [x, weight, bias], shape, options }: Call): Value {
  const { eps, groups } = options as { eps: number; groups: number };
  const grouped = graph.call('Reshape', [channelsSecond(graph, x as Value), graph.integers([0, groups, -1])]);
  const own = [1, 0].map((fill) =>
    graph.numbers({ name: `normalisation ${fill} ${groups}`, shape: [groups], data: filled([groups], fill) }),
  );
  const normalised = graph.call('InstanceNormalization', [grouped, ...own], { epsilon: { float: eps } });
  const [, ...sizes] = secondOrder(shape).map((axis) => shape[axis] as number);
  const whole = graph.call('Reshape', [normalised, graph.integers([-1, ...sizes])]);
  let result = fromChannelsSecond(graph, whole, shape);
  if (weight !== 1) result = graph.elementwise([result, weight as Input], shape, (names) => graph.call('Mul', names));
  return bias === 0 ? result : graph.elementwise([result, bias as Input], shape, (names) => graph.call('Add', names));
}

/** Every so many pixels, and zeros for channels. */
function paddedShortcut({ graph, inputs: [x], shape, options }: Call): Value {
  const { stride, channels } = options as { stride: number; channels: number };
  const value = x as Value;
  const taken =
    stride === 1
      ? graph.first(value)
      : graph.call('Slice', [
          graph.first(value),
          graph.integers([0, 0]),
          graph.integers([0x7fffffff, 0x7fffffff]),
          graph.integers([2, 3]),
          graph.integers([stride, stride]),
        ]);
  const added = channels - (value.shape[3] as number);
  if (added === 0) return images(shape, stride === 1 ? graph.call('Identity', [taken]) : taken);
  return images(shape, graph.call('Pad', [taken, graph.integers([0, 0, 0, 0, 0, added, 0, 0]), graph.scalar(0)]));
}

/** The nearest f32 to a scale by which ONNX, which rounds `before` times it down, comes to that size. */
function scaleTo(scale: number, before: number, after: number): number {
  const near = Float32Array.of(scale);
  const steps = new Int32Array(near.buffer);
  const size = () => Math.floor(Math.fround(before * (near[0] as number)));
  while (size() < after) steps[0]!++;
  while (size() > after) steps[0]!--;
  return near[0] as number;
}

/** What each position of an axis is made of, [size, size], where a scale leaves it as long as it was. */
function weightsWithin(size: number, scale: number, mode: string): Numbers {
  const data = new Float32Array(size * size);
  for (let o = 0; o < size; o++) {
    const at =
      mode === 'nearest' ? Math.fround(o * scale) : Math.max(Math.fround(Math.fround((o + 0.5) * scale) - 0.5), 0);
    const first = Math.min(Math.floor(at), size - 1);
    const share = mode === 'nearest' || first === size - 1 ? 0 : at - first;
    data[o * size + first] = 1 - share;
    if (share > 0) data[o * size + first + 1] = share;
  }
  return { name: `${mode} ${scale} of ${size}`, shape: [size, size], data };
}

/** Resizing by PyTorch's positions. */
function interpolate({ graph, inputs: [x], shape, options }: Call): Value {
  const { mode, alignCorners, scale } = options as {
    mode: string;
    alignCorners: boolean;
    scale: readonly [number, number];
  };
  const positions = mode === 'nearest' ? 'asymmetric' : alignCorners ? 'align_corners' : 'half_pixel';
  const from = graph.first(x as Value);
  const [before, after] = [(x as Value).shape, shape].map((all) => all.slice(1, 3)) as [number[], number[]];
  // Positions here are a pixel's number times the scale; there they are divided by it.
  const scales = scale.map((one) => Math.fround(1 / one));
  // What a scale comes to is rounded down there, and may be a pixel less than the size it was made from: the size says it.
  const isBySize = alignCorners || scales.every((one, i) => one === Math.fround(after[i]! / before[i]!));
  if (!isBySize && after.join() === before.join()) {
    // ONNX Runtime takes images that keep their size as they are, whatever the scale.
    const [rows, columns] = scale.map((one, i) => weightsWithin(after[i]!, Math.fround(one), mode)) as [
      Numbers,
      Numbers,
    ];
    const down = graph.call('MatMul', [graph.numbers(rows), from]);
    return images(shape, graph.call('MatMul', [down, graph.numbers(columns, { order: [1, 0] })]));
  }
  const samples = () => graph.call('Shape', [from], { end: 2 });
  const sizes = () => graph.call('Concat', [samples(), graph.integers(after)], { axis: 0 });
  const factors = () => {
    const data = Float32Array.of(1, 1, ...scales.map((one, i) => scaleTo(one, before[i]!, after[i]!)));
    return graph.numbers({ name: `scale ${[...data].join(' ')}`, shape: [4], data });
  };
  const first = graph.call('Resize', [from, '', ...(isBySize ? ['', sizes()] : [factors()])], {
    mode: mode === 'nearest' ? 'nearest' : 'linear',
    coordinate_transformation_mode: positions,
    ...(mode === 'nearest' ? { nearest_mode: 'floor' } : {}),
  });
  return images(shape, first);
}

/** By the operations' names. */
export const LAYERS: ReadonlyMap<string, Counterpart> = new Map<string, Counterpart>([
  ['conv2d', conv],
  ['convTranspose2d', convTranspose],
  ['linear', linear],
  ['maxPool2d', (call) => pool('MaxPool', call)],
  ['avgPool2d', (call) => pool('AveragePool', call)],
  ['batchNorm', batchNorm],
  ['layerNorm', layerNorm],
  ['groupNorm', groupNorm],
  ['paddedShortcut', paddedShortcut],
  ['interpolate', interpolate],
]);
