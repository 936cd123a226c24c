/** Convolution and matrix product in float64, term by term: what the kernels are measured against. */

/** Sizes of a convolution; images NHWC, weights [kernelY, kernelX, inChannels / groups, outChannels]. */
export interface ConvCase {
  batch: number;
  height: number;
  width: number;
  inChannels: number;
  outChannels: number;
  kernel: [number, number];
  stride: [number, number];
  padding: [number, number];
  /** 1 each by default. */
  dilation?: [number, number];
  /** 1 by default. */
  groups?: number;
}

export function outputSize({ height, width, kernel, stride, padding, dilation = [1, 1] }: ConvCase): [number, number] {
  return [
    Math.floor((height + 2 * padding[0] - dilation[0] * (kernel[0] - 1) - 1) / stride[0]) + 1,
    Math.floor((width + 2 * padding[1] - dilation[1] * (kernel[1] - 1) - 1) / stride[1]) + 1,
  ];
}

/**
 * Calls `visit` with the flat indices of y, x and weight for every product the convolution adds up.
 * @param padded calls it for products with zeros outside of x or of y too, with −1 for the place there.
 */
function everyTerm(c: ConvCase, visit: (y: number, x: number, weight: number) => void, padded = false): void {
  const [rows, columns] = outputSize(c);
  const { batch, height, width, inChannels, outChannels, kernel, stride, padding, dilation = [1, 1], groups = 1 } = c;
  const [groupIn, groupOut] = [inChannels / groups, outChannels / groups];
  // So many positions outside of y are enough to have every pixel under every tap.
  const outside = padded ? Math.max(...kernel.map((n, i) => n * dilation[i]!)) : 0;
  for (let n = 0; n < batch; n++)
    for (let r = -outside; r < rows + outside; r++)
      for (let s = -outside; s < columns + outside; s++)
        for (let a = 0; a < kernel[0]; a++)
          for (let b = 0; b < kernel[1]; b++) {
            const i = r * stride[0] + a * dilation[0] - padding[0];
            const j = s * stride[1] + b * dilation[1] - padding[1];
            const hasX = i >= 0 && i < height && j >= 0 && j < width;
            const hasY = r >= 0 && r < rows && s >= 0 && s < columns;
            if (!(padded ? hasX || hasY : hasX && hasY)) continue;
            for (let p = 0; p < groupIn; p++)
              for (let q = 0; q < outChannels; q++)
                visit(
                  hasY ? ((n * rows + r) * columns + s) * outChannels + q : -1,
                  hasX ? ((n * height + i) * width + j) * inChannels + Math.floor(q / groupOut) * groupIn + p : -1,
                  ((a * kernel[1] + b) * groupIn + p) * outChannels + q,
                );
          }
}

type Numbers = ArrayLike<number>;

/** @param padded multiplies by the zeros outside of the image, which makes a difference next to what is not finite. */
export function convForward(c: ConvCase, x: Numbers, weight: Numbers, bias?: Numbers, padded = false): Float64Array {
  const [rows, columns] = outputSize(c);
  const y = new Float64Array(c.batch * rows * columns * c.outChannels);
  everyTerm(
    c,
    (iy, ix, iw) => {
      if (iy >= 0) y[iy]! += (x[ix] ?? 0) * weight[iw]!;
    },
    padded,
  );
  return bias ? y.map((v, i) => v + bias[i % c.outChannels]!) : y;
}

/** Gradients of Σ y·dy. @param padded multiplies by the zeros outside of images and outputs. */
export function convGradients(c: ConvCase, x: Numbers, weight: Numbers, dy: Numbers, padded = false) {
  const dx = new Float64Array(x.length);
  const dweight = new Float64Array(weight.length);
  const dbias = new Float64Array(c.outChannels);
  everyTerm(
    c,
    (iy, ix, iw) => {
      if (ix >= 0) dx[ix]! += (dy[iy] ?? 0) * weight[iw]!;
      if (iy >= 0) dweight[iw]! += dy[iy]! * (x[ix] ?? 0);
    },
    padded,
  );
  for (let i = 0; i < dy.length; i++) dbias[i % c.outChannels]! += dy[i]!;
  return { dx, dweight, dbias };
}

/** Rows of a times columns of b; the flags say that the operand is stored transposed. */
export function product(m: number, k: number, n: number, a: Numbers, b: Numbers, aT = false, bT = false): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++)
      for (let p = 0; p < k; p++) c[i * n + j]! += a[aT ? p * m + i : i * k + p]! * b[bT ? j * k + p : p * n + j]!;
  return c;
}

/** The gradient of a scalar function by central differences; in float64 the error is far below what float32 can show. */
export function centralDifferences(f: (x: Float64Array) => number, at: Numbers, step = 1e-3): Float64Array {
  const x = Float64Array.from(at);
  return x.map((value, i) => {
    x[i] = value + step;
    const above = f(x);
    x[i] = value - step;
    const below = f(x);
    x[i] = value;
    return (above - below) / (2 * step);
  });
}

/**
 * A case by its sizes: [batch, height, width], [in, out] channels, and the pairs of the kernel, the stride and the padding; then
 * what it has beyond them.
 */
export const image = (
  [batch, height, width]: [number, number, number],
  [inChannels, outChannels]: [number, number],
  kernel: [number, number],
  stride: [number, number],
  padding: [number, number],
  more: Pick<ConvCase, 'dilation' | 'groups'> = {},
): ConvCase => ({ batch, height, width, inChannels, outChannels, kernel, stride, padding, ...more });
