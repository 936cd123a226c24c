/** Reads what an adapter says about itself: its kind, and one line for people. */

import type { AdapterKind } from './adapter.ts';

/**
 * What an adapter says about itself. Browsers came to it bit by bit: adapters have it in Chrome from 127 on, devices in Chrome from
 * 132 on and not yet in Safari 26.0, and whether it is a fallback stands in it in Chrome from 136 on.
 */
export type AdapterInfo = Partial<GPUAdapterInfo> | undefined;

/**
 * Dawn and browsers call every CPU rasterizer a fallback adapter.
 * @param isFallback what the adapter itself has, where its information does not say.
 */
export function adapterKind(info: AdapterInfo, isFallback = false): AdapterKind {
  return (info?.isFallbackAdapter ?? isFallback) ? 'software' : 'hardware';
}

/**
 * One line such as `llvmpipe (Mesa 25.0.7, software, Vulkan)`. Browsers keep most of the fields empty,
 * and `backend` is unknown there: what is missing is left out.
 */
export function describeAdapter(info: AdapterInfo, kind: AdapterKind, backend?: string): string {
  const { device: slug = '', description = '', vendor, architecture } = info ?? {};
  // Dawn turns the device's name into a slug; what follows the name of a CPU rasterizer is its compiler.
  const device = slug.replace(/-(llvm|device-subzero)\b.*$|-+$/, '');
  const driver = /Mesa \d+(\.\d+)*/.exec(description)?.[0] ?? description;
  const name = device || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter';
  return `${name} (${[driver, kind, backend].filter(Boolean).join(', ')})`;
}
