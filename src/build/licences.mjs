/** The licences of packages whose code goes into a build: most ask to be handed on with it. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/**
 * The folder of the package that a file belongs to.
 * @param {string} input
 */
const packageOf = (input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];

/**
 * A paragraph a package: name, version, licence and its text.
 * @param {Iterable<string>} files whose code is in a build; those of packages lie in a `node_modules`.
 * @param {string} root what paths start from that are not absolute.
 * @throws {Error} when a package brings no text of its licence and names none.
 */
export async function licencesOf(files, root) {
  const folders = [...new Set([...files].map(packageOf))].filter((folder) => folder !== undefined).sort();
  const parts = await Promise.all(
    folders.map(async (folder) => {
      const at = resolve(root, folder);
      const { name, version, license } = JSON.parse(await readFile(join(at, 'package.json'), 'utf8'));
      const text = (await readdir(at)).find((entry) => /^licen[cs]e/i.test(entry));
      if (!text && !license) throw new Error(`${name} has no licence`);
      return `${name} ${version} (${license})\n\n${text ? (await readFile(join(at, text), 'utf8')).trim() : ''}\n`;
    }),
  );
  return parts.join('\n---\n\n');
}

/**
 * Writes them for a package.
 * @param {readonly import('esbuild').Metafile[]} metafiles
 * @param {string} root what paths in them start from
 * @param {string} file
 */
export async function writeLicences(metafiles, root, file) {
  const used = metafiles
    .flatMap(({ outputs }) => Object.values(outputs))
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([input]) => input);
  await writeFile(file, `This package contains code of the following packages.\n\n${await licencesOf(used, root)}`);
}
