/** `engram show`: runs in the terminal. */
import picocolors from 'picocolors';
import { terminalComparison } from '../report/terminal-comparison.ts';
import { terminalRun } from '../report/terminal-run.ts';
import { readRuns } from './read-run.ts';

/** As wide as text is where nobody looks; and less than that is no table. */
const [USUAL, LEAST] = [80, 40];

/**
 * Prints what the report says of a run, or of several side by side.
 * @throws {DataError} where there is no run, or its records are damaged.
 */
export async function show(folders: readonly string[]): Promise<void> {
  const records = (await readRuns(folders)).map(({ record }) => record);
  const { isTTY, columns = USUAL } = process.stdout;
  // Whoever reads from a pipe gets text alone, whatever the environment says of colours.
  const options = {
    columns: isTTY ? Math.max(LEAST, columns) : USUAL,
    colour: picocolors.isColorSupported && isTTY === true,
  };
  const [first] = records;
  console.log(records.length === 1 && first ? terminalRun(first, options) : terminalComparison(records, options));
}
