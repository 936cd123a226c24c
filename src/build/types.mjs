/** The package's declarations: of what its entries reach, beside the modules, in a dialect that every resolution reads. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { VENDORED, vendoredPath } from './vendored.mjs';
import { vendoredTypes } from './vendored-types.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Of `import … from`, `export … from`, `import(…)`, `import …` and `declare module`. */
const SPECIFIER = /(?<=\b(?:from|import|declare module) ?\(? ?)(['"])([^'"\n]+)\1/g;

/** `Symbol.dispose`, which a target of ES2022 does not bring along. */
const HEAD = '/// <reference lib="esnext.disposable" />\n';

/**
 * An entry for TypeScript whose DOM library does not know WebGPU yet; where it does, the package's types are duplicates.
 * @param {string} entry
 */
const withWebgpu = (entry) => `/// <reference types="@webgpu/types" />\nexport * from './${basename(entry)}.js';\n`;

/** What `exports` in `package.json` lists, from the folder of the library's modules: `index`, `entries/data`. */
async function entries() {
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const modules = Object.values(exports).flatMap((/** @type {{ default?: string }} */ entry) => entry.default ?? []);
  return modules.map((path) => path.replace('./dist/lib/', '').replace(/\.js$/, ''));
}

/** Declarations of everything, in a folder that mirrors the clone. @param {string} outDir */
async function emit(outDir) {
  const compiler = fileURLToPath(new URL('../bin/tsc', import.meta.resolve('typescript')));
  const flags = ['-p', root, '--noEmit', 'false', '--emitDeclarationOnly', '--declaration', '--outDir', outDir];
  await promisify(execFile)(process.execPath, [compiler, ...flags]).catch((error) => {
    throw new Error(`the declarations could not be made:\n${error.stdout || error.message}`);
  });
}

/**
 * @param {string} outdir of the package's build
 * @throws {Error} when TypeScript finds a fault, or a declaration names a file that the package does not have.
 */
export async function buildTypes(outdir) {
  const emitted = await mkdtemp(join(tmpdir(), 'engram-types-'));
  try {
    await emit(emitted);
    const sources = join(emitted, 'src');
    const place = (/** @type {string} */ path) => join(outdir, 'lib', relative(sources, path));
    const names = await entries();
    const heads = new Set(names.map((entry) => join(sources, `${entry}.d.ts`)));
    const waiting = [...heads];
    const done = new Set(waiting);
    /** @type {Map<string, Set<string>>} */
    const vendored = new Map();
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const text = await readFile(path, 'utf8');
      const folder = dirname(path);
      const pointed = text.replace(SPECIFIER, (_, quote, /** @type {string} */ name) => {
        if (name.startsWith('.')) {
          if (!name.endsWith('.ts')) throw new Error(`${relative(emitted, path)} names ${name}`);
          const target = resolve(folder, name.replace(/\.ts$/, '.d.ts'));
          if (!done.has(target)) waiting.push(target);
          done.add(target);
          return `${quote}${name.replace(/\.ts$/, '.js')}${quote}`;
        }
        if (!VENDORED.includes(name)) return `${quote}${name}${quote}`;
        const used = vendored.get(name) ?? new Set();
        for (const [, member = ''] of text.matchAll(/\bv\.(\w+)/g)) used.add(member);
        vendored.set(name, used);
        const there = relative(dirname(place(path)), join(outdir, `${vendoredPath(name)}.js`));
        return `${quote}${there.split(sep).join('/')}${quote}`;
      });
      await mkdir(dirname(place(path)), { recursive: true });
      await writeFile(place(path), heads.has(path) ? HEAD + pointed : pointed);
    }
    for (const entry of names) await writeFile(join(outdir, 'lib', `${entry}-webgpu.d.ts`), withWebgpu(entry));
    for (const [name, used] of vendored) {
      await writeFile(join(outdir, `${vendoredPath(name)}.d.ts`), await vendoredTypes(name, used));
    }
  } finally {
    await rm(emitted, { recursive: true, force: true });
  }
}
