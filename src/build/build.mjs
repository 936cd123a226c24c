/** Bundles one part of the project: `node src/build/build.mjs node|browser|test`. */
import { build } from 'esbuild';
import { wgsl } from './wgsl-plugin.mjs';

const node = /** @type {const} */ ({ platform: 'node', target: 'node20', splitting: true, packages: 'external' });

/** @type {Record<string, import('esbuild').BuildOptions>} */
const parts = {
  node: {
    ...node,
    entryPoints: {
      node: 'src/index.ts',
      cli: 'src/cli/main.ts',
      bench: 'bench/main.ts',
      golden: 'bench/conformance/golden.ts',
      accuracy: 'bench/experiments/accuracy.ts',
      ablation: 'bench/experiments/ablation.ts',
      'demo-orders': 'bench/experiments/demo-orders.ts',
    },
    outdir: 'dist',
  },
  browser: { platform: 'browser', target: 'es2022', entryPoints: { browser: 'src/index.ts' }, outdir: 'dist' },
  test: { ...node, entryPoints: ['test/**/*.ts'], outdir: '.build/test', outbase: 'test' },
};

const [part = ''] = process.argv.slice(2);
const options = Object.hasOwn(parts, part) ? parts[part] : undefined;
if (options) {
  await build({
    bundle: true,
    format: 'esm',
    sourcemap: true,
    logLevel: 'warning',
    plugins: [wgsl({ files: true })],
    ...options,
  }).catch(() => {
    // esbuild has told why.
    process.exitCode = 1;
  });
} else {
  console.error(`Unknown part "${part}"; the parts are ${Object.keys(parts).join(', ')}.`);
  process.exitCode = 1;
}
