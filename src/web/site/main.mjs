/**
 * The site, from the packages as users have them.
 *
 *     main.mjs build [FOLDER] [--no-api]   static files for any server, under any path; .build/site by default
 *     main.mjs serve                       a server that follows the sources, without the API reference
 */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, createServer } from 'vite';
import { buildApi } from '../api/typedoc.mjs';
import { Licences } from './licences.mjs';
import { packedPackages, unpackPackages } from './packed.mjs';
import { PAGES, sitePages } from './pages.mjs';

const web = fileURLToPath(new URL('..', import.meta.url));
const root = join(web, '../..');
const { positionals, values } = parseArgs({ allowPositionals: true, options: { 'no-api': { type: 'boolean' } } });
const [command, folder = join(root, '.build/site')] = positionals;
const licences = new Licences();
/** Beside the site: two may be built at the same time. */
const packages = `${resolve(folder)}.packages`;

/**
 * `sideEffects` in `package.json` is about the package's modules: the site's have others.
 * @type {import('vite').Plugin}
 */
const ownSideEffects = {
  name: 'own-side-effects',
  transform: (code, id) =>
    id.startsWith(web) && /\.ts$/.test(id) ? { code, map: null, moduleSideEffects: true } : null,
};

/**
 * @param {import('./pages.mjs').PagesOptions} options
 * @returns {import('vite').InlineConfig}
 */
const config = (options) => ({
  configFile: false,
  root: web,
  // Relative: the site may lie under any path.
  base: './',
  publicDir: false,
  cacheDir: join(root, '.build/vite'),
  plugins: [packedPackages(packages), ownSideEffects, sitePages(options), licences.plugin()],
  worker: {
    format: 'es',
    plugins: () => [packedPackages(packages), licences.plugin()],
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  // The last finds its WebAssembly beside itself.
  optimizeDeps: { exclude: ['engram', 'engram-data', 'onnxruntime-web'] },
  server: { fs: { allow: [root] } },
  build: {
    target: 'es2022',
    // As a file of its own, which the policy lets a page fetch.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: PAGES.map(({ file }) => join(web, file)), checks: { pluginTimings: false } },
    emptyOutDir: true,
    reportCompressedSize: false,
    // A worker is one file, with the whole engine.
    chunkSizeWarningLimit: 2000,
  },
});

if (command === 'build') {
  await unpackPackages(packages);
  const hasApi = !values['no-api'];
  const { build: options, ...rest } = config({ isStrict: true, hasApi });
  await build({ ...rest, logLevel: 'warn', build: { ...options, outDir: resolve(folder) } });
  await licences.write(resolve(folder), packages);
  if (hasApi) await buildApi(join(resolve(folder), 'api'));
} else if (command === 'serve') {
  await unpackPackages(packages);
  const server = await createServer(config({ isStrict: false, hasApi: false }));
  await server.listen();
  server.printUrls();
} else {
  console.error('Say what to do: build [FOLDER], or serve.');
  process.exit(1);
}
