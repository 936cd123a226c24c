/** Runs every golden file of a folder: one line a case, one for the sum. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Engine } from '../src/index.ts';
import { type Comparison, GoldenCase } from './golden-case.ts';
import { GOLDEN_CASES } from './golden-operations.ts';

const SUFFIX = '.safetensors';
const USAGE = 'usage: npm run -s golden -- DIR, a folder of *.safetensors reference files';

/** The folder's files, or why there are none. */
function filesIn(args: readonly string[]): string[] | string {
  try {
    const { positionals } = parseArgs({ args: [...args], allowPositionals: true, strict: true });
    const [folder] = positionals;
    if (!folder || positionals.length > 1) return USAGE;
    const files = readdirSync(folder).filter((name) => name.endsWith(SUFFIX));
    if (files.length === 0) return `golden: there is no *${SUFFIX} file in ${folder}.`;
    return files.sort().map((name) => join(folder, name));
  } catch (error) {
    return `golden: ${(error as Error).message}. ${USAGE}`;
  }
}

/** Worst of the comparisons: the one nearest to its tolerance, or furthest beyond it. */
const worstOf = (comparisons: readonly Comparison[]): Comparison =>
  comparisons.reduce((a, b) => (b.error / b.tolerance > a.error / a.tolerance ? b : a));

async function verdict(engine: Engine, path: string): Promise<{ ok: boolean; text: string }> {
  try {
    const given = new GoldenCase(engine, readFileSync(path), basename(path));
    const run = Object.hasOwn(GOLDEN_CASES, given.operation) ? GOLDEN_CASES[given.operation] : undefined;
    if (!run) throw new Error(`unknown case "${given.operation}"; known: ${Object.keys(GOLDEN_CASES).join(', ')}`);
    await run(given);
    if (given.comparisons.length === 0) throw new Error('the file holds nothing to compare with');
    const { tensor, error, tolerance } = worstOf(given.comparisons);
    const text = `${given.operation}, ${given.comparisons.length} compared, worst ${error.toExponential(2)} (${tensor})`;
    // Not `error > tolerance`: that is false for NaN.
    return error <= tolerance ? { ok: true, text } : { ok: false, text: `${text}, at most ${tolerance} allowed` };
  } catch (error) {
    return { ok: false, text: (error as Error).message };
  }
}

/** @returns the exit code: 0, 1 when a case failed, 2 when there is nothing to run. */
export async function golden(args: readonly string[], print: (line: string) => void): Promise<number> {
  const files = filesIn(args);
  if (typeof files === 'string') {
    print(files);
    return 2;
  }
  const engine = await Engine.create();
  let failed = 0;
  for (const path of files) {
    const { ok, text } = await verdict(engine, path);
    if (!ok) failed++;
    print(`${ok ? 'ok    ' : 'FAILED'} ${basename(path, SUFFIX)}: ${text}`);
  }
  print(`${files.length - failed} passed, ${failed} failed`);
  await engine.destroy();
  return failed > 0 ? 1 : 0;
}
