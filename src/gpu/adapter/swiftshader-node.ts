/**
 * SwiftShader, a Vulkan device in software, for Linux machines that have no Vulkan at all. The npm package
 * `@sparticuz/chromium` (x64) carries it beside its Chromium, with a Vulkan loader of its own.
 */

import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';
import { unpackTar } from 'modern-tar/fs';
import { cachedFolder } from '../files/cache-node.ts';
import { loadLibrary } from './shared-library-node.ts';

/**
 * Makes a folder of the cache, once a version of `@sparticuz/chromium`, from that package's `bin` folder.
 * @throws {Error} when the package is not installed.
 * @throws {ConfigError} when somebody else may write to the cache.
 */
export async function unpackChromium(
  name: string,
  unpack: (bin: string, into: string) => Promise<void>,
): Promise<string> {
  // The package's exports hide its other files, so they are found from its main file.
  const folder = fileURLToPath(new URL('../..', import.meta.resolve('@sparticuz/chromium')));
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  return cachedFolder(`${name}-${version}`, (draft) => unpack(join(folder, 'bin'), draft));
}

/** Unpacks a tar archive compressed with brotli into a folder. */
export function unpackTarBrotli(archive: string, into: string): Promise<void> {
  return pipeline(createReadStream(archive), createBrotliDecompress(), unpackTar(into));
}

/**
 * Loads SwiftShader's Vulkan loader into this process and returns the path of its driver file, to be named in
 * `VK_DRIVER_FILES` while a Vulkan instance is made.
 */
export async function loadSwiftShader(): Promise<string> {
  const folder = await unpackChromium('swiftshader', (bin, into) =>
    unpackTarBrotli(join(bin, 'swiftshader.tar.br'), into),
  );
  // Dawn asks for `libvulkan.so.1` by name and gets what is loaded under that name already.
  loadLibrary(join(folder, 'libvulkan.so.1'));
  return join(folder, 'vk_swiftshader_icd.json');
}
