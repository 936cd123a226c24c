/** The tests that need neither files nor processes, for a page: the same sources, with what only Node has exchanged. */
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';

/** Of these there is a variant for pages, `…-browser.ts` beside each. */
const EXCHANGED = /\/(collect-garbage|process-memory|unheard)\.ts$/;
/** What tests in Node alone use, and pages could not load. */
const NODE_ONLY = [
  '@observablehq/plot',
  'esbuild',
  'linkedom',
  'onnxruntime-web',
  'playwright-core',
  'sharp',
  'vite',
  'webgpu',
];

/** Numbers at length, of what other tests run in a page too: the same in Node, on the same rasterizer, and ten minutes of it. */
const AT_LENGTH = [
  'analysis',
  'attention',
  'batch-norm',
  'compression',
  'compression-losses',
  'conv-transpose2d',
  'conv1d',
  'conv2d-groups',
  'distill-dense',
  'distill-gradients',
  'distill-methods',
  'distill-random',
  'distill-settings',
  'distill-sizes',
  'drawn-batches',
  'fork',
  'foster',
  'fuzz',
  'group-norm',
  'growing-heads',
  'linear-probe',
  'memory-size',
  'method-losses',
  'named-networks',
  'networks',
  'plan',
  'published-methods',
  'recompute',
  'recorded-network',
  'reduce',
  'replay-methods',
  'sharpness',
  'softmax',
  'sort',
  'statistics',
  'stored-images',
];

/** @type {import('esbuild').Plugin} */
const inPages = {
  name: 'in-pages',
  setup(build) {
    build.onResolve({ filter: EXCHANGED }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace(/\.ts$/, '-browser.ts')),
    }));
    // Kept as they are: whatever comes to one is left out.
    build.onResolve({ filter: /^[a-z@]/ }, ({ path }) =>
      isBuiltin(path) || NODE_ONLY.includes(path) ? { path, external: true } : null,
    );
  },
};

/**
 * Which of the entries come to something that only Node has.
 * @param {import('esbuild').Metafile} metafile @param {string} entry
 */
function needsNode({ inputs }, entry) {
  const seen = new Set([entry]);
  for (const path of seen) {
    for (const { path: imported, external } of inputs[path]?.imports ?? []) {
      if (external && (isBuiltin(imported) || NODE_ONLY.includes(imported))) return true;
      seen.add(imported);
    }
  }
  return false;
}

/**
 * Builds them, and a list of their names.
 * @param {(options: import('esbuild').BuildOptions) => Promise<import('esbuild').BuildResult>} bundle
 * @param {string} folder
 */
export async function browserTests(bundle, folder) {
  const entryPoints = readdirSync('test').flatMap((file) => (file.endsWith('.test.ts') ? [`test/${file}`] : []));
  // Those of Node are left where they are, and not named.
  const { metafile } = await bundle({
    platform: 'browser',
    target: 'es2022',
    entryPoints,
    outdir: folder,
    outbase: 'test',
    splitting: true,
    plugins: [inPages],
    define: { 'process.env': '{}' },
    metafile: true,
  });
  const own = entryPoints.filter((entry) => !needsNode(/** @type {import('esbuild').Metafile} */ (metafile), entry));
  const names = own.map((entry) => entry.slice('test/'.length, -'.test.ts'.length));
  await writeFile(join(folder, 'names.json'), JSON.stringify(names.filter((name) => !AT_LENGTH.includes(name))));
}
