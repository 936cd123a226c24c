/** Images from numbers: arrays with a shape, and tensors. */
import { ArgumentError, DTypeError, ShapeError } from '../errors.ts';
import { isFloat } from '../tensor/dtype.ts';
import { type Shape, show, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { ImageBytes } from './image-bytes.ts';

/** Pixels row-major, one image [height, width, channels] or several [count, height, width, channels]. */
export interface ImageArray {
  /** Bytes are 0 … 255; other numbers 0 … 1, of which 255·x is kept, rounded. */
  readonly data: Uint8Array | Uint8ClampedArray | Float32Array | readonly number[];
  /** [height, width, channels] or [count, height, width, channels]. */
  readonly shape: readonly number[];
}

/**
 * @throws {ShapeError} when the shape is none of images, or the array does not fill it.
 * @throws {ArgumentError} for an array of another kind, and for numbers that are not from 0 to 1.
 */
export function fromArray({ data, shape }: ImageArray, where: string): ImageBytes {
  const format = formatOf(shape, where);
  const size = sizeOf(shape);
  const isBytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  if (!isBytes && !(data instanceof Float32Array) && !Array.isArray(data)) {
    throw new ArgumentError({
      where,
      message: `pixels in ${kindOf(data)} are not taken.`,
      fix: 'Give bytes 0 … 255 in a Uint8Array, or numbers 0 … 1 in a Float32Array.',
    });
  }
  if (data.length !== size) {
    throw new ShapeError({
      where,
      message: `${data.length} pixel values do not fill images of shape ${show(shape)}: ${size} were expected.`,
      fix: 'Check the shape [count, height, width, channels]; the channels of a pixel lie side by side.',
    });
  }
  return { data: isBytes ? bytesOf(data) : bytesOfNumbers(data, shape, where), ...format };
}

/**
 * Waits for the GPU, and reads the pixels.
 * @throws {DTypeError} unless they are floats.
 * @throws {ShapeError} when the shape is none of images.
 * @throws {ArgumentError} for values that are not from 0 to 1.
 */
export async function fromTensor(tensor: Tensor, where: string): Promise<ImageBytes> {
  const format = formatOf(tensor.shape, where);
  if (!isFloat(tensor.dtype)) {
    throw new DTypeError({
      where,
      message: `a tensor of ${tensor.dtype} ${show(tensor.shape)} was given; images are f32 or f16, pixels from 0 to 1.`,
      fix: 'Cast it, and divide by 255 if its pixels are 0 … 255.',
    });
  }
  return { data: bytesOfNumbers(await tensor.data(), tensor.shape, where), ...format };
}

function formatOf(shape: Shape, where: string): Omit<ImageBytes, 'data'> {
  const isShape = Array.isArray(shape) && shape.every((n) => Number.isInteger(n) && n > 0);
  if (!isShape || (shape.length !== 3 && shape.length !== 4)) {
    throw new ShapeError({
      where,
      message: `${isShape ? show(shape) : kindOf(shape)} is no shape of images.`,
      fix: 'Give [height, width, channels] for one image or [count, height, width, channels] for several; grey has 1 channel.',
    });
  }
  const [count, height, width, channels] = (shape.length === 3 ? [1, ...shape] : shape) as [
    number,
    number,
    number,
    number,
  ];
  return { count, height, width, channels };
}

/** The same memory, where it may be handed to the GPU. */
const bytesOf = (data: Uint8Array | Uint8ClampedArray): Uint8Array<ArrayBuffer> =>
  data.buffer instanceof ArrayBuffer
    ? new Uint8Array(data.buffer, data.byteOffset, data.length)
    : Uint8Array.from(data);

function bytesOfNumbers(values: ArrayLike<number>, shape: Shape, where: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    // NaN is neither.
    if (!(typeof value === 'number' && value >= 0 && value <= 1)) {
      const isByte = Number.isInteger(value) && value! > 1 && value! <= 255;
      throw new ArgumentError({
        where,
        message: `value ${at} of the images ${show(shape)} is ${value}; numbers were expected from 0 to 1.`,
        fix: isByte
          ? 'Give pixels 0 … 255 as bytes, Uint8Array.from(data), or divide them by 255.'
          : 'Undo the normalisation, or clamp them.',
      });
    }
    bytes[at] = Math.round(255 * value);
  }
  return bytes;
}

/** For people: what this is instead. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value !== 'object') return `a ${typeof value}`;
  const name = value.constructor?.name ?? 'object';
  return name === 'Object' ? `an object { ${Object.keys(value).slice(0, 6).join(', ')} }` : `a ${name}`;
}
