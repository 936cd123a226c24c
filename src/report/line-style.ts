/** How lines are told apart. */
import type * as Plot from '@observablehq/plot';

/** How many colours the page defines as `--line-0`, `--line-1` …; further lines are dashed. */
export const lineColours = 8;

const dashes = ['', '6 3', '2 3', '8 3 2 3'];
const symbols: readonly Plot.SymbolType[] = ['circle', 'square', 'triangle', 'diamond'];

export interface LineStyle {
  label: string;
  colour: string;
  dash: string;
  /** Of its points. */
  symbol: Plot.SymbolType;
}

/** One style a label, in order of appearance. */
export function lineStyles(labels: readonly string[]): LineStyle[] {
  return [...new Set(labels)].map((label, index) => ({
    label,
    colour: `var(--line-${index % lineColours})`,
    dash: dashes[Math.floor(index / lineColours) % dashes.length]!,
    symbol: symbols[index % symbols.length]!,
  }));
}
