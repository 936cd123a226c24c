/** Means and differences in words of a table. */
import type { Mean, PairedDifference } from './statistics.ts';

const number = (value: number): string => value.toFixed(1).replace('-', '−');
const spread = (value: number, text = number): string => (Number.isNaN(value) ? '' : ` ± ${text(value)}`);

/** A mean with the standard deviation of its runs, to one digit where no other text is asked for; nothing where there is no run. */
export const meanText = ({ runs, mean, std }: Mean, text = number): string =>
  runs === 0 ? '' : `${text(mean)}${spread(std, text)}`;

/** A difference: `+1.2`, `−0.4`. */
export const signed = (value: number, text = number): string => `${value > 0 ? '+' : ''}${text(value)}`;

/** A difference with its standard error, and in how many orders, or seeds, it is ahead and behind. */
export function differenceText({ runs, mean, error, ahead, behind }: PairedDifference, text = number): string {
  if (runs === 0) return '';
  return `${signed(mean, text)}${spread(error, text)} (${ahead}:${behind})`;
}

/** A table in Markdown, its first column on the left, the others on the right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [row(head), row(head.map((_, column) => (column === 0 ? ':--' : '--:'))), ...rows.map(row)].join('\n');
}
