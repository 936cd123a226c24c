/** Analysed runs in the terminal: a line a figure, a column a group of runs. */
import picocolors from 'picocolors';
import type { AnalysisRecord } from '../analysis/run/analysis-record.ts';
import { printable } from '../gpu/printable.ts';
import { type AnalysisGroup, groupRecords, spreadOf, spreadText, unlikeNote } from './analysis-groups.ts';
import { PART_TITLES, quantitiesOf } from './analysis-quantities.ts';
import { type TableOptions, tableOf } from './table.ts';

/** Groups side by side; further ones come in a table below. */
const ABREAST = 3;

/**
 * Means over the runs of each group, and behind ± standard deviations.
 * @param records at least one.
 */
export function analysisTable(records: readonly AnalysisRecord[], options: TableOptions = {}): string {
  const colours = picocolors.createColors(options.colour ?? picocolors.isColorSupported);
  const groups = groupRecords(records);
  const quantities = quantitiesOf(records);
  const tables: string[] = [];
  for (let first = 0; first < groups.length; first += ABREAST) {
    const abreast = groups.slice(first, first + ABREAST);
    const table = tableOf(['', ...abreast.map(nameOf)].map(colours.bold), 'left');
    for (const [i, { part, name, text, of }] of quantities.entries()) {
      if (part !== quantities[i - 1]?.part) {
        table.push([{ colSpan: abreast.length + 1, content: colours.dim(PART_TITLES[part]) }]);
      }
      table.push([`  ${name}`, ...abreast.map((group) => spreadText(spreadOf(group.records.map(of)), text))]);
    }
    tables.push(table.toString());
  }
  const unlike = unlikeNote(records);
  return [...tables, ...(unlike === null ? [] : [unlike])].join('\n');
}

const nameOf = ({ label, records }: AnalysisGroup): string =>
  printable(records.length > 1 ? `${label}, ${records.length} runs` : label);
