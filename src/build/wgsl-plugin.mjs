/**
 * An esbuild plugin for `.wgsl`: a file becomes a module of its shortened text and of the modules
 * of the files that its `// import` lines name.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { shortener } from './shorter-wgsl.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The readers of WGSL that the engine itself uses; this Node may not run TypeScript as it stands. */
async function readers() {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'wgsl-tools.ts')],
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
  });
  // A file, since errors would quote the whole of a data URL.
  const folder = await mkdtemp(join(tmpdir(), 'engram-build-'));
  try {
    const path = join(folder, 'wgsl-tools.mjs');
    await writeFile(path, outputFiles[0].contents);
    return /** @type {typeof import('./wgsl-tools.ts')} */ (await import(pathToFileURL(path).href));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Who imports it is a kernel for a single parameter, to be written out for several. */
const SLOTS = 'optim/slots.wgsl';

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
      const { entriesOf, importLines, linkWgsl, withSlots } = await readers();
      const shorter = await shortener(shaders, importLines);

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

      /**
       * The texts of a file and of all that it imports, by name.
       * @param {string} path
       */
      async function textsFrom(path) {
        /** @type {Record<string, string>} */
        const texts = {};
        const visit = async (/** @type {string} */ at) => {
          if (texts[nameOf(at)] !== undefined) return;
          const text = await readFile(at, 'utf8');
          texts[nameOf(at)] = text;
          for (const line of importLines(text)) await visit(pathOf(line.path));
        };
        await visit(path);
        return texts;
      }

      onResolve({ filter: /\.wgsl$/ }, ({ path, resolveDir }) => ({
        path: resolve(resolveDir, path),
        sideEffects: false,
      }));

      onLoad({ filter: /\.wgsl$/ }, async ({ path }) => {
        const text = await readFile(path, 'utf8');
        if (!files) return { contents: shorter(text, nameOf(path)), loader: 'text' };
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
        const name = nameOf(path);
        const texts = await textsFrom(path);
        const file = linkWgsl(name, texts);
        const entries = Object.entries(entriesOf(file)).filter(([, [bindings]]) => bindings !== '');
        const built = { name, text: shorter(text, name) };
        const fields = {
          ...built,
          ...(entries.length > 0 && { entries: Object.fromEntries(entries) }),
          ...(lines.some(({ path }) => path === SLOTS) && { slots: withSlots({ ...built, imports: [] }).slots }),
        };
        const contents = [
          ...lines.map((line, i) => `import file${i} from ${JSON.stringify(pathOf(line.path))};`),
          `export default { ${JSON.stringify(fields).slice(1, -1)}, imports: [${lines.map((_, i) => `file${i}`)}] };`,
        ];
        return { contents: contents.join('\n'), loader: 'js', resolveDir: dirname(path) };
      });
    },
  };
}
