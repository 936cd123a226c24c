/** What is compared with other engines: training steps of ResNets, and the operations they spend their time in. */
import type { Shape } from '../../src/tensor/shape.ts';

export const PEER_ENGINES = ['engram', 'tfjs', 'jax-js'] as const;
export type PeerEngine = (typeof PEER_ENGINES)[number];

export const BATCH = 32;
export const IMAGE = 32;
export const CLASSES = 10;
export const LEARNING_RATE = 0.01;
export const MOMENTUM = 0.9;

export interface TrainingWork {
  readonly kind: 'training';
  readonly name: 'resnet8' | 'resnet20';
}

/** c[size, size] = a·b. */
export interface MatmulWork {
  readonly kind: 'matmul';
  readonly name: string;
  readonly size: number;
}

/** A 3×3 convolution with stride 1 and padding 1 of images size×size with as many channels before as behind, or a depthwise one. */
export interface Conv2dWork {
  readonly kind: 'conv2d';
  readonly name: string;
  readonly part: 'forward' | 'input-gradient' | 'weight-gradient';
  readonly size: number;
  readonly channels: number;
  readonly isDepthwise: boolean;
}

/**
 * A layer norm of [rows, features], or self-attention of [batch, length, features]: its result, or a way forwards and back for the gradients
 * of the input and of all parameters.
 */
export interface LayerWork {
  readonly kind: 'layer-norm' | 'attention';
  readonly name: string;
  readonly part: 'forward' | 'gradients';
  readonly shape: Shape;
  /** Of attention. */
  readonly heads: number;
}

/** What a layer is given, in order. */
export const LAYER_INPUTS: Readonly<Record<LayerWork['kind'], readonly string[]>> = {
  'layer-norm': ['x', 'weight', 'bias'],
  attention: ['x', 'inWeight', 'inBias', 'outWeight', 'outBias'],
};

export type PeerWork = TrainingWork | MatmulWork | Conv2dWork | LayerWork;

export const isLayer = (work: PeerWork): work is LayerWork => work.kind in LAYER_INPUTS;

const layerWork = (kind: LayerWork['kind'], shape: Shape, heads = 1): LayerWork[] =>
  (['forward', 'gradients'] as const).map((part) => {
    const name = `${kind}/${part}/${shape.join('x')}${kind === 'attention' ? `/heads${heads}` : ''}`;
    return { kind, name, part, shape, heads };
  });

const PARTS = ['forward', 'input-gradient', 'weight-gradient'] as const;

export const PEER_WORKS: readonly PeerWork[] = [
  ...(['resnet8', 'resnet20'] as const).map((name) => ({ kind: 'training', name }) as const),
  ...[512, 1024, 2048].map((size) => ({ kind: 'matmul', name: `matmul/${size}`, size }) as const),
  ...(
    [
      // ResNet-20's, then those of ResNet-18.
      [32, 16],
      [16, 32],
      [8, 64],
      [32, 64],
      [16, 128],
      [8, 256],
      [4, 512],
    ] as const
  ).flatMap(([size, channels]) =>
    PARTS.map((part) => {
      const name = `conv2d/${part}/${size}x${size}x${channels}-${channels}`;
      return { kind: 'conv2d', name, part, size, channels, isDepthwise: false } as const;
    }),
  ),
  ...(
    [
      // MobileNetV2's.
      [32, 96],
      [16, 192],
      [8, 384],
    ] as const
  ).flatMap(([size, channels]) =>
    PARTS.map((part) => {
      const name = `depthwise/${part}/${size}x${size}x${channels}`;
      return { kind: 'conv2d', name, part, size, channels, isDepthwise: true } as const;
    }),
  ),
  ...layerWork('layer-norm', [4096, 512]),
  ...layerWork('layer-norm', [25088, 96]),
  ...layerWork('attention', [8, 128, 256], 8),
  ...layerWork('attention', [8, 197, 192], 3),
];

/** Images [n, h, w, c] and kernels [h, w, in / groups, out] of a convolution, as Engram has them. */
export const conv2dShapes = ({ size, channels, isDepthwise }: Conv2dWork): { images: Shape; kernel: Shape } => ({
  images: [BATCH, size, size, channels],
  kernel: [3, 3, isDepthwise ? 1 : channels, channels],
});

/** Of a convolution's channels. */
export const groupsOf = ({ channels, isDepthwise }: Conv2dWork): number => (isDepthwise ? channels : 1);

/** An engine that has taken its inputs. */
export interface ReadyWork {
  /** Runs the work once. Gives the loss before a training step, or the sum of squares of an operation's result. */
  check(): Promise<number>;
  /** Runs the work so many times and waits for the device once, at the end; a training step reads its loss too. */
  sample(runs: number): Promise<void>;
}

/** What the process of one engine is told to do. */
export interface PeerTask {
  readonly engine: PeerEngine;
  readonly work: PeerWork;
  /** The safetensors file with the inputs. */
  readonly inputs: string;
  readonly samples?: number;
}

export const sumOfSquares = (data: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += (data[i] as number) ** 2;
  return sum;
};
