/**
 * The package: a module of its own for every module and every WGSL file of the library, so that bundlers take only what is
 * used; the command line in few files, with the packages that it alone needs.
 *
 *     dist/lib/       src, without command line and reports
 *     dist/shaders/   shaders
 *     dist/vendor/    packages of others
 *     dist/cli.js     the command line
 *     dist/recipes/   its recipes, and their JSON Schema
 */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { writeLicences } from './licences.mjs';
import { matrixPlugin } from './matrix-plugin.mjs';
import { membersUsed, VENDORED, vendoredModules, vendoredPath } from './vendored.mjs';
import { wgsl } from './wgsl-plugin.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What only the command line needs: not modules of the library. */
const COMMAND_LINE = ['src/cli', 'src/report', 'src/sweep'];
/** An app like any other: it uses the package. */
const SITE = 'src/web';

const shared = /** @type {const} */ ({
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  logLevel: 'warning',
  metafile: true,
  // Names stay readable in a debugger; whoever bundles shortens them anyway.
  minifySyntax: true,
});

/** @param {string} path */
const slashed = (path) => path.split(sep).join('/');
/** @param {string} path @param {string} folder */
const isIn = (path, folder) => slashed(relative(root, path)).startsWith(`${folder}/`);
/** @param {string} path */
const ofCommandLine = (path) => COMMAND_LINE.some((folder) => isIn(path, folder));

/**
 * Where a module of the sources lies in the package: `src/errors.ts` in `lib/errors.js`.
 * @param {string} path
 */
const inPackage = (path) =>
  slashed(relative(root, path))
    .replace(/^src\//, 'lib/')
    .replace(/\.ts$/, '.js')
    .replace(/\.wgsl$/, '.wgsl.js');

/**
 * @param {string} from folder in the package
 * @param {string} to file in the package
 */
const specifier = (from, to) => {
  const path = slashed(relative(`/${from}`, `/${to}`));
  return path.startsWith('.') ? path : `./${path}`;
};

/**
 * Leaves imports of library modules, WGSL files and packages as imports, pointed to where they lie in the package.
 * @param {(importer: string) => string} folderOf the folder in the package of what a source becomes part of
 * @param {(path: string) => boolean} isInlined sources that become part of what imports them
 * @param {boolean} inlinesPackages whether packages do, but for dependencies
 * @returns {import('esbuild').Plugin}
 */
const separate = (folderOf, isInlined, inlinesPackages) => ({
  name: 'separate',
  async setup({ onResolve }) {
    const { dependencies, peerDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const installed = new Set(Object.keys({ ...dependencies, ...peerDependencies }));
    onResolve({ filter: /^\.\.?\/|\.wgsl$/ }, ({ path, importer, resolveDir, kind }) => {
      if (kind === 'entry-point' || !/\.(ts|wgsl)$/.test(path)) return undefined;
      const target = resolve(resolveDir, path);
      if (isInlined(target)) return undefined;
      return { path: specifier(folderOf(importer), inPackage(target)), external: true };
    });
    onResolve({ filter: /^[a-z@#]/ }, ({ path, importer, kind }) => {
      if (kind === 'entry-point' || path.startsWith('node:')) return undefined;
      if (importer.includes(`${sep}node_modules${sep}`)) return undefined;
      if (VENDORED.includes(path)) {
        return { path: specifier(folderOf(importer), `${vendoredPath(path)}.js`), external: true };
      }
      if (path.startsWith('#') || installed.has(path) || !inlinesPackages) return { path, external: true };
      return undefined;
    });
  },
});

/** @param {string} folder @param {string} ending */
async function filesIn(folder, ending) {
  const names = await readdir(join(root, folder), { recursive: true });
  return names.map((name) => join(root, folder, name)).filter((path) => path.endsWith(ending));
}

/** Every module of the library, and every WGSL file. @param {string} outdir */
async function buildLibrary(outdir) {
  const modules = (await filesIn('src', '.ts')).filter(
    (path) => !path.endsWith('.d.ts') && !ofCommandLine(path) && !isIn(path, SITE),
  );
  const entries = [...modules, ...(await filesIn('shaders', '.wgsl'))];
  const { metafile } = await build({
    ...shared,
    platform: 'neutral',
    external: ['node:*'],
    target: 'es2022',
    entryPoints: entries.map((path) => ({ in: path, out: inPackage(path).slice(0, -'.js'.length) })),
    outdir,
    plugins: [
      separate(
        (importer) => dirname(inPackage(importer)),
        () => false,
        false,
      ),
      wgsl({ files: true }),
    ],
  });
  // A file of types alone is nothing to run.
  const empty = Object.entries(metafile.outputs).filter(
    ([, { exports, imports }]) => exports.length + imports.length === 0,
  );
  await Promise.all(empty.map(([path]) => rm(join(root, path))));
}

/** @param {string} outdir */
async function buildVendored(outdir) {
  const modules = await vendoredModules(join(root, 'src'));
  const { metafile } = await build({
    ...shared,
    platform: 'node',
    target: 'es2022',
    minify: true,
    mainFields: ['module', 'main'],
    entryPoints: VENDORED.map((name) => ({ in: `vendored:${name}`, out: vendoredPath(name) })),
    outdir,
    plugins: [
      matrixPlugin(() => membersUsed(join(root, 'src'), 'mat3d')),
      {
        name: 'vendored',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^vendored:/ }, ({ path }) => ({ path, namespace: 'vendored' }));
          onLoad({ filter: /./, namespace: 'vendored' }, ({ path }) => ({
            contents: modules.get(path.slice('vendored:'.length)) ?? '',
            resolveDir: root,
          }));
        },
      },
    ],
  });
  return metafile;
}

