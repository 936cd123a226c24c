/** WGSL without what only people read. Lines stay lines, so that a compiler's message still points somewhere. */

/** Loops that are written out before compiling are known by this very line (see src/gpu/wgsl/unrolled.ts). */
const UNROLLED = /^for \(.*\{ \/\/ unrolled$/;

const COMMENT = /\/\/.*|\/\*[\s\S]*?\*\//g;

/**
 * Blanks that no token needs: beside brackets and separators, and between a word and an operator. Those between two
 * operators stay, since `- -`, `/ *` and `> =` would become others.
 */
const NEEDLESS = / +(?=[,;:()[\]{}])|(?<=[,;:()[\]{}]) +|(?<=\w) +(?=[-+*/%&|^<>=!~@])|(?<=[-+*/%&|^<>=!~@]) +(?=\w)/g;

/**
 * A source without comments, indentation, empty lines and needless blanks; the text ends in a line break.
 * @param {string} source Block comments in it do not nest, and hold no `// unrolled`.
 */
export function shorter(source) {
  const lines = source.replace(COMMENT, (comment) => (comment === '// unrolled' ? comment : ' ')).split('\n');
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => `${UNROLLED.test(line) ? line : line.replace(/\s+/g, ' ').replace(NEEDLESS, '')}\n`)
    .join('');
}
