/** The adapter of a browser: `navigator.gpu`. */

import { AdapterError } from '../../errors.ts';
import type { AdapterChoice, AdapterOptions } from './adapter.ts';
import { adapterKind, describeAdapter } from './adapter-info.ts';

/**
 * Asks the browser for an adapter. `software` and `swiftshader` ask for the browser's fallback adapter.
 * @throws {AdapterError} where there is no WebGPU, no adapter, or none of the kind asked for.
 */
export async function requestAdapter(options: AdapterOptions = {}): Promise<AdapterChoice> {
  const wanted = options.adapter ?? 'auto';
  if (typeof navigator === 'undefined' || !navigator.gpu) {
    throw new AdapterError({
      where: 'adapter',
      message: 'this page has no navigator.gpu.',
      fix: 'WebGPU needs a browser that has it (Chrome 113, Safari 26, Firefox 141 or newer) and a secure context: https or localhost.',
    });
  }
  const adapter = await navigator.gpu.requestAdapter({
    powerPreference: options.powerPreference ?? 'high-performance',
    forceFallbackAdapter: wanted === 'software' || wanted === 'swiftshader',
  });
  if (!adapter) {
    throw new AdapterError({
      where: 'adapter',
      message: `the browser has WebGPU but gave no ${wanted === 'auto' ? '' : `${wanted} `}adapter.`,
      fix: 'See chrome://gpu or about:support for the reason; in Chrome the switch --enable-unsafe-webgpu allows GPUs that are blocked, and SwiftShader.',
    });
  }
  const kind = adapterKind(adapter.info, (adapter as { isFallbackAdapter?: boolean }).isFallbackAdapter);
  const description = describeAdapter(adapter.info, kind);
  if (wanted === 'hardware' && kind !== 'hardware') {
    throw new AdapterError({
      where: 'adapter',
      message: `a hardware adapter was asked for, but the browser gave ${description}.`,
      fix: "Switch the browser's hardware acceleration on, or ask for 'auto'.",
    });
  }
  return { adapter, kind, description, subgroupMatrix: options.subgroupMatrix ?? null };
}

/** Browsers wake up when the GPU is done: nothing polls. */
export function pollGently<T>(call: () => T): T {
  return call();
}
