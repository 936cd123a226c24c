/** Runs every golden file of a folder, by one variant of the kernels or by all: one line a case, one for the sum. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { environmentOptions } from '../../src/cli/environment.ts';
import { Engine } from '../../src/index.ts';
import { tapFamily } from '../../src/ops/conv2d/taps/family.ts';
import { matmulFamily } from '../../src/ops/matmul/family.ts';
import { addWideVariants } from '../../src/ops/matmul/wide-variants.ts';
import { preferVariant, variantsOf } from '../../src/ops/variants/kernel-variants.ts';
import { type Comparison, GoldenCase } from './golden-case.ts';
import { GOLDEN_CASES } from './golden-operations.ts';

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

// Not `error > tolerance`: that is false for NaN.
const isMet = ({ error, tolerance }: Comparison): boolean => error <= tolerance;
/** Where nothing is tolerated, 0 / 0 would be neither more nor less than any other. */
const share = ({ error, tolerance }: Comparison): number => (error === 0 ? 0 : error / tolerance);

/** Worst of the comparisons: one that is not met, or else the one nearest to its tolerance. */
const worstOf = (comparisons: readonly Comparison[]): Comparison =>
  comparisons.find((one) => Number.isNaN(one.error)) ?? comparisons.reduce((a, b) => (share(b) > share(a) ? b : a));

async function verdict(engine: Engine, path: string): Promise<{ ok: boolean; text: string }> {
  try {
    const given = new GoldenCase(engine, readFileSync(path), basename(path));
    const run = Object.hasOwn(GOLDEN_CASES, given.operation) ? GOLDEN_CASES[given.operation] : undefined;
    if (!run) throw new Error(`unknown case "${given.operation}"; known: ${Object.keys(GOLDEN_CASES).join(', ')}`);
    await run(given);
    if (given.comparisons.length === 0) throw new Error('the file holds nothing to compare with');
    const worst = worstOf(given.comparisons);
    const { tensor, error, tolerance } = worst;
    const text = `${given.operation}, ${given.comparisons.length} compared, worst ${error.toExponential(2)} (${tensor})`;
    return isMet(worst) ? { ok: true, text } : { ok: false, text: `${text}, at most ${tolerance} allowed` };
  } catch (error) {
    return { ok: false, text: (error as Error).message };
  }
}

/** A way to run every kernel. */
interface Variant {
  readonly name: string;
  readonly engine: Engine;
  /** Of matmul and convolution; by default the rule's. */
  readonly variant?: string;
}

/** The adapter's own rules, every variant of matmul and convolution that it can run, and the rules for adapters of the other kind. */
function waysToRun(engine: Engine): Variant[] {
  addWideVariants(engine);
  const variants = [...variantsOf(engine, tapFamily), ...variantsOf(engine, matmulFamily)];
  const names = [...new Set(variants.map(({ name }) => name))];
  const kind = engine.adapterKind === 'hardware' ? 'software' : 'hardware';
  return [
    { name: 'rules', engine },
    ...names.map((variant) => ({ name: variant, engine, variant })),
    { name: `rules for ${kind}`, engine: Engine.from(engine.device, { kind }) },
  ];
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
  for (const { name, engine: on, variant = null } of variants) {
    const families = [
      { preference: matmulFamily.preference, known: variantsOf(on, matmulFamily) },
      { preference: tapFamily.preference, known: variantsOf(on, tapFamily) },
    ];
    for (const { preference, known } of families) {
      preferVariant(on, preference, known.some(({ name }) => name === variant) ? variant : null);
    }
    for (const path of files) {
      const { ok, text } = await verdict(on, path);
      if (!ok) failed++;
      const by = variants.length > 1 ? ` by ${name}` : '';
      print(`${ok ? 'ok    ' : 'FAILED'} ${basename(path, SUFFIX)}${by}: ${text}`);
    }
  }
  print(`${files.length * variants.length - failed} passed, ${failed} failed`);
  await engine.destroy();
  return failed > 0 ? 1 : 0;
}
