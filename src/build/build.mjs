/** Builds parts of the project: `node src/build/build.mjs package|types|bench|browser|browser-tests|test …`. */
import { build } from 'esbuild';
import { browserTests } from './browser-tests.mjs';
import { buildPackage } from './package-build.mjs';
import { buildTypes } from './types.mjs';
import { wgsl } from './wgsl-plugin.mjs';

/**
 * Programs that only the clone runs, bundled from the sources.
 * @param {import('esbuild').BuildOptions} options
 */
const bundle = (options) =>
  build({
    bundle: true,
    format: 'esm',
    sourcemap: true,
    logLevel: 'warning',
    // As `package.json` has it: `#adapter` and its like are sources here, and built modules in the package.
    conditions: ['engram-source'],
    // `sideEffects` is about the package's modules; tests have others.
    ignoreAnnotations: true,
    ...options,
    plugins: [wgsl({ files: true }), ...(options.plugins ?? [])],
  });

const node = /** @type {const} */ ({ platform: 'node', target: 'node20', splitting: true, packages: 'external' });

/** @type {Record<string, () => Promise<unknown>>} */
const parts = {
  package: () => buildPackage('dist'),
  types: () => buildTypes('dist'),
  bench: () =>
    bundle({
      ...node,
      entryPoints: {
        bench: 'bench/main.ts',
        golden: 'bench/conformance/golden.ts',
        evidence: 'bench/experiments/evidence.ts',
        ablation: 'bench/experiments/ablation.ts',
        'demo-orders': 'bench/experiments/demo-orders.ts',
      },
      outdir: '.build/bench',
    }),
  browser: () =>
    bundle({
      platform: 'browser',
      target: 'es2022',
      entryPoints: { browser: 'test/support/browser-library.ts' },
      outdir: '.build/browser',
    }),
  'browser-tests': () => browserTests(bundle, '.build/browser-tests'),
  test: () => bundle({ ...node, entryPoints: ['test/**/*.ts'], outdir: '.build/test', outbase: 'test' }),
};

for (const part of process.argv.slice(2)) {
  const run = Object.hasOwn(parts, part) ? parts[part] : undefined;
  if (!run) {
    console.error(`Unknown part "${part}"; the parts are ${Object.keys(parts).join(', ')}.`);
    process.exit(1);
  }
  await run().catch((error) => {
    // esbuild has said why.
    if (!('errors' in error)) console.error(error);
    process.exit(1);
  });
}
