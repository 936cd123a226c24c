/** What a demo's runs say, and no more: which method knows most in the end, and whether that is more than chance. */
import type { MethodResult } from '../../report/comparison.ts';
import type { DemoDifference } from './sizes.ts';

/** How differences in last accuracy vary from order to order, and over how many orders that was measured. */
export interface Spread {
  readonly orders: number;
  readonly differences: readonly DemoDifference[];
}

export interface Verdict {
  /** In one sentence. */
  readonly headline: string;
  /** What is left of the first task, and what counts as chance. */
  readonly details: readonly string[];
}

const one = (value: number): string => value.toFixed(1);
const signed = (value: number): string => `${value > 0 ? '+' : ''}${one(value)}`;

/** By how much the first was ahead of the second when it was measured, and the std; none where it was not. */
function expected(a: MethodResult, b: MethodResult, { differences }: Spread): { mean: number; std: number } | null {
  const pair = [a.method, b.method];
  const found = differences.find(({ of, to }) => pair.includes(of) && pair.includes(to));
  if (!found) return null;
  return { mean: found.of === a.method ? found.mean : -found.mean, std: found.std };
}

/** Whether the first is ahead by two standard deviations or more of what a mean over so many orders varies by. */
function isAhead(a: MethodResult, b: MethodResult, spread: Spread): boolean {
  const std = expected(a, b, spread)?.std ?? Number.POSITIVE_INFINITY;
  const gap = a.last - b.last;
  return gap > 0 && gap >= (2 * std) / Math.sqrt(a.runs);
}

/** @param results of one demo: three methods, as many orders each. @param classes learnt in all. */
export function verdict(results: readonly MethodResult[], classes: number, spread: Spread): Verdict {
  const ranked = [...results].sort((a, b) => b.last - a.last);
  const numbers = ranked.map(({ method, last }) => `${method} ${one(last)} %`).join(', ');
  const left = ranked.map(({ method, firstTask }) => `${method} ${one(firstTask.at(-1) ?? 0)} %`).join(', ');
  const learnt = Math.max(...ranked.map(({ firstTask }) => firstTask[0] ?? 0));
  return {
    headline: `${lead(ranked, spread)}: of all ${classes} classes, in the end, ${numbers}.`,
    details: [`Left of the first task, of ${one(learnt)} %: ${left}.`, chance(ranked, spread)],
  };
}

function lead(ranked: readonly MethodResult[], spread: Spread): string {
  const [best, second, worst] = ranked as [MethodResult, MethodResult, MethodResult];
  const [first, then] = [isAhead(best, second, spread), isAhead(second, worst, spread)];
  if (first && then) return `${best.method} knows most, ${worst.method} least`;
  if (first) return `${best.method} knows most; ${second.method} and ${worst.method} are within chance of each other`;
  if (then) return `${best.method} and ${second.method} are within chance of each other, ${worst.method} knows least`;
  if (isAhead(best, worst, spread))
    return `${best.method} knows more than ${worst.method}; ${second.method} is within chance of both`;
  return 'The methods are within chance of each other';
}

/** The gaps between neighbours, next to two standard deviations of such a gap and to its mean as measured before. */
function chance(ranked: readonly MethodResult[], spread: Spread): string {
  const runs = ranked[0]?.runs ?? 1;
  const gaps = ranked.slice(1).flatMap((worse, index) => {
    const better = ranked[index];
    const usual = better && expected(better, worse, spread);
    if (!usual) return [];
    const bound = (2 * usual.std) / Math.sqrt(runs);
    const before = `${spread.orders} orders before: ${signed(usual.mean)}`;
    return [
      `${better.method} − ${worse.method} ${signed(better.last - worse.last)} (chance ± ${one(bound)}; ${before})`,
    ];
  });
  const times = runs === 1 ? 'one order' : `${runs} orders`;
  return `Points apart in ${times}: ${gaps.join(', ')}.`;
}
