import { readFile } from 'node:fs/promises';

/** The values of a file with one on each line; none when there is no such file. */
export async function jsonLines(file: string): Promise<unknown[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}
