/**
 * The adapter of a Node process: Dawn, from npm's `webgpu`. A GPU is best, an installed CPU rasterizer second
 * (lavapipe), and SwiftShader from npm the last resort.
 *
 * Dawn chooses its Vulkan driver when its object is made, and that object must outlive every device: once collected, the
 * process aborts. So there is one object a source, and another one where subgroup matrices are asked for, never let go. They
 * live on `globalThis`, where two copies of this module in one process share them.
 */

import { AdapterError, ConfigError } from '../../errors.ts';
import { CompileAhead } from '../compile-ahead.ts';
import type { AdapterChoice, AdapterOptions, SubgroupMatrix } from './adapter.ts';
import { adapterKind, describeAdapter } from './adapter-info.ts';
import { hushed } from './driver-chatter-node.ts';
import { pollGently } from './polling-node.ts';
import { loadLibrary } from './shared-library-node.ts';

/** Where a Dawn object gets its adapters: the system's drivers, only those that are software, or npm's SwiftShader. */
type Source = 'system' | 'rasterizer' | 'swiftshader';
type Wanted = NonNullable<AdapterOptions['adapter']>;

const SOURCES: Record<Wanted, Source[]> = {
  auto: ['system', 'swiftshader'],
  hardware: ['system'],
  software: ['rasterizer', 'swiftshader'],
  swiftshader: ['swiftshader'],
};

/** What Dawn runs on, the CPU rasterizer to be expected there, by a part of its name, and the library that finds drivers. */
const PLATFORM: Partial<Record<NodeJS.Platform, { backend: string; rasterizer?: string; loader?: string }>> = {
  linux: { backend: 'Vulkan', rasterizer: 'llvmpipe', loader: 'libvulkan.so.1' },
  darwin: { backend: 'Metal' },
  win32: { backend: 'D3D12', rasterizer: 'Microsoft Basic Render' },
};

export { pollGently };

/** Browsers round timestamps to hide what other pages do; there is nobody to hide it from here. */
const FLAGS = ['disable-dawn-features=timestamp_quantization'];
/** Dawn offers subgroup matrices with unsafe APIs only; on Vulkan with its memory model, and on NVIDIA's GPUs with f16 allowed. */
const UNIT_FLAGS = ['enable-dawn-features=allow_unsafe_apis,use_vulkan_memory_model,vulkan_enable_f16_on_nvidia'];

const KEPT = Symbol.for('engram.dawn');
const shared = globalThis as { [KEPT]?: Map<string, Promise<GPU>> };
shared[KEPT] ??= new Map();
const kept = shared[KEPT];

/**
 * Asks Dawn for an adapter; the environment variables `ENGRAM_ADAPTER` and `ENGRAM_SUBGROUP_MATRIX` go before the
 * options. The latter's `0` overrides `options.subgroupMatrix`; its `1` cannot bring the kernels, which only the option does.
 * @throws {AdapterError} when there is none of the kind asked for; its message says what to install.
 * @throws {ConfigError} when one of the variables has a value that is unknown.
 */
export async function requestAdapter(options: AdapterOptions = {}): Promise<AdapterChoice> {
  const wanted = chosen(options);
  const subgroupMatrix = wantedSubgroupMatrix(options);
  const refusals: string[] = [];
  for (const source of SOURCES[wanted]) {
    const found = await requestFrom(source, subgroupMatrix, options.powerPreference).catch((error: unknown) => {
      if (error instanceof AdapterError) throw error;
      return asReason(error);
    });
    if (typeof found === 'string') refusals.push(found);
    else if (wanted === 'hardware' && found.kind !== 'hardware') refusals.push(`there is only ${found.description}`);
    else return found;
  }
  throw new AdapterError({
    where: 'adapter',
    message: `no WebGPU adapter was found for '${wanted}': ${refusals.join('; ')}.`,
    fix: ADVICE[wanted === 'hardware' ? 'hardware' : 'any'],
  });
}

const ADVICE = {
  hardware: "Install the GPU's Vulkan driver (on Linux `vulkaninfo --summary` shows what is found), or ask for 'auto'.",
  any:
    'Install a Vulkan driver: on Debian 12 `apt-get install -t bookworm-backports mesa-vulkan-drivers libvulkan1` ' +
    '(Mesa 23 and older are refused by Dawn, 25 is good), or, on x64 Linux, `npm install --save-dev @sparticuz/chromium`, ' +
    'which carries SwiftShader.',
};