/** @param {string} outdir */
async function buildCommandLine(outdir) {
  const { metafile } = await build({
    ...shared,
    platform: 'node',
    target: 'node20',
    splitting: true,
    minify: true,
    // The second one is loaded by its name, from Node's module loader.
    entryPoints: { cli: 'src/cli/main.ts', 'cli-engram-here': 'src/cli/engram-here.ts' },
    chunkNames: 'cli-[hash]',
    outdir,
    // Packages in CommonJS ask for Node's own modules by `require`.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module';\nconst require = makeRequire(import.meta.url);",
    },
    plugins: [separate(() => '.', ofCommandLine, true)],
  });
  return metafile;
}

/**
 * Lets the main entry begin with imports of the WGSL files that a page gets of it anyway: bundlers keep modules in the order of
 * their imports, and gzip, which looks back 32 kB, finds what is alike in WGSL when it lies together. None of them has side
 * effects, so that who uses none carries none.
 * @param {string} outdir
 */
async function putShadersFirst(outdir) {
  const entry = join(outdir, inPackage(join(root, 'src/index.ts')));
  const { metafile } = await build({ ...shared, entryPoints: [entry], external: ['#*'], write: false });
  const [{ inputs } = { inputs: {} }] = Object.values(metafile.outputs);
  const shaders = Object.entries(inputs).flatMap(([path, { bytesInOutput }]) =>
    path.endsWith('.wgsl.js') && bytesInOutput > 0 ? [relative(dirname(entry), join(root, path))] : [],
  );
  const imports = shaders.sort().map((path) => `import ${JSON.stringify(slashed(path))};\n`);
  await writeFile(entry, imports.join('') + (await readFile(entry, 'utf8')));
}

/** What `run` makes of a module of the sources. @template T @param {string} source @param {(module: T) => Promise<void>} run */
async function withSource(source, run) {
  const folder = await mkdtemp(join(tmpdir(), 'engram-build-'));
  try {
    const path = join(folder, 'module.mjs');
    await build({
      ...shared,
      platform: 'node',
      target: 'node20',
      conditions: ['engram-source'],
      // As for tests: `sideEffects` is about the package's modules.
      ignoreAnnotations: true,
      entryPoints: [join(root, source)],
      outfile: path,
      external: ['webgpu', 'sharp'],
      plugins: [wgsl({ files: true })],
    });
    await run(await import(pathToFileURL(path).href));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The recipes as they are, and the JSON Schemas of what they and sweeps may hold. @param {string} outdir */
async function buildRecipes(outdir) {
  await cp(join(root, 'src/recipes'), join(outdir, 'recipes'), {
    recursive: true,
    filter: (path) => !path.endsWith('.md'),
  });
  await withSource(
    'src/cli/json-schemas.ts',
    /** @param {typeof import('../cli/json-schemas.ts')} schemas */
    async ({ jsonSchemas }) => {
      for (const [path, schema] of Object.entries(jsonSchemas()))
        await writeFile(join(outdir, path), `${JSON.stringify(schema)}\n`);
    },
  );
}

/** Builds into `outdir`, in place of what is there. @param {string} outdir */
export async function buildPackage(outdir) {
  await rm(outdir, { recursive: true, force: true });
  const [, ...metafiles] = await Promise.all([buildLibrary(outdir), buildVendored(outdir), buildCommandLine(outdir)]);
  await Promise.all([putShadersFirst(outdir), buildRecipes(outdir)]);
  await writeLicences(metafiles, root, join(outdir, 'third-party.txt'));
}
