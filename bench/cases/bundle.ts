/** What a page that imports the package loads: parts of it, bundled from the build as a user's bundler does. */
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';
import { exports } from '../../package.json';

export interface BundleResult {
  /** Bytes of the minified bundle. */
  readonly minified: number;
  /** Bytes of it as a server sends it, gzip at level 9. */
  readonly gzip: number;
}

export interface BundleCase {
  readonly name: string;
  /** @throws {Error} when the package does not have a name that is imported; {@link checkBuilt} comes first. */
  bundle(): Promise<BundleResult>;
}

/** The package's entries, the main one first: their names behind `engram`, and what a bundler loads. */
const packageEntries = Object.entries(exports).flatMap(([name, entry]) =>
  typeof entry === 'string' ? [] : [{ name: name.slice(2), path: entry.default }],
);

/** @throws {Error} when the package, which the cases bundle, is not built. */
export function checkBuilt(): void {
  const missing = packageEntries.find(({ path }) => !existsSync(path));
  if (!missing) return;
  throw new Error(`bundle/ weighs the built package, and ${missing.path} is missing. Run \`npm run build\` first.`);
}

async function bundle(contents: string): Promise<BundleResult> {
  const { outputFiles, metafile } = await build({
    // Within the package its own name is the package, as built.
    stdin: { contents, resolveDir: process.cwd() },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    // Whose `paths` lead to the sources.
    tsconfigRaw: {},
    write: false,
    // What is imported when it is needed is a file of its own, as other bundlers have it.
    splitting: true,
    outdir: '.',
    metafile: true,
    logLevel: 'silent',
  });
  const texts = new Map(outputFiles.map(({ path, contents }) => [relative('.', path), contents]));
  const loaded = loadedAtOnce(metafile).map((path) => texts.get(path) ?? new Uint8Array());
  const sum = (bytes: (text: Uint8Array) => number): number => loaded.reduce((total, text) => total + bytes(text), 0);
  return { minified: sum(({ length }) => length), gzip: sum((text) => gzipSync(text, { level: 9 }).length) };
}

/** The files that a page loads before it runs: the entry, and what that imports by statements. */
function loadedAtOnce({ outputs }: Metafile): string[] {
  const loaded = new Set(Object.keys(outputs).filter((path) => outputs[path]?.entryPoint === '<stdin>'));
  for (const path of loaded)
    for (const { path: imported, kind } of outputs[path]?.imports ?? [])
      if (kind === 'import-statement') loaded.add(imported);
  return [...loaded];
}

const importing = (names: readonly string[], more = ''): string =>
  `import { ${names.join(', ')} } from 'engram';\n${more}console.log(${names.join(', ')});`;

const core = ['Engine', 'matmul', 'SGD'];
const resnet = [...core, 'createResNet', 'crossEntropy'];
const dkd = [...resnet, 'denseKD', 'TaskPool'];
const parts = [
  ...Object.entries({ core, resnet, dkd }).map(([name, names]) => [name, importing(names)]),
  ['learner', importing(dkd, "import { ContinualLearner } from 'engram/continual';\nconsole.log(ContinualLearner);\n")],
];

const everything = "import * as engram from 'engram';\nconsole.log({ ...engram });";
const further = packageEntries.flatMap(({ name }) => (name ? [name] : []));
const everythingAnd = (...names: readonly string[]): string =>
  [
    everything,
    ...names.map((name, i) => `import * as more${i} from 'engram/${name}';\nconsole.log({ ...more${i} });`),
  ].join('\n');

/** Each with all of those before it, up to the whole of the main entry; then this with each further entry, and with all. */
export const bundleCases: readonly BundleCase[] = [
  ...parts,
  ['everything', everything],
  ...further.map((name) => [`everything+${name}`, everythingAnd(name)]),
  ['all', everythingAnd(...further)],
].map(([name = '', contents = '']) => ({ name: `bundle/${name}`, bundle: () => bundle(contents) }));

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1).padStart(7)} kB`;

export const bundleLine = (name: string, { minified, gzip }: BundleResult, width: number): string =>
  `${name.padEnd(width)} ${kilobytes(minified)} minified ${kilobytes(gzip)} gzip`;

export const bundleJson = (name: string, result: BundleResult): string =>
  JSON.stringify({ name, ...result, date: new Date().toISOString().slice(0, 10) });
