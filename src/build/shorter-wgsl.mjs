/** WGSL without what only people read. */
import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { WgslNames } from './wgsl-names.mjs';

/** Loops that are written out before compiling are known by this very line (see src/gpu/wgsl/unrolled.ts). */
const UNROLLED = /^for \(.*\{ \/\/ unrolled$/;

const COMMENT = /\/\/.*|\/\*[\s\S]*?\*\//g;

/**
 * Blanks that no token needs: beside brackets and separators, and between a word and an operator. Those between two
 * operators stay, since `- -`, `/ *` and `> =` would become others.
 */
const NEEDLESS = / +(?=[,;:()[\]{}])|(?<=[,;:()[\]{}]) +|(?<=\w) +(?=[-+*/%&|^<>=!~@])|(?<=[-+*/%&|^<>=!~@]) +(?=\w)/g;

/** What WGSL has a shorter name for. */
const TYPE = /\b(vec[234]|mat[234]x[234])<([fiu]32|f16)>/g;
const SUFFIX = new Map([
  ['f32', 'f'],
  ['f16', 'h'],
  ['i32', 'i'],
  ['u32', 'u'],
]);

/** @param {string} text */
const withoutComments = (text) => text.replace(COMMENT, (comment) => (comment === '// unrolled' ? comment : ' '));

/**
 * A source without comments, indentation, needless blanks and line breaks: a declaration is a line, so that a compiler's
 * message still points somewhere.
 * @param {string} source Block comments in it do not nest, and hold no `// unrolled`.
 */
export function shorter(source) {
  const lines = withoutComments(source)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  let text = '';
  let depth = 0;
  lines.forEach((line, i) => {
    depth += line.split(/[{(]/).length - line.split(/[})]/).length;
    const isLast = depth === 0 || UNROLLED.test(line) || UNROLLED.test(lines[i + 1] ?? '');
    text += `${line}${isLast ? '\n' : ' '}`;
  });
  return text.replace(/.+/g, (line) => (UNROLLED.test(line) ? line : withoutBlanks(line)));
}

/** @param {string} line */
const withoutBlanks = (line) =>
  line
    .replace(/\s+/g, ' ')
    .replace(TYPE, (_, type, element) => type + SUFFIX.get(element))
    .replace(NEEDLESS, '')
    .replace(/,(?=[)}])/g, '');

/**
 * Makes files shorter, those of a folder with short names in them.
 * @param {string} folder
 * @param {(text: string) => readonly { path: string }[]} importLines of a text
 * @returns {Promise<(text: string, name: string) => string>} `name` is the file's path from the folder.
 */
export async function shortener(folder, importLines) {
  const paths = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('.wgsl')).sort();
  const files = new Map();
  for (const path of paths) {
    const text = await readFile(join(folder, path), 'utf8');
    files.set(path.split(sep).join('/'), { text, imports: importLines(text).map((line) => line.path) });
  }
  const names = new WgslNames(files);
  return (text, name) => shorter(names.shortened(withoutComments(text), name));
}
