/** Checks one reference file by one way to run the kernels. It reads no files: a page does it as Node does. */
import { labelOf } from '../../src/gpu/wgsl/kernel.ts';
import { DeviceLostError, Engine, type Tensor } from '../../src/index.ts';
import { tapFamily } from '../../src/ops/conv2d/taps/family.ts';
import { matmulFamily } from '../../src/ops/matmul/family.ts';
import { addWideVariants } from '../../src/ops/matmul/wide-variants.ts';
import { preferVariant, variantsOf } from '../../src/ops/variants/kernel-variants.ts';
import { type Comparison, GoldenCase } from './golden-case.ts';
import { GOLDEN_CASES } from './golden-operations.ts';

// Not `error > tolerance`: that is false for NaN.
export const isMet = ({ error, tolerance }: Comparison): boolean => error <= tolerance;
/** Where nothing is tolerated, 0 / 0 would be neither more nor less than any other. */
const share = ({ error, tolerance }: Comparison): number => (error === 0 ? 0 : error / tolerance);

/** Worst of the comparisons: one that is not met, or else the one nearest to its tolerance. */
export const worstOf = (comparisons: readonly Comparison[]): Comparison =>
  comparisons.find((one) => Number.isNaN(one.error)) ?? comparisons.reduce((a, b) => (share(b) > share(a) ? b : a));

/** What became of a case. */
export interface Checked {
  /** Name of the operation; empty where the file did not say. */
  readonly operation: string;
  /** At least one, unless there is a `fault`. */
  readonly comparisons: readonly Comparison[];
  /** Why it could not be compared to its end. */
  readonly fault: string | null;
  /** The kernels that it launched, each once. */
  readonly kernels: readonly string[];
}

/** Runs `use`, notes the kernels that are launched meanwhile, and frees what it makes. */
async function watched<T>(engine: Engine, kernels: Set<string>, use: () => Promise<T>): Promise<T> {
  const made = new Set<Tensor>();
  engine.scopes.push(made as (typeof engine.scopes)[number]);
  engine.dispatch = (launch) => {
    kernels.add(labelOf(launch.kernel));
    Engine.prototype.dispatch.call(engine, launch);
  };
  try {
    return await use();
  } finally {
    Reflect.deleteProperty(engine, 'dispatch'); // the class's own is back
    engine.scopes.pop();
    for (const tensor of made) tensor.dispose();
  }
}

/**
 * Runs the case of a file and compares all that the file holds.
 * @throws {DeviceLostError} when the device is lost meanwhile.
 */
export async function checkCase(engine: Engine, bytes: Uint8Array, file: string): Promise<Checked> {
  let given: GoldenCase | null = null;
  const kernels = new Set<string>();
  const outcome = (fault: string | null): Checked => ({
    operation: given?.operation ?? '',
    comparisons: given?.comparisons ?? [],
    fault,
    kernels: [...kernels],
  });
  try {
    const opened = new GoldenCase(engine, bytes, file);
    given = opened;
    const run = Object.hasOwn(GOLDEN_CASES, opened.operation) ? GOLDEN_CASES[opened.operation] : undefined;
    if (!run) throw new Error(`unknown case "${opened.operation}"; known: ${Object.keys(GOLDEN_CASES).join(', ')}`);
    await watched(engine, kernels, () => run(opened));
    return outcome(opened.comparisons.length === 0 ? 'the file holds nothing to compare with' : null);
  } catch (error) {
    if (error instanceof DeviceLostError) throw error;
    return outcome((error as Error).message);
  }
}

/** A way to run every kernel. */
export interface Way {
  readonly name: string;
  readonly engine: Engine;
  /** Of matmul and convolution; by default the rule's. */
  readonly variant?: string;
}

/** The variants that may be preferred. Those of a convolution's weight gradient are called as those of its output. */
const families = (engine: Engine) => [
  { preference: matmulFamily.preference, known: variantsOf(engine, matmulFamily) },
  { preference: tapFamily.preference, known: variantsOf(engine, tapFamily) },
];

/** The adapter's own rules, every variant of matmul and convolution that it can run, and the rules for adapters of the other kind. */
export function waysToRun(engine: Engine): Way[] {
  addWideVariants(engine);
  const names = new Set(families(engine).flatMap(({ known }) => known.map(({ name }) => name)));
  const kind = engine.adapterKind === 'hardware' ? 'software' : 'hardware';
  return [
    { name: 'rules', engine },
    ...[...names].map((variant) => ({ name: variant, engine, variant })),
    { name: `rules for ${kind}`, engine: Engine.from(engine.device, { kind }) },
  ];
}

/** Lets the way's engine run kernels that way from now on, each family that has the variant. */
export function goThatWay({ engine, variant }: Way): void {
  for (const { preference, known } of families(engine)) {
    preferVariant(
      engine,
      preference,
      variant !== undefined && known.some(({ name }) => name === variant) ? variant : null,
    );
  }
}
