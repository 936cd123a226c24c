/** The packages as a user has them: packed by npm, unpacked where the site's imports find them. */
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { unpackTar } from 'modern-tar/fs';
import { buildPackage } from '../../build/package-build.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** @param {string} folder @param {string} into the folder of the package. */
async function packInto(folder, into) {
  const flags = ['pack', folder, '--ignore-scripts', '--json', '--pack-destination', join(into, '..')];
  const { stdout } = await promisify(execFile)('npm', flags, { cwd: root });
  // npm 11 answers by name, earlier ones with a list.
  const [{ filename }] = /** @type {{ filename: string }[]} */ (Object.values(JSON.parse(stdout)));
  const archive = join(into, '..', filename);
  await pipeline(createReadStream(archive), createGunzip(), unpackTar(into, { strip: 1 }));
  await rm(archive);
}

/**
 * Builds, packs and unpacks `engram` and `engram-data`.
 * @param {string} folder is emptied; the packages lie in its `node_modules` then.
 */
export async function unpackPackages(folder) {
  // Apart from the clone: below its `package.json` the built modules would be taken for others of it.
  const stage = await mkdtemp(join(tmpdir(), 'engram-package-'));
  const modules = join(folder, 'node_modules');
  await rm(folder, { recursive: true, force: true });
  await mkdir(modules, { recursive: true });
  // An app of its own: within the clone, whose name is the package's, imports would find the clone itself.
  await writeFile(join(folder, 'package.json'), '{ "name": "app", "private": true, "type": "module" }\n');
  await buildPackage(join(stage, 'dist'));
  for (const file of ['package.json', 'README.md', 'LICENSE']) await copyFile(join(root, file), join(stage, file));
  await packInto(stage, join(modules, 'engram'));
  await packInto(join(root, 'src/data/bundled'), join(modules, 'engram-data'));
  await rm(stage, { recursive: true });
}

const sources = join(root, 'src');
const site = join(sources, 'web');

/**
 * Finds the site's imports of the packages there, as bundlers find those of any app. What the site shares with `bench/` imports the
 * engine's sources, and the site those that no entry exports: for these too the packed modules stand in, so that there is one
 * engine.
 * @param {string} folder
 * @returns {import('vite').Plugin}
 */
export const packedPackages = (folder) => ({
  name: 'packed-packages',
  enforce: 'pre',
  resolveId(source, importer, options) {
    if (!importer || importer.startsWith(folder)) return null;
    // From a file that is there: Vite takes others for its own root.
    const find = (/** @type {string} */ path) =>
      this.resolve(path, join(folder, 'package.json'), { ...options, skipSelf: true });
    if (/^engram(-data)?(\/|$)/.test(source)) return find(source);
    const path = /^\.\.?\/.*\.ts$/.test(source) ? resolve(dirname(importer), source) : '';
    if (!path.startsWith(sources + sep) || path.startsWith(site + sep)) return null;
    return find(join(folder, 'node_modules/engram/dist/lib', relative(sources, path).replace(/\.ts$/, '.js')));
  },
});
