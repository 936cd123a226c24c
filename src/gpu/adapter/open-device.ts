/** A device of the engine's own, or one that somebody else made. */
import { pollGently, requestAdapter } from '#adapter';
import { AdapterError, ArgumentError } from '../../errors.ts';
import type { CompileAhead } from '../compile-ahead.ts';
import { PipelineCache } from '../pipelines.ts';
import type { AdapterKind, AdapterOptions } from './adapter.ts';
import { adapterKind, describeAdapter } from './adapter-info.ts';
import { deviceDescriptor } from './device-descriptor.ts';

export interface OpenDevice {
  readonly device: GPUDevice;
  readonly kind: AdapterKind;
  /** The adapter, in one line for people. */
  readonly description: string;
  /** Whether whoever opened it destroys it. */
  readonly isOwn: boolean;
  readonly ahead: CompileAhead | null;
}

/** @throws {AdapterError} when there is no adapter, or it gives no device; its message says what to install. */
export async function openDevice(options: AdapterOptions, warn: (message: string) => void): Promise<OpenDevice> {
  const choice = await requestAdapter(options);
  const { adapter, kind, description } = choice;
  const descriptor = deviceDescriptor(choice, warn);
  // Gently, although it is short: whatever begins before its last poll goes on with that one's pace.
  const deviceOf = (of: GPUAdapter) => pollGently(() => of.requestDevice(descriptor));
  let device: GPUDevice;
  try {
    device = await deviceOf(adapter);
  } catch (cause) {
    throw new AdapterError({
      where: 'Engine.create',
      message: `the adapter "${description}" gave no device: ${(cause as Error).message}.`,
      fix: 'Update the graphics driver, or choose another adapter.',
      cause,
    });
  }
  // Its errors are reported by the first device.
  const ahead = choice.ahead?.(deviceOf, (second) => new PipelineCache(second, () => {})) ?? null;
  return { device, kind, description, isOwn: true, ahead };
}

/** @throws {ArgumentError} for what is not a device. */
export function borrowDevice(device: GPUDevice, kind?: AdapterKind): OpenDevice {
  if (!(device as GPUDevice | undefined)?.queue) {
    throw new ArgumentError({ where: 'Engine.from', message: 'takes a GPUDevice.', fix: 'Await requestDevice().' });
  }
  const { adapterInfo } = device;
  return {
    device,
    kind: kind ?? adapterKind(adapterInfo),
    description: describeAdapter(adapterInfo),
    isOwn: false,
    ahead: null,
  };
}
