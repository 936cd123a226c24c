/**
 * Resizing images of bytes on the GPU, to the same pixels in Node and in any browser but for values halfway between two bytes: an
 * adapter's division may be off in the last digit, and round them the other way.
 */
import source from '../../shaders/images/resize.wgsl';
import { ArgumentError } from '../errors.ts';
import { plane } from '../gpu/plane.ts';
import type { Kernel } from '../gpu/wgsl/kernel.ts';
import type { Engine } from '../tensor/engine.ts';
import { Tensor } from '../tensor/tensor.ts';
import { bytesPerImage, checkImageBytes, formatName, type ImageBytes } from './image-bytes.ts';

const across: Kernel = { name: 'resize', source, entry: 'across' };
const down: Kernel = { name: 'resize', source, entry: 'down' };

/** Whole numbers within the kernel: 2·size·wanted stays below this. */
const MOST = 2 ** 31;
/** Bytes of the largest buffer of one part by default: enough to keep a GPU busy. */
const PART_BYTES = 2 ** 26;

/** Sides in pixels. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/** How much of the device resizing takes. */
export interface ResizeOptions {
  /** The largest buffer to use, in bytes, where one image does not need more; 64 MiB by default. */
  partBytes?: number;
}

/**
 * Images in another size, stretched to it: the ratio of the sides is not kept, as with torchvision's `Resize((h, w))`.
 * Bilinear with pixel centres at halves; where a side shrinks the filter widens with it, as Pillow's and torchvision's with
 * `antialias=True` (theirs round between the two passes and may differ by 1). Images that have the size already are
 * returned as they are. Sets of any length: they go to the GPU in parts, and what is there at a time stays small.
 * @throws {ArgumentError} when a side is not a whole number of at least 1, or too long for the kernel's arithmetic.
 * @throws {ShapeError} when the pixels are not as many as the images' numbers say.
 * @throws {OutOfMemoryError} when the device cannot hold a single image.
 */
export async function resizeImages(
  engine: Engine,
  images: ImageBytes,
  { height, width }: ImageSize,
  { partBytes = PART_BYTES }: ResizeOptions = {},
): Promise<ImageBytes> {
  checkImageBytes(images, 'resizeImages');
  checkSize(images, { height, width });
  if (images.height === height && images.width === width) return images;
  const { count, channels } = images;
  const bytes = bytesPerImage(images);
  const outBytes = height * width * channels;
  const { maxStorageBufferBindingSize, maxBufferSize } = engine.device.limits;
  const most = Math.min(partBytes, maxStorageBufferBindingSize, maxBufferSize) - 4;
  const largest = Math.max(bytes, outBytes, 4 * images.height * width * channels);
  const held = Math.max(1, Math.floor(most / largest));
  const data = new Uint8Array(count * outBytes);
  for (let first = 0; first < count; first += held) {
    const part = images.data.subarray(first * bytes, (first + held) * bytes);
    const words = new Uint32Array(Math.ceil(part.length / 4));
    new Uint8Array(words.buffer).set(part);
    const lot = part.length / bytes;
    const resized = engine.keep(
      engine.scope(() => resizePixels(engine.tensor(words), { ...images, count: lot }, { height, width })),
    );
    try {
      const read = await resized.data();
      data.set(new Uint8Array(read.buffer, read.byteOffset, lot * outBytes), first * outBytes);
    } finally {
      resized.dispose();
    }
  }
  return { data, count, height, width, channels };
}

/**
 * As {@link resizeImages}, on the device: u32 [words] to u32 [words], four bytes a word.
 * @param images shape of what the words hold.
 */
export function resizePixels(pixels: Tensor, images: Omit<ImageBytes, 'data'>, { height, width }: ImageSize): Tensor {
  const { engine } = pixels;
  const { count, channels } = images;
  const rows = Tensor.empty(engine, [count, images.height, width, channels], 'f32', 'resizeImages');
  const output = Tensor.empty(engine, [Math.ceil((count * height * width * channels) / 4)], 'u32', 'resizeImages');
  const constants = { CHANNELS: channels };
  const params = { count, height: images.height, width: images.width, outHeight: height, outWidth: width };
  engine.dispatch({
    kernel: across,
    constants,
    params,
    buffers: [pixels.storage, rows.storage],
    workgroups: plane(engine, Math.ceil((count * images.height * width) / 64)),
  });
  engine.dispatch({
    kernel: down,
    constants,
    params,
    buffers: [rows.storage, output.storage],
    workgroups: plane(engine, Math.ceil(output.size / 64)),
  });
  rows.dispose();
  return output;
}

function checkSize(images: ImageBytes, { height, width }: ImageSize): void {
  if (![height, width].every((side) => Number.isInteger(side) && side > 0)) {
    throw new ArgumentError({
      where: 'resizeImages',
      message: `${height}×${width} is no size: height and width must be whole numbers of at least 1.`,
    });
  }
  if (2 * images.height * height >= MOST || 2 * images.width * width >= MOST) {
    throw new ArgumentError({
      where: 'resizeImages',
      message: `images of ${formatName(images)} are too large to become ${height}×${width}: old and new side multiply to 2^30 or more.`,
      fix: 'Cut them, or resize in two steps.',
    });
  }
}
