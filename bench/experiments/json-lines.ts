import { readFile } from 'node:fs/promises';

/** The lines of a file that hold something; none when there is no such file. */
export async function textLines(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean);
}

/** The values of a file with one on each line; none when there is no such file. */
export const jsonLines = async (file: string): Promise<unknown[]> =>
  (await textLines(file)).map((line) => JSON.parse(line));
