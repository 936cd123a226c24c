/**
 * What a browser would give to the peers: `navigator.gpu`, with the adapter that Engram takes. Their waits for the device
 * are made as gentle as Engram's own: left alone, Dawn's Node binding spins on a core that a software adapter computes with.
 */
import { pollGently, requestAdapter } from '../../src/gpu/adapter/adapter-node.ts';

type Waiting = (this: object, ...args: unknown[]) => unknown;

const WAITING = [
  ['GPUBuffer', 'mapAsync'],
  ['GPUQueue', 'onSubmittedWorkDone'],
  ['GPUDevice', 'popErrorScope'],
  ['GPUDevice', 'createComputePipelineAsync'],
] as const;

function waitGently(): void {
  for (const [type, method] of WAITING) {
    const prototype = globalThis[type].prototype as unknown as Record<string, Waiting>;
    const original = prototype[method] as Waiting;
    prototype[method] = function (...args) {
      return pollGently(() => original.apply(this, args));
    };
  }
}

/** Defines `navigator.gpu`. @returns the adapter's description. */
export async function provideNavigatorGpu(): Promise<string> {
  const { description } = await requestAdapter();
  waitGently();
  const gpu = { requestAdapter: async () => (await requestAdapter()).adapter, wgslLanguageFeatures: new Set() };
  // Node has a navigator from version 21 on.
  const navigator: object = globalThis.navigator ?? { userAgent: 'Node.js' };
  Object.defineProperty(navigator, 'gpu', { value: gpu });
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  return description;
}
