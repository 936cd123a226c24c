/**
 * Loops that are written out before a kernel is compiled. An adapter's compiler unrolls by rules of its own, and what a
 * loop that it leaves does to an array goes through memory instead of registers, many times slower.
 */
import type { Constants } from './constants.ts';
import { endOfBlock } from './text.ts';

const LOOP = /for \(var (\w+) = (\w+); \1 < (\w+); \1\+\+\) \{ \/\/ unrolled\n/;

/** A bound of a loop: a number or an injected constant. */
function numberOf(bound: string, constants: Constants): number {
  const value = /^\d+u$/.test(bound) ? Number.parseInt(bound, 10) : constants[bound];
  if (typeof value === 'number') return value;
  throw new Error(`A loop to be unrolled is bound by ${bound}, which is neither a number nor an injected constant.`);
}

/**
 * Every `for (var i = A; i < B; i++) { // unrolled` as a block for each turn, with numbers in the place of `i`.
 * @throws {Error} for a bound that is not known here.
 */
export function unrolled(source: string, constants: Constants): string {
  const loop = LOOP.exec(source);
  if (!loop) return source;
  const [head, variable, ...bounds] = loop as unknown as [string, string, string, string];
  const [first, last] = bounds.map((bound) => numberOf(bound, constants)) as [number, number];
  const begin = loop.index + head.length;
  const end = endOfBlock(source, begin);
  const use = new RegExp(`(?<!\\.)\\b${variable}\\b`, 'g');
  const blocks = Array.from(
    { length: Math.max(0, last - first) },
    (_, turn) => `{\n${source.slice(begin, end).replace(use, `${first + turn}u`)}`,
  );
  return unrolled(source.slice(0, loop.index) + blocks.join(' ') + source.slice(end), constants);
}
