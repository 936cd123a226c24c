/**
 * An esbuild plugin for `wgpu-matrix`: its module makes every kind of matrix and vector, in three number formats, as it is
 * loaded, each as one object of many functions, so that bundlers keep all of it. We use some functions of 3×3 matrices of
 * float64: they come to stand at the top of a module, where bundlers drop those that nobody calls.
 */
import { readFile } from 'node:fs/promises';

/** The maker of the functions of 3×3 matrices: its body but for what it returns. */
const MAKER = /^function getAPIImpl\$3\(Ctor\) \{\n(.*?)^ {4}return \{(.*?)\};\n\}$/ms;

/**
 * @param {() => Promise<readonly string[]>} functionsUsed names of functions of `mat3d`
 * @returns {import('esbuild').Plugin}
 */
export const matrixPlugin = (functionsUsed) => ({
  name: 'wgpu-matrix',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]wgpu-matrix\.module\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const [made, body = '', exported = ''] = MAKER.exec(text) ?? [];
      const known = exported.split(',').map((name) => name.trim());
      const names = await functionsUsed();
      const isKnown = made !== undefined && names.length > 0 && names.every((name) => known.includes(name));
      if (!isKnown || !/mat3: getAPI\$3\(Mat3Ctor\)/.test(text))
        return { errors: [{ text: `${path} is not as it was: see src/build/matrix-plugin.mjs` }] };
      const makers = text
        .slice(0, text.indexOf(made))
        .replace(/^const \w+ = (?=wrapConstructor)/m, '$&/* @__PURE__ */ ');
      const functions = body.replace(/^ {4}const (\w+) = getAPI\$\d\(Ctor\);$/gm, (line) =>
        line.replace('= ', '= /* @__PURE__ */ '),
      );
      return {
        contents: `${makers}\nconst Ctor = Float64Array;\n${functions}\nexport const mat3d = { ${names.join(', ')} };`,
      };
    });
  },
});
