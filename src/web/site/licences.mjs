/** The licences of what the site carries, in a file of it: most ask to be handed on with the code. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { licencesOf } from '../../build/licences.mjs';

/** Where pages link to. */
export const LICENCES = 'licences.txt';

/** Notes the files whose code goes into pages and workers. */
export class Licences {
  /** @type {Set<string>} */
  #files = new Set();

  /** @returns {import('vite').Plugin} one for each of the builds, of pages and of every worker. */
  plugin() {
    return {
      name: 'licences',
      generateBundle: (_, bundle) => {
        for (const part of Object.values(bundle)) {
          if (part.type !== 'chunk') continue;
          // What plugins make begins with a null byte; queries say in what form a file is imported.
          for (const id of part.moduleIds) if (!id.startsWith('\0')) this.#files.add(id.replace(/\?.*$/, ''));
        }
      },
    };
  }

  /**
   * @param {string} folder of the site
   * @param {string} packages where the project's own were unpacked: these name what they carry themselves.
   */
  async write(folder, packages) {
    const carried = await readFile(join(packages, 'node_modules/engram/dist/third-party.txt'), 'utf8');
    const own = await licencesOf(this.#files, folder);
    await writeFile(
      join(folder, LICENCES),
      `This site contains code of the following packages.\n\n${own}\n---\n\nWithin engram: ${carried}`,
    );
  }
}
