/** The figures of runs as text to copy: Markdown, and LaTeX with booktabs. */
import type { RunRecord } from '../continual/benchmark/run-record.ts';
import { printable } from '../gpu/printable.ts';
import { groupFigures, groupRuns, runsText } from './run-groups.ts';
import type { Mean } from './statistics.ts';
import { markdownTable, meanText } from './statistics-text.ts';

const HEAD = ['runs', 'average, %', 'last, %', 'forgetting'];

const figuresOf = (records: readonly RunRecord[], text: (mean: Mean) => string): string[] => {
  const figures = groupFigures(records);
  const { average, last, forgetting } = figures;
  return [runsText(figures, records), ...[average, last, forgetting].map(text)];
};

/** A line a group of runs that differ by seed and class order alone: means ± standard deviations. */
export function runsMarkdown(records: readonly RunRecord[]): string {
  const rows = groupRuns(records).map(({ label, records: own }) => [
    printable(label),
    ...figuresOf(own, (mean) => meanText(mean)),
  ]);
  return markdownTable(['method', ...HEAD], rows);
}

const LATEX: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '−': '$-$',
};

/** Text as LaTeX prints it. */
const escaped = (text: string): string =>
  printable(text).replace(/[\\~^−&%$#_{}]/g, (character) => LATEX[character] ?? `\\${character}`);

const latexMean = (mean: Mean): string => meanText(mean).replace(' ± ', ' $\\pm$ ').replaceAll('−', '$-$');

/** The same for a paper. */
export function runsLatex(records: readonly RunRecord[]): string {
  const rows = groupRuns(records).map(({ label, records: own }) => [escaped(label), ...figuresOf(own, latexMean)]);
  const line = (cells: readonly string[]) => `${cells.join(' & ')} \\\\`;
  return [
    '% \\usepackage{booktabs}',
    '\\begin{tabular}{lrrrr}',
    '\\toprule',
    line(['method', ...HEAD].map(escaped)),
    '\\midrule',
    ...rows.map(line),
    '\\bottomrule',
    '\\end{tabular}',
  ].join('\n');
}
