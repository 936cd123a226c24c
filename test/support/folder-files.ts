/** What tests do to the files of a run's folder, and see of them. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { readBenchmarkState } from '../../src/continual/benchmark/benchmark-state.ts';
import { readSafetensors } from '../../src/nn/safetensors.ts';

/** What it said, line by line, but for the bare facts that every run says. */
export async function said(command: () => Promise<unknown>): Promise<string[]> {
  const { log } = console;
  const lines: string[] = [];
  console.log = (line: string) => lines.push(line);
  try {
    await command();
  } finally {
    console.log = log;
  }
  return lines.map(stripVTControlCharacters).filter((line) => !/^(folder|task) /.test(line));
}

/** Every file below a folder with its content. */
export const snapshot = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name)).toString('base64')])
    .sort();

export const halve = (file: string) => writeFileSync(file, readFileSync(file).subarray(0, statSync(file).size / 2));
/** A bit of the last number in a file. */
export const flipBit = (file: string) => {
  const bytes = readFileSync(file);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(file, bytes);
};
export const benchmarkOf = (file: string) => readBenchmarkState(readSafetensors(readFileSync(file)).metadata, file);
