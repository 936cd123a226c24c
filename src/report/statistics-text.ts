/** Means and differences in words of a table. */
import type { Mean, PairedDifference } from './statistics.ts';

const number = (value: number): string => value.toFixed(1).replace('-', '−');
const spread = (value: number): string => (Number.isNaN(value) ? '' : ` ± ${number(value)}`);

/** A mean with the standard deviation of its runs; nothing where there is no run. */
export const meanText = ({ runs, mean, std }: Mean): string => (runs === 0 ? '' : `${number(mean)}${spread(std)}`);

/** A difference with its standard error, and how many pairs are ahead and behind. */
export function differenceText({ runs, mean, error, ahead, behind }: PairedDifference): string {
  if (runs === 0) return '';
  const signed = `${mean > 0 ? '+' : ''}${number(mean)}`;
  return `${signed}${spread(error)} (${ahead}:${behind})`;
}

/** A table in Markdown, its first column on the left, the others on the right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [row(head), row(head.map((_, column) => (column === 0 ? ':--' : '--:'))), ...rows.map(row)].join('\n');
}
