/**
 * An esbuild plugin for `wgpu-matrix`: its module makes every kind of matrix and vector, in three number formats, as it is
 * loaded, so that bundlers keep all of it. We use 3×3 matrices of float64; of the rest only what these need stays.
 */
import { readFile } from 'node:fs/promises';

/** @type {import('esbuild').Plugin} */
export const matrixPlugin = {
  name: 'wgpu-matrix',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]wgpu-matrix\.module\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const made = text.search(/^const \{ $/m);
      const [, maker] = /mat3: (\S+)\(Mat3Ctor\)/.exec(text) ?? [];
      if (made < 0 || !maker)
        return { errors: [{ text: `${path} is not as it was: see src/build/matrix-plugin.mjs` }] };
      return { contents: `${text.slice(0, made)}\nexport const mat3d = ${maker}(Float64Array);` };
    });
  },
};
