/** Images with channels of zeros behind theirs: kernels in quads load four neighbouring channels at once. */
import source from '../../../shaders/conv2d/pad-channels.wgsl';
import type { DeviceBuffer } from '../../gpu/device-buffer.ts';
import { plane } from '../../gpu/plane.ts';
import type { Runtime } from '../../gpu/runtime.ts';
import { bytesOf, type FloatType } from '../../tensor/dtype.ts';

/** Channels as quads hold them. */
export const paddedChannels = (channels: number): number => Math.ceil(channels / 4) * 4;

/** Images as kernels read them. */
interface Images {
  readonly storage: DeviceBuffer;
  readonly pixels: number;
  readonly channels: number;
  readonly stored: FloatType;
}

/** Hands over images whose channels come in fours: these, or a copy with channels of zeros behind theirs. */
export function withPaddedChannels(engine: Runtime, images: Images, use: (storage: DeviceBuffer) => void): void {
  const { storage, pixels, channels, stored } = images;
  const quads = paddedChannels(channels) / 4;
  if (channels === 4 * quads) {
    use(storage);
    return;
  }
  const size = pixels * quads;
  const padded = engine.allocate(bytesOf(stored, 4 * size), 'conv2d');
  const [x, y] = plane(engine, Math.ceil(size / 64));
  engine.dispatch({
    kernel: { name: 'pad_channels', source },
    constants: { S: stored, CHANNELS: channels },
    buffers: [storage, padded],
    params: { size, row: x * 64 },
    workgroups: [x, y],
  });
  use(padded);
  engine.release(padded);
}
