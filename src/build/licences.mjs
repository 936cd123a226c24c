/** The licences of packages whose code goes into a build: most ask to be handed on with it. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The folder of the package that a file belongs to.
 * @param {string} input
 */
const packageOf = (input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];

/**
 * Writes a paragraph a package: name, version, licence and its text.
 * @param {readonly import('esbuild').Metafile[]} metafiles
 * @param {string} root what paths in them start from
 * @param {string} file
 * @throws {Error} when a package brings no text of its licence and names none.
 */
export async function writeLicences(metafiles, root, file) {
  const used = metafiles
    .flatMap(({ outputs }) => Object.values(outputs))
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([input]) => packageOf(input));
  const folders = [...new Set(used)].filter((folder) => folder !== undefined).sort();
  const parts = await Promise.all(
    folders.map(async (folder) => {
      const { name, version, license } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
      const text = (await readdir(join(root, folder))).find((entry) => /^licen[cs]e/i.test(entry));
      if (!text && !license) throw new Error(`${name} has no licence`);
      return `${name} ${version} (${license})\n\n${text ? (await readFile(join(root, folder, text), 'utf8')).trim() : ''}\n`;
    }),
  );
  await writeFile(file, `This package contains code of the following packages.\n\n${parts.join('\n---\n\n')}`);
}
