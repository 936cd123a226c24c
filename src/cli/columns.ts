/** How wide what is printed may be. */

/** As wide as text is where nobody looks. */
const USUAL = 80;

/** What the environment asks for where the output is no terminal; `undefined` where it does not. */
function asked(): number | undefined {
  const columns = Number(process.env.COLUMNS);
  return process.stdout.isTTY || !Number.isInteger(columns) || columns <= 0 ? undefined : columns;
}

/** Characters a line: the terminal's, or elsewhere those of the variable COLUMNS, or 80. */
export const columnsOf = (): number => asked() ?? (process.stdout.columns || USUAL);

/** Whether nothing limits a table: the output goes to a pipe or a file, and COLUMNS does not say how wide it is read. */
export const isUnlimited = (): boolean => !process.stdout.isTTY && asked() === undefined;
