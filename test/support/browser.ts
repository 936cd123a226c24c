/** A headless Chromium with WebGPU on SwiftShader, and a page that can import a bundle of the library. */

import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { type Browser, chromium, type Page } from 'playwright-core';
import { unpackChromium, unpackTarBrotli } from '../../src/gpu/adapter/swiftshader-node.ts';

/** The Chromium of `@sparticuz/chromium` with the libraries a bare machine lacks; on x64 Linux it needs nothing else. */
async function launchBundled(args: string[]): Promise<Browser> {
  const folder = await unpackChromium('chromium', async (bin, into) => {
    await unpackTarBrotli(join(bin, 'swiftshader.tar.br'), into);
    await unpackTarBrotli(join(bin, 'al2023.tar.br'), into);
    const executable = createWriteStream(join(into, 'chromium'), { mode: 0o755 });
    await pipeline(createReadStream(join(bin, 'chromium.br')), createBrotliDecompress(), executable);
  });
  return chromium.launch({
    executablePath: join(folder, 'chromium'),
    args,
    env: { ...process.env, LD_LIBRARY_PATH: join(folder, 'lib') },
  });
}

/** A browser that has only begun has no adapter yet, and a test would take that for an answer. */
async function adapterThere(): Promise<void> {
  // Addresses that are not trusted have no WebGPU at all.
  for (let tries = 0; tries < 40 && navigator.gpu && !(await navigator.gpu.requestAdapter()); tries++)
    await new Promise((later) => setTimeout(later, 250));
}

export interface PageOptions {
  /** Whether there is WebGPU; there is by default. */
  readonly webgpu?: boolean;
  /** Whether pages show what WebGPU draws: without a graphics card Chromium does by Vulkan alone, and is slower at everything else. */
  readonly drawing?: boolean;
  /** Further flags of the browser's. */
  readonly flags?: readonly string[];
}

/**
 * Opens an empty page that may `import('/browser.js')`, the whole library in one file; what it logs as an error goes to this process's. No network is
 * asked: everything under `origin` comes from `folder`. Browsers trust localhost like https, and other names not.
 */
export async function openPage(
  origin = 'http://localhost',
  folder = '.build/browser',
  { webgpu = true, drawing = false, flags = [] }: PageOptions = {},
): Promise<{ page: Page; close: () => Promise<void> }> {
  // On a busy machine SwiftShader is slow, and the watchdog would end its process as one that hangs.
  const gpu = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--disable-gpu-watchdog'];
  const shown = ['--enable-features=Vulkan', '--use-vulkan=swiftshader', '--use-angle=swiftshader'];
  // A camera that shows a test picture, to those who are allowed to see it.
  const args = ['--no-sandbox', ...(webgpu ? gpu : []), ...(drawing ? shown : []), ...flags];
  const bundled = process.platform === 'linux' && process.arch === 'x64';
  // Elsewhere: an installed Chrome.
  const browser = await (bundled ? launchBundled(args) : chromium.launch({ channel: 'chrome', args }));
  const page = await (await browser.newContext()).newPage();
  page.on('pageerror', (error) => console.error(error));
  page.on('console', (message) => {
    if (message.type() === 'error') console.error(message.text());
  });
  await page.route(`${origin}/**`, (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname === '/')
      return route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Engram</title>' });
    return route.fulfill({ path: join(folder, pathname) });
  });
  await page.goto(`${origin}/`);
  if (webgpu) await page.evaluate(adapterThere);
  return { page, close: () => browser.close() };
}
