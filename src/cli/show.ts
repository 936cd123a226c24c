/** `engram show`: runs in the terminal. */
import picocolors from 'picocolors';
import { terminalComparison } from '../report/terminal-comparison.ts';
import { terminalRun } from '../report/terminal-run.ts';
import { columnsOf, isUnlimited } from './columns.ts';
import { readRuns } from './read-run.ts';

/** Less than that is no table. */
const LEAST = 40;

/**
 * Prints what the report says of a run, or of several side by side; or their records, a line each.
 * @throws {DataError} where there is no run, or its records are damaged.
 */
export async function show(folders: readonly string[], { json = false }: { json?: boolean } = {}): Promise<void> {
  const records = (await readRuns(folders)).map(({ record }) => record);
  if (json) {
    console.log(records.map((record) => JSON.stringify(record)).join('\n'));
    return;
  }
  // Whoever reads from a pipe gets text alone, whatever the environment says of colours.
  const options = {
    columns: Math.max(LEAST, columnsOf()),
    wholeTables: isUnlimited(),
    colour: picocolors.isColorSupported && process.stdout.isTTY === true,
  };
  const [first] = records;
  console.log(records.length === 1 && first ? terminalRun(first, options) : terminalComparison(records, options));
}
