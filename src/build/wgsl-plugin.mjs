/**
 * An esbuild plugin for `.wgsl`: a file becomes a module of its text, without comments and needless blanks, and of the
 * modules of the files that its `// import` lines name.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { shorter } from './shorter-wgsl.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The reader of import lines that the engine itself uses; this Node may not run TypeScript as it stands. */
async function reader() {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, '../gpu/wgsl/import-lines.ts')],
    bundle: true,
    format: 'esm',
    write: false,
  });
  const module = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
  return /** @type {typeof import('../gpu/wgsl/import-lines.ts').importLines} */ (module.importLines);
}

/**
 * @param {object} [options]
 * @param {boolean} [options.files] Modules are a `WgslFile`, with what they import; otherwise a string, the file's own text.
 * @param {string} [options.shaders] Folder that import lines start from, and names of files.
 * @returns {import('esbuild').Plugin}
 */
export function wgsl({ files = false, shaders = join(root, 'shaders') } = {}) {
  const pathOf = (/** @type {string} */ name) => resolve(shaders, name);
  const nameOf = (/** @type {string} */ path) => relative(shaders, path).split(sep).join('/');
  return {
    name: 'wgsl',
    async setup({ onResolve, onLoad }) {
      const importLines = await reader();

      /**
       * The files that lead from `path` back to itself, if any do. A circle reports itself at each of its files.
       * @param {string} path
       */
      async function circleThrough(path) {
        const seen = new Set();
        /** @type {(at: string, trail: string[]) => Promise<string[] | null>} */
        const walk = async (at, trail) => {
          // A file that cannot be read is reported where it is imported.
          const text = await readFile(at, 'utf8').catch(() => '');
          for (const line of importLines(text)) {
            const next = pathOf(line.path);
            if (next === path) return [...trail, next];
            if (seen.has(next)) continue;
            seen.add(next);
            const found = await walk(next, [...trail, next]);
            if (found) return found;
          }
          return null;
        };
        return walk(path, [path]);
      }

      onResolve({ filter: /\.wgsl$/ }, ({ path, resolveDir }) => ({
        path: resolve(resolveDir, path),
        sideEffects: false,
      }));

      onLoad({ filter: /\.wgsl$/ }, async ({ path }) => {
        const text = await readFile(path, 'utf8');
        if (!files) return { contents: shorter(text), loader: 'text' };
        const lines = importLines(text);
        const errors = [];
        /** @type {(line: number, message: string) => import('esbuild').PartialMessage} */
        const at = (line, message) => {
          const lineText = text.split('\n')[line - 1] ?? '';
          return {
            text: message,
            location: { file: relative('', path), line, column: 0, length: lineText.length, lineText },
          };
        };
        for (const line of lines) {
          const known = await readFile(pathOf(line.path)).then(
            () => true,
            () => false,
          );
          if (!known) errors.push(at(line.line, `${line.path} is not in ${relative('', shaders)}`));
        }
        const circle = await circleThrough(path);
        if (circle) {
          const first = lines.find((line) => pathOf(line.path) === circle[1]);
          const names = circle.map(nameOf).join(' → ');
          errors.push(at(first?.line ?? 1, `WGSL files import each other in a circle: ${names}`));
        }
        if (errors.length > 0) return { errors };
        const own = { name: nameOf(path), text: shorter(text) };
        const contents = [
          ...lines.map((line, i) => `import file${i} from ${JSON.stringify(pathOf(line.path))};`),
          `export default { name: ${JSON.stringify(own.name)}, text: ${JSON.stringify(own.text)}, imports: [${lines.map((_, i) => `file${i}`)}] };`,
        ];
        return { contents: contents.join('\n'), loader: 'js', resolveDir: dirname(path) };
      });
    },
  };
}
