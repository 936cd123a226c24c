/** Reads what an adapter says about itself: its kind, and one line for people. */

import type { AdapterKind } from './adapter.ts';

/** Dawn and browsers call every CPU rasterizer a fallback adapter. */
export function adapterKind(info: GPUAdapterInfo): AdapterKind {
  return info.isFallbackAdapter ? 'software' : 'hardware';
}

/**
 * One line such as `llvmpipe (Mesa 25.0.7, software, Vulkan)`. Browsers keep most of the fields empty,
 * and `backend` is unknown there: what is missing is left out.
 */
export function describeAdapter(info: GPUAdapterInfo, backend?: string): string {
  // Dawn turns the device's name into a slug; what follows the name of a CPU rasterizer is its compiler.
  const device = info.device.replace(/-(llvm|device-subzero)\b.*$|-+$/, '');
  const driver = /Mesa \d+(\.\d+)*/.exec(info.description)?.[0] ?? info.description;
  const name = device || [info.vendor, info.architecture].filter(Boolean).join(' ') || 'unnamed adapter';
  return `${name} (${[driver, adapterKind(info), backend].filter(Boolean).join(', ')})`;
}
