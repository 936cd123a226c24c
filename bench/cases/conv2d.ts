/**
 * The convolutions of the CIFAR ResNets and of their kin at batch 32: output, input gradient and weight gradient, each alone.
 * Recorded and replayed, as in training: for the smallest, JavaScript would take as long as the device.
 * All three take 2·batch·(output pixels)·(kernel height·kernel width·in·out / groups) operations; products with padding are
 * counted.
 */
import { conv2d, convTranspose2d, type Engine } from '../../src/index.ts';
import { gradientOf, noise, noiseLeaf, type Work, type WorkCase } from '../bench-case.ts';

/** A 3×3 convolution. */
export interface Layer {
  readonly size: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
  readonly groups?: number;
  readonly dilation?: number;
}

const BATCH = 32;

const LAYERS: readonly Layer[] = [
  { size: 32, inputs: 3, outputs: 16, stride: 1 },
  { size: 28, inputs: 8, outputs: 8, stride: 1 },
  { size: 32, inputs: 16, outputs: 16, stride: 1 },
  { size: 32, inputs: 16, outputs: 32, stride: 2 },
  { size: 16, inputs: 32, outputs: 32, stride: 1 },
  { size: 16, inputs: 32, outputs: 64, stride: 2 },
  { size: 8, inputs: 64, outputs: 64, stride: 1 },
  // ResNet-18's.
  { size: 32, inputs: 64, outputs: 64, stride: 1 },
  { size: 32, inputs: 64, outputs: 128, stride: 2 },
  { size: 16, inputs: 128, outputs: 128, stride: 1 },
  { size: 8, inputs: 256, outputs: 256, stride: 1 },
  { size: 4, inputs: 512, outputs: 512, stride: 1 },
  // MobileNetV2's, depthwise.
  { size: 32, inputs: 96, outputs: 96, stride: 1, groups: 96 },
  { size: 32, inputs: 96, outputs: 96, stride: 2, groups: 96 },
  { size: 8, inputs: 384, outputs: 384, stride: 1, groups: 384 },
  // ResNeXt-50's, in groups of four to sixteen channels.
  { size: 32, inputs: 128, outputs: 128, stride: 1, groups: 32 },
  { size: 16, inputs: 256, outputs: 256, stride: 1, groups: 32 },
  { size: 8, inputs: 512, outputs: 512, stride: 1, groups: 32 },
  { size: 16, inputs: 64, outputs: 64, stride: 1, dilation: 2 },
];

/** What differs from 1 has a letter: stride, groups, dilation. */
const nameOf = ({ size, inputs, outputs, stride, groups = 1, dilation = 1 }: Layer): string => {
  const marks = Object.entries({ s: stride, g: groups, d: dilation }).filter(([, value]) => value > 1);
  return `${size}x${size}x${inputs}-${outputs}${marks.map((mark) => mark.join('')).join('')}`;
};

/** A layer by the end of its benchmarks' names. */
export function layerNamed(name: string): Layer & { readonly batch: number } {
  const layer = LAYERS.find((one) => nameOf(one) === name);
  if (!layer) throw new Error(`there is no layer ${name}`);
  return { ...layer, batch: BATCH };
}

type Part = 'forward' | 'input-gradient' | 'weight-gradient';

function prepare(engine: Engine, part: Part, { size, inputs, outputs, stride, groups = 1, dilation = 1 }: Layer): Work {
  const xShape = [BATCH, size, size, inputs];
  const weightShape = [3, 3, inputs / groups, outputs];
  const x = part === 'input-gradient' ? noiseLeaf(engine, xShape) : noise(engine, xShape);
  const weight = part === 'weight-gradient' ? noiseLeaf(engine, weightShape, 1) : noise(engine, weightShape, 1);
  const forward = () => conv2d(x, weight, { stride, padding: dilation, dilation, groups });
  const flops = 2 * BATCH * (size / stride) ** 2 * 9 * (inputs / groups) * outputs;
  const work = part === 'forward' ? { flops, run: forward } : gradientOf(forward(), { flops });
  return { ...work, captured: true };
}

/** Images carry no gradient: the first layer has no input gradient in training. */
const partsOf = ({ inputs }: Layer): Part[] =>
  inputs === 3 ? ['forward', 'weight-gradient'] : ['forward', 'input-gradient', 'weight-gradient'];

/** Images doubled by the transpose of a 4×4 convolution, as decoders do. */
function prepareTransposed(engine: Engine, part: Part): Work {
  const { size, inputs, outputs } = DOUBLED;
  const xShape = [BATCH, size, size, inputs];
  const weightShape = [4, 4, outputs, inputs];
  const x = part === 'input-gradient' ? noiseLeaf(engine, xShape) : noise(engine, xShape);
  const weight = part === 'weight-gradient' ? noiseLeaf(engine, weightShape, 1) : noise(engine, weightShape, 1);
  const forward = () => convTranspose2d(x, weight, { stride: 2, padding: 1 });
  const flops = 2 * BATCH * size ** 2 * 16 * inputs * outputs;
  const work = part === 'forward' ? { flops, run: forward } : gradientOf(forward(), { flops });
  return { ...work, captured: true };
}

const DOUBLED: Layer = { size: 16, inputs: 64, outputs: 32, stride: 2 };

export const conv2dCases: readonly WorkCase[] = [
  ...LAYERS.flatMap((layer) =>
    partsOf(layer).map((part) => ({
      name: `conv2d/${part}/${nameOf(layer)}`,
      prepare: (engine: Engine) => prepare(engine, part, layer),
    })),
  ),
  ...partsOf(DOUBLED).map((part) => ({
    name: `conv-transpose2d/${part}/${nameOf(DOUBLED)}`,
    prepare: (engine: Engine) => prepareTransposed(engine, part),
  })),
];
