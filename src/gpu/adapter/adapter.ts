/**
 * The seam between the engine and the place that has the GPU: `#adapter` resolves to
 * `adapter-node.ts` (Dawn) or `adapter-browser.ts` (`navigator.gpu`), both exporting
 * `requestAdapter(options?: AdapterOptions): Promise<AdapterChoice>`.
 */
import type { CompileAhead } from '../compile-ahead.ts';
import type { PipelineCache } from '../pipelines.ts';

/** `hardware`: a GPU. `software`: a CPU rasterizer such as lavapipe, SwiftShader or WARP. */
export type AdapterKind = 'hardware' | 'software';

export interface AdapterChoice {
  /** Fresh, so that a device can be asked of it: WebGPU gives one device an adapter. */
  adapter: GPUAdapter;
  kind: AdapterKind;
  /** One line for people, for example `llvmpipe (Mesa 25.0.7, software, Vulkan)`. */
  description: string;
  /** Subgroup matrices, where they were asked for. */
  subgroupMatrix: SubgroupMatrix | null;
  /**
   * Compiles ahead on a second device, where the driver's devices share what they have compiled. Only an adapter of Node's
   * has it: a page carries no code for it.
   * @param open gives a device of such an adapter.
   */
  ahead?: (
    open: (adapter: GPUAdapter) => Promise<GPUDevice>,
    pipelinesOn: (device: GPUDevice) => PipelineCache,
  ) => CompileAhead;
}

/**
 * A feature of devices, and the kernels that use it: the value `subgroupMatrix` of `engram/subgroup-matrix`. Asked for by a
 * value, not by a flag: programs that do not name it carry none of its kernels.
 */
export interface SubgroupMatrix {
  /** What a device must be made with. */
  readonly feature: GPUFeatureName;
  /** Gives an engine, whose device has the feature, the variants that use it. */
  addTo(engine: object): void;
}

/** Which adapter is asked for, and with what. */
export interface AdapterOptions {
  /**
   * `auto` (default): hardware, else an installed software adapter, else SwiftShader, where the package `@sparticuz/chromium` is
   * installed (x64 Linux).
   * `hardware`: nothing else. `software`: never hardware. `swiftshader`: SwiftShader and nothing else.
   */
  adapter?: 'auto' | 'hardware' | 'software' | 'swiftshader';
  /** Which of two GPUs; `high-performance` by default. */
  powerPreference?: GPUPowerPreference;
  /**
   * The value `subgroupMatrix` of `engram/subgroup-matrix`, to use the GPU's subgroup matrices, where Dawn offers them
   * (`chromium-experimental-subgroup-matrix`) for floats as they are stored: they give matrix products and convolutions one
   * more variant, which the tuner may choose. Experimental, and off by default; where they are missing there is a warning. In
   * Node this allows Dawn's unsafe APIs, and the f16 that Dawn keeps
   * back on NVIDIA's GPUs for want of conformance; in Chrome both must be allowed already.
   */
  subgroupMatrix?: SubgroupMatrix | undefined;
  /** Where warnings go; the console by default. */
  warn?: (message: string) => void;
}
