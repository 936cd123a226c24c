/** A device of the engine's own, or one that somebody else made. */
import { pollGently, requestAdapter } from '#adapter';
import { AdapterError, ArgumentError } from '../../errors.ts';
import type { CompileAhead } from '../compile-ahead.ts';
import { PipelineCache } from '../pipelines.ts';
import type { AdapterKind, AdapterOptions, SubgroupMatrix } from './adapter.ts';
import { adapterKind, describeAdapter } from './adapter-info.ts';
import { deviceDescriptor } from './device-descriptor.ts';

export interface OpenDevice {
  readonly device: GPUDevice;
  readonly kind: AdapterKind;
  /** The adapter, in one line for people, and whether subgroup matrices are used. */
  readonly description: string;
  /** Whether whoever opened it destroys it. */
  readonly isOwn: boolean;
  readonly ahead: CompileAhead | null;
  /** Where it was asked for and the device has the feature. */
  readonly subgroupMatrix: SubgroupMatrix | null;
}

/** @param subgroupMatrix as it was asked for. */
function opened(
  device: GPUDevice,
  description: string,
  subgroupMatrix: SubgroupMatrix | null | undefined,
  rest: Pick<OpenDevice, 'kind' | 'isOwn' | 'ahead'>,
): OpenDevice {
  return subgroupMatrix && device.features.has(subgroupMatrix.feature)
    ? { ...rest, device, description: `${description} with subgroup matrices`, subgroupMatrix }
    : { ...rest, device, description, subgroupMatrix: null };
}

/** @throws {ArgumentError} for a flag: the kernels come with the value. */
function checkSubgroupMatrix(where: string, value: unknown): void {
  if (!value || typeof value === 'object') return;
  throw new ArgumentError({
    where,
    message: `subgroupMatrix is ${String(value)}; it is asked for by a value, which brings the kernels.`,
    fix: "import { subgroupMatrix } from 'engram/subgroup-matrix', and pass { subgroupMatrix }.",
  });
}

/**
 * @throws {AdapterError} when there is no adapter, or it gives no device; its message says what to install.
 * @throws {ArgumentError} when subgroup matrices are asked for by a flag.
 */
export async function openDevice(options: AdapterOptions): Promise<OpenDevice> {
  checkSubgroupMatrix('Engine.create', options.subgroupMatrix);
  const choice = await requestAdapter(options);
  const { adapter, kind, description } = choice;
  const descriptor = deviceDescriptor(choice, options.warn ?? console.warn);
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
  return opened(device, description, choice.subgroupMatrix, { kind, isOwn: true, ahead });
}

/** @throws {ArgumentError} for what is not a device, or a flag in the place of `subgroupMatrix`. */
export function borrowDevice(
  device: GPUDevice,
  { kind, subgroupMatrix }: { kind?: AdapterKind; subgroupMatrix?: SubgroupMatrix | undefined },
): OpenDevice {
  if (!(device as GPUDevice | undefined)?.queue) {
    throw new ArgumentError({ where: 'Engine.from', message: 'takes a GPUDevice.', fix: 'Await requestDevice().' });
  }
  checkSubgroupMatrix('Engine.from', subgroupMatrix);
  const { adapterInfo } = device;
  const told = adapterKind(adapterInfo);
  return opened(device, describeAdapter(adapterInfo, told), subgroupMatrix, {
    kind: kind ?? told,
    isOwn: false,
    ahead: null,
  });
}
