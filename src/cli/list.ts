/** Lists for the terminal: names on the left, what is said of each beside it. */
import { wrap } from '../report/wrap.ts';

export interface Entry {
  readonly name: string;
  /** Each begins on a line of its own. */
  readonly texts: readonly string[];
}

/** Columns that texts are to have at least; with fewer they stand below the name. */
const LEAST = 30;

/**
 * Texts broken between words.
 * @param paint what is done to each line of a text, told by its place among the entry's.
 */
export function list(
  entries: readonly Entry[],
  columns: number,
  paint = (line: string, _text: number) => line,
): string {
  const beside = Math.max(...entries.map(({ name }) => name.length)) + 4;
  const isNarrow = columns - beside < LEAST;
  const indent = isNarrow ? 4 : beside;
  return entries
    .flatMap(({ name, texts }) => {
      const lines = texts.flatMap((text, at) => wrap(text, columns - indent).map((line) => paint(line, at)));
      if (isNarrow) return [`  ${name}`, ...lines.map((line) => `${' '.repeat(indent)}${line}`)];
      return lines.map((line, i) => `${`  ${i === 0 ? name : ''}`.padEnd(indent)}${line}`);
    })
    .join('\n');
}