function chosen(options: AdapterOptions): Wanted {
  const named = process.env.ENGRAM_ADAPTER || options.adapter || 'auto';
  if (Object.hasOwn(SOURCES, named)) return named as Wanted;
  throw new ConfigError({
    where: 'ENGRAM_ADAPTER',
    message: `unknown adapter '${named}'.`,
    fix: `Choose one of ${Object.keys(SOURCES).join(', ')}.`,
  });
}

function wantedSubgroupMatrix({ subgroupMatrix, warn = console.warn }: AdapterOptions): SubgroupMatrix | null {
  const named = process.env.ENGRAM_SUBGROUP_MATRIX;
  if (named === '0') return null;
  if (named === '1' && !subgroupMatrix) {
    warn(
      'engram: ENGRAM_SUBGROUP_MATRIX=1, but the program does not carry these kernels: ' +
        "import { subgroupMatrix } from 'engram/subgroup-matrix', and pass Engine.create({ subgroupMatrix }).",
    );
  }
  if (!named || named === '1') return subgroupMatrix ?? null;
  throw new ConfigError({
    where: 'ENGRAM_SUBGROUP_MATRIX',
    message: `'${named}' is neither 1 nor 0.`,
    fix: 'Choose 1 to ask for subgroup matrices, or 0.',
  });
}

async function requestFrom(
  source: Source,
  subgroupMatrix: SubgroupMatrix | null,
  powerPreference: GPUPowerPreference = 'high-performance',
): Promise<AdapterChoice> {
  const key = subgroupMatrix ? `${source} with subgroup matrices` : source;
  const opening = kept.get(key) ?? open(source, subgroupMatrix ? [...FLAGS, ...UNIT_FLAGS] : FLAGS);
  kept.set(key, opening);
  // What could not be opened is tried anew at the next call.
  opening.catch(() => kept.delete(key));
  const gpu = await opening;
  const request = async (): Promise<GPUAdapter> => {
    const adapter = await pollGently(() => gpu.requestAdapter({ powerPreference }));
    if (!adapter) throw new Error(`Dawn accepts no adapter of the ${source}'s`);
    return adapter;
  };
  const adapter = await request();
  const kind = adapterKind(adapter.info);
  const description = describeAdapter(adapter.info, kind, PLATFORM[process.platform]?.backend);
  const choice: AdapterChoice = { adapter, kind, description, subgroupMatrix };
  // Mesa keeps what lavapipe compiles in a cache of all its devices.
  if (!description.startsWith('llvmpipe')) return choice;
  return {
    ...choice,
    ahead: (deviceOf, pipelinesOn) => new CompileAhead(async () => deviceOf(await request()), pipelinesOn),
  };
}

async function open(source: Source, flags: string[]): Promise<GPU> {
  const { create, globals } = await dawn();
  for (const [name, value] of Object.entries(globals)) {
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  if (source === 'swiftshader') return withVulkanDriver(await swiftShader(), () => discover(create(flags)));
  const { rasterizer, loader } = PLATFORM[process.platform] ?? {};
  // Dawn itself would write to the terminal that there is none.
  if (loader) loadLibrary(loader);
  if (source === 'system') return discover(create(flags));
  if (!rasterizer) throw new Error(`${process.platform} has no software adapter`);
  return discover(create([...flags, `adapter=${rasterizer}`]));
}

/**
 * A package that only Node needs: a page that installs the engine is spared its 130 MB.
 * @throws {AdapterError} when it is not installed.
 */
async function dawn(): Promise<typeof import('webgpu')> {
  try {
    return await import('webgpu');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new AdapterError({
      where: 'adapter',
      message: 'in Node, WebGPU is the package webgpu, which is not installed.',
      fix: 'Run `npm install webgpu`.',
      cause,
    });
  }
}

/** Makes Dawn look for drivers: it does at the first request, before that returns. */
function discover(gpu: GPU): GPU {
  void hushed(() => gpu.requestAdapter());
  return gpu;
}

async function swiftShader(): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('SwiftShader comes for x64 Linux only');
  const { loadSwiftShader } = await import('./swiftshader-node.ts');
  return loadSwiftShader();
}

/** Runs `make` while the Vulkan loader knows `driver` alone; no other code sees the changed environment. The second name is the one loaders before 1.3.207 read. */
function withVulkanDriver<T>(driver: string, make: () => T): T {
  const names = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'];
  const before = names.map((name) => process.env[name]);
  for (const name of names) process.env[name] = driver;
  try {
    return make();
  } finally {
    names.forEach((name, i) => {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    });
  }
}

function asReason(error: unknown): string {
  return error instanceof Error ? error.message.split('\n')[0]! : String(error);
}
