/** Engines with subgroup matrices for machines that have none: one that emulates them, and one that only compiles. */
import { create } from 'webgpu';
import { requestAdapter } from '#adapter';
import matrixFile from '../../shaders/lib/subgroup-matrix.wgsl';
import { subgroupMatrix } from '../../src/entries/subgroup-matrix.ts';
import { deviceDescriptor } from '../../src/gpu/adapter/device-descriptor.ts';
import { type MatrixConfig, SUBGROUP_MATRIX } from '../../src/gpu/adapter/subgroup-matrix.ts';
import { Engine } from '../../src/index.ts';
import emulatedFile from './emulated-subgroup-matrix.wgsl';

/** What a device is to tell about its units. */
export interface MatrixDevice {
  configs: readonly MatrixConfig[];
  subgroupMaxSize: number;
}

/** A product of M × K by K × N. @param results their type. */
export const config = (componentType: string, M: number, N: number, K: number, results = 'f32'): MatrixConfig => ({
  componentType,
  resultComponentType: results,
  M,
  N,
  K,
});

/** Makes a device tell so. */
function pretend(device: GPUDevice, { configs, subgroupMaxSize }: MatrixDevice): GPUDevice {
  const { vendor, architecture, device: name, description, isFallbackAdapter, subgroupMinSize } = device.adapterInfo;
  const told = { vendor, architecture, device: name, description, isFallbackAdapter, subgroupMinSize };
  return Object.defineProperties(device, {
    features: { value: new Set([...device.features, SUBGROUP_MATRIX]) },
    adapterInfo: { value: { ...told, subgroupMaxSize, subgroupMatrixConfigs: configs } },
  });
}

const choice = await requestAdapter();

/** Whether {@link emulating} can be called. It keeps all sums in workgroup memory. */
export const canEmulate =
  ['subgroups', 'shader-f16'].every((feature) => choice.adapter.features.has(feature)) &&
  choice.adapter.limits.maxComputeWorkgroupStorageSize >= 32768;

/**
 * An engine on which kernels on subgroup matrices run as they stand, but for the units: these are emulated, by subgroups of one
 * thread. With a `subgroupMaxSize` above 1 there are more subgroups than units.
 */
export async function emulating(units: MatrixDevice): Promise<Engine> {
  const { adapter, kind } = await requestAdapter();
  const device = pretend(await adapter.requestDevice(deviceDescriptor({ ...choice, adapter }, () => {})), units);
  const createShaderModule = device.createShaderModule.bind(device);
  const declarations = matrixFile.text.slice(matrixFile.text.indexOf('alias')).trimEnd();
  const emulated = (code: string) =>
    code.replace('enable chromium_experimental_subgroup_matrix;', '').replace(declarations, emulatedFile.text);
  Object.defineProperty(device, 'createShaderModule', {
    value: (descriptor: GPUShaderModuleDescriptor) =>
      createShaderModule({ ...descriptor, code: emulated(descriptor.code) }),
  });
  return Engine.from(device, { kind, subgroupMatrix });
}

const kept = globalThis as { nullDawn?: GPU };

/** The adapter of Dawn's null backend, whose devices compile kernels and run nothing. */
function nullAdapter(): Promise<GPUAdapter | null> {
  // Dawn's object must outlive its devices.
  kept.nullDawn ??= create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
  return kept.nullDawn.requestAdapter();
}

/** Whether {@link compiling} can be called: whether Dawn knows the extension. */
export const canCompile = (await nullAdapter())?.features.has(SUBGROUP_MATRIX) ?? false;

/**
 * A device that compiles kernels with the extension and runs nothing. Its adapter lists no products: it is made to tell of
 * those given, and its subgroups stay as large as they are.
 */
export async function compiling(configs: readonly MatrixConfig[]): Promise<GPUDevice> {
  const adapter = (await nullAdapter())!;
  const description = { adapter, kind: 'hardware' as const, description: 'null', subgroupMatrix };
  const device = await adapter.requestDevice(deviceDescriptor(description, () => {}));
  return pretend(device, { configs, subgroupMaxSize: device.adapterInfo.subgroupMaxSize ?? 32 });
}
