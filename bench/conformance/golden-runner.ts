/** Runs every golden file of a folder, by one variant of the kernels or by all: one line a case, one for the sum. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { environmentOptions } from '../../src/cli/environment.ts';
import { Engine } from '../../src/index.ts';
import { checkCase, goThatWay, isMet, waysToRun, worstOf } from './golden-check.ts';

const SUFFIX = '.safetensors';
const USAGE =
  'usage: npm run -s golden -- DIR [--variant NAME|all], where DIR is a folder of *.safetensors reference files';

/** The folder's files and the variant asked for, or why there are none. */
function askedFor(args: readonly string[]): { files: string[]; variant: string | undefined } | string {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      options: { variant: { type: 'string' } },
      allowPositionals: true,
      strict: true,
    });
    const [folder] = positionals;
    if (!folder || positionals.length > 1) return USAGE;
    const files = readdirSync(folder).filter((name) => name.endsWith(SUFFIX));
    if (files.length === 0) return `golden: there is no *${SUFFIX} file in ${folder}.`;
    return { files: files.sort().map((name) => join(folder, name)), variant: values.variant };
  } catch (error) {
    return `golden: ${(error as Error).message}. ${USAGE}`;
  }
}

async function verdict(engine: Engine, path: string): Promise<{ ok: boolean; text: string }> {
  const { operation, comparisons, fault } = await checkCase(engine, readFileSync(path), basename(path));
  if (fault !== null) return { ok: false, text: fault };
  const worst = worstOf(comparisons);
  const { tensor, error, tolerance } = worst;
  const text = `${operation}, ${comparisons.length} compared, worst ${error.toExponential(2)} (${tensor})`;
  return isMet(worst) ? { ok: true, text } : { ok: false, text: `${text}, at most ${tolerance} allowed` };
}

/** @returns the exit code: 0, 1 when a case failed, 2 when there is nothing to run. */
export async function golden(args: readonly string[], print: (line: string) => void): Promise<number> {
  const asked = askedFor(args);
  if (typeof asked === 'string') {
    print(asked);
    return 2;
  }
  const { files, variant = 'rules' } = asked;
  const engine = await Engine.create(environmentOptions());
  const all = waysToRun(engine);
  const variants = variant === 'all' ? all : all.filter(({ name }) => name === variant);
  if (variants.length === 0) {
    const known = all.map(({ name }) => `'${name}'`).join(', ');
    print(`golden: unknown variant '${variant}' for ${engine.adapterDescription}; there are ${known} and 'all'.`);
    await engine.destroy();
    return 2;
  }
  let failed = 0;
  for (const way of variants) {
    goThatWay(way);
    for (const path of files) {
      const { ok, text } = await verdict(way.engine, path);
      if (!ok) failed++;
      const by = variants.length > 1 ? ` by ${way.name}` : '';
      print(`${ok ? 'ok    ' : 'FAILED'} ${basename(path, SUFFIX)}${by}: ${text}`);
    }
  }
  print(`${files.length * variants.length - failed} passed, ${failed} failed`);
  await engine.destroy();
  return failed > 0 ? 1 : 0;
}
