/**
 * Packages that the package carries instead of depending on them. Installed they would weigh several times the engine
 * itself, most of it in files that nothing here reads. Their licences go into `third-party.txt`.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export const VENDORED = [
  'd3-dsv',
  'env-paths',
  'fastest-levenshtein',
  'fflate/browser',
  'fzstd',
  'hyparquet',
  'idb-keyval',
  'image-dimensions',
  'modern-tar/fs',
  'p-limit',
  'pbf',
  'valibot',
  'wgpu-matrix',
];

/**
 * The file of a vendored package, from the folder of the build.
 * @param {string} name
 */
export const vendoredPath = (name) => `vendor/${name.replace('/', '-')}`;

const IMPORT = /^import (?:type )?(?:\* as (\w+)|(\w+)|\{([^}]*)\}) from '([^']+)';$/gm;

/** The library's and the command line's; the site is an app, and bundled by itself. @param {string} folder */
async function texts(folder) {
  const paths = (await readdir(folder, { recursive: true })).filter(
    (path) => path.endsWith('.ts') && !/^web[\\/]/.test(path),
  );
  return Promise.all(paths.map((path) => readFile(join(folder, path), 'utf8')));
}

/**
 * The members of a value that the sources use, in order.
 * @param {string} sources folder
 * @param {string} value its name
 */
export async function membersUsed(sources, value) {
  const uses = (await texts(sources)).flatMap((text) => [...text.matchAll(new RegExp(`\\b${value}\\.(\\w+)`, 'g'))]);
  return [...new Set(uses.map(([, name = '']) => name))].sort();
}

/**
 * A module for each vendored package, which exports what the sources use of it.
 * @param {string} sources folder
 * @returns {Promise<Map<string, string>>} by the package's name
 */
export async function vendoredModules(sources) {
  /** @type {Map<string, Set<string>>} */
  const used = new Map(VENDORED.map((name) => [name, new Set()]));
  for (const text of await texts(sources)) {
    for (const [, namespace, whole, names = '', from = ''] of text.matchAll(IMPORT)) {
      const found = used.get(from);
      if (whole) found?.add('default');
      else if (namespace)
        for (const [, name = ''] of text.matchAll(new RegExp(`\\b${namespace}\\.(\\w+)`, 'g'))) found?.add(name);
      else for (const name of names.split(',')) if (!/^\s*type /.test(name)) found?.add(name.trim());
    }
  }
  for (const [name, names] of used) {
    // Types are used too, and no exports.
    const exported = await import(name);
    for (const one of names) if (!(one in exported)) names.delete(one);
  }
  return new Map([...used].map(([name, names]) => [name, `export { ${[...names].join(', ')} } from '${name}';`]));
}
