/** Networks in float64, layer by layer from a state dict in PyTorch's layouts; images are NHWC. */
import type { Module, StateDict } from '../../src/index.ts';
import { Random } from '../../src/tensor/random.ts';

export type State = StateDict;

/** Numbers that every layer lets through: weights by fan in, norms and statistics that are neither zero nor one. */
export function scrambledState(model: Module, seed = 1): State {
  const random = Random.of(seed, 'scrambled');
  return new Map(
    [...model.namedTensors()].map(({ name, tensor, layout }) => {
      const { size } = tensor;
      const order = layout === 'OIHW' ? [3, 2, 0, 1] : layout === 'OI' ? [1, 0] : tensor.shape.map((_, i) => i);
      const shape = order.map((axis) => tensor.shape[axis] as number);
      const fan = shape.slice(1).reduce((a, b) => a * b, 1);
      const draw = /running_var$/.test(name)
        ? () => random.uniform(0.5, 1.5)
        : shape.length > 1
          ? () => random.normal(0, Math.sqrt(2 / fan))
          : /running_mean$|bias$/.test(name)
            ? () => random.uniform(-0.2, 0.2)
            : () => random.uniform(0.5, 1.5);
      return [name, { shape, data: Float32Array.from({ length: size }, draw) }];
    }),
  );
}

const of = (state: State, name: string) => {
  const entry = state.get(name);
  if (!entry) throw new Error(`the state has no ${name}`);
  return entry;
};

/** A batch of images in float64. */
export class Images {
  constructor(
    readonly shape: readonly [number, number, number, number],
    readonly data: ArrayLike<number>,
  ) {}

  get channels(): number {
    return this.shape[3];
  }

  private map(change: (value: number, at: number) => number): Images {
    return new Images(this.shape, Float64Array.from(this.data, change));
  }

  convolve(state: State, name: string, { stride = 1, padding = 0, groups = 1 }): Images {
    const { shape: weightShape, data: weight } = of(state, `${name}.weight`);
    const [out, inGroup, rows, columns] = weightShape as unknown as [number, number, number, number];
    const [n, height, width, channels] = this.shape;
    const side = (size: number, kernel: number) => Math.floor((size + 2 * padding - kernel) / stride) + 1;
    const [outHeight, outWidth] = [side(height, rows), side(width, columns)];
    const y = new Float64Array(n * outHeight * outWidth * out);
    let at = 0;
    for (let image = 0; image < n; image++)
      for (let i = 0; i < outHeight; i++)
        for (let j = 0; j < outWidth; j++)
          for (let o = 0; o < out; o++, at++) {
            const first = Math.floor((o * groups) / out) * inGroup;
            for (let a = 0; a < rows; a++)
              for (let b = 0; b < columns; b++) {
                const [r, s] = [i * stride + a - padding, j * stride + b - padding];
                if (r < 0 || r >= height || s < 0 || s >= width) continue;
                const pixel = ((image * height + r) * width + s) * channels + first;
                for (let c = 0; c < inGroup; c++)
                  y[at]! += this.data[pixel + c]! * weight[((o * inGroup + c) * rows + a) * columns + b]!;
              }
          }
    return new Images([n, outHeight, outWidth, out], y);
  }

  /** Batch norm in inference. */
  normalize(state: State, name: string): Images {
    const [weight, bias, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(
      (part) => of(state, `${name}.${part}`).data,
    ) as unknown as [ArrayLike<number>, ArrayLike<number>, ArrayLike<number>, ArrayLike<number>];
    return this.map((value, at) => {
      const c = at % this.channels;
      return ((value - mean[c]!) / Math.sqrt(variance[c]! + 1e-5)) * weight[c]! + bias[c]!;
    });
  }

  relu(most = Number.POSITIVE_INFINITY): Images {
    return this.map((value) => Math.min(Math.max(value, 0), most));
  }

  plus(other: Images): Images {
    return this.map((value, at) => value + other.data[at]!);
  }

  /** Windows of 3×3 at every other pixel, with a border of one. */
  maxPool3x3(): Images {
    const [n, height, width, channels] = this.shape;
    const [rows, columns] = [Math.ceil(height / 2), Math.ceil(width / 2)];
    const y = new Float64Array(n * rows * columns * channels).fill(Number.NEGATIVE_INFINITY);
    for (let at = 0; at < y.length; at++) {
      const c = at % channels;
      const pixel = Math.floor(at / channels);
      const [image, i, j] = [Math.floor(pixel / columns / rows), Math.floor(pixel / columns) % rows, pixel % columns];
      for (let r = Math.max(0, 2 * i - 1); r < Math.min(height, 2 * i + 2); r++)
        for (let s = Math.max(0, 2 * j - 1); s < Math.min(width, 2 * j + 2); s++)
          y[at] = Math.max(y[at]!, this.data[((image * height + r) * width + s) * channels + c]!);
    }
    return new Images([n, rows, columns, channels], y);
  }

  /** The mean over each image. */
  means(): Images {
    const [n, height, width, channels] = this.shape;
    const y = new Float64Array(n * channels);
    for (let at = 0; at < this.data.length; at++) {
      const image = Math.floor(at / (height * width * channels));
      y[image * channels + (at % channels)]! += this.data[at]! / (height * width);
    }
    return new Images([n, 1, 1, channels], y);
  }

  /** Logits of a linear layer. */
  classify(state: State, name: string): Float64Array {
    const { shape, data: weight } = of(state, `${name}.weight`);
    const { data: bias } = of(state, `${name}.bias`);
    const [classes, features] = shape as unknown as [number, number];
    return Float64Array.from({ length: this.shape[0] * classes }, (_, at) => {
      const [image, o] = [Math.floor(at / classes), at % classes];
      let sum = bias[o]!;
      for (let i = 0; i < features; i++) sum += this.data[image * features + i]! * weight[o * features + i]!;
      return sum;
    });
  }
}
