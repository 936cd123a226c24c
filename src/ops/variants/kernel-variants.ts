/**
 * One kernel family, several variants: what is fast on a GPU is slow on a CPU rasterizer and the other way round. Of those
 * that the engine supports and that fit the work, one preferred by name goes first, then the one that the tuner measured
 * to be the fastest, then the rule: the first in order. The variant `tiled` runs anywhere and fits anything.
 *
 * A variant launches nothing: its family asks it for a plan, binds the buffers and launches.
 */
import { ArgumentError } from '../../errors.ts';
import type { Runtime } from '../../gpu/runtime.ts';
import { tunerOf } from '../../gpu/tuning/tuners.ts';

export interface KernelVariant<Work> {
  readonly name: string;
  /** Whether the engine's device can run this variant, and it may be worth it there. */
  supports(engine: Runtime): boolean;
  /** Whether the variant can do this piece of work; by default it can. */
  fits?(work: Work, engine: Runtime): boolean;
  /** Whether it may be the fastest on such an adapter, so that the tuner should measure it; by default it may. */
  isPromising?(engine: Runtime): boolean;
}

export interface KernelFamily<Work extends object, Variant extends KernelVariant<Work>> {
  readonly name: string;
  /** What {@link preferVariant} calls it. */
  readonly preference: string;
  /** Best first; engines may have more, see {@link variantsOf}. */
  readonly variants: readonly Variant[];
  flopsOf(work: Work): number;
  /** The work for people. */
  describe(work: Work): string;
  /** Operands of its own for the work, to launch it on by any variant. */
  rehearse(engine: Runtime, work: Work): { launch(variant: Variant): void; dispose(): void };
}

/** Variants that were added to engines, by the name of their family. */
const added = new WeakMap<Runtime, Map<string, readonly KernelVariant<never>[]>>();

/**
 * Gives an engine more variants of a family, each once. They come last: only the tuner or a preference chooses them. The family is named,
 * not given: whoever adds variants to several carries no other variant of them.
 */
export function addVariants<Work>(engine: Runtime, family: string, variants: readonly KernelVariant<Work>[]): void {
  const byFamily = added.get(engine) ?? new Map<string, readonly KernelVariant<never>[]>();
  const known = byFamily.get(family) ?? [];
  added.set(engine, byFamily.set(family, [...known, ...variants.filter((variant) => !known.includes(variant))]));
}

/** The variants of a family that the engine's device can run, best first. */
export function variantsOf<Work extends object, Variant extends KernelVariant<Work>>(
  engine: Runtime,
  family: KernelFamily<Work, Variant>,
): Variant[] {
  const more = (added.get(engine)?.get(family.name) ?? []) as readonly unknown[] as readonly Variant[];
  return [...family.variants, ...more].filter((variant) => variant.supports(engine));
}

const preferences = new WeakMap<Runtime, Map<string, string>>();

/**
 * Makes an engine use one variant from now on, wherever it fits; `null` goes back to tuned variants and the rule.
 * @param family `matmul` or `conv2d`.
 * @param variant For example `lanes` or `tiled`.
 */
export function preferVariant(engine: Runtime, family: string, variant: string | null): void {
  const names = preferences.get(engine) ?? new Map<string, string>();
  preferences.set(engine, names);
  if (variant === null) names.delete(family);
  else names.set(family, variant);
}

/** The work as text: equal for equal work. */
const keyOf = (work: object): string =>
  Object.entries(work)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(' ');

/**
 * The variant that does this piece of work.
 * @throws {ArgumentError} when the preferred variant is unknown or not possible on this device.
 */
export function chooseVariant<Work extends object, Variant extends KernelVariant<Work>>(
  engine: Runtime,
  family: KernelFamily<Work, Variant>,
  work: Work,
): Variant {
  const wanted = preferences.get(engine)?.get(family.preference);
  const possible = variantsOf(engine, family);
  if (wanted !== undefined && !possible.some(({ name }) => name === wanted)) {
    throw new ArgumentError({
      where: family.name,
      message: `there is no variant ${wanted} for the device ${engine.adapterDescription}; it can run ${possible.map(({ name }) => name).join(', ')}.`,
    });
  }
  const fitting = possible.filter((variant) => variant.fits?.(work, engine) ?? true);
  const named = (name: string | undefined) => fitting.find((variant) => variant.name === name);
  return named(wanted) ?? named(tunedVariant(engine, family, work, fitting)) ?? (fitting[0] as Variant);
}

/** The tuner's choice, if it has one; the tuner takes note of the work if it is about to choose. */
function tunedVariant<Work extends object, Variant extends KernelVariant<Work>>(
  engine: Runtime,
  family: KernelFamily<Work, Variant>,
  work: Work,
  variants: readonly Variant[],
): string | undefined {
  const tuner = tunerOf(engine);
  const candidates = tuner ? variants.filter((variant) => variant.isPromising?.(engine) ?? true) : [];
  if (!tuner || candidates.length < 2) return undefined;
  const key = keyOf(work);
  if (tuner.isNoting) {
    tuner.note({
      family: family.name,
      key,
      work: family.describe(work),
      flops: family.flopsOf(work),
      variants: candidates.map(({ name }) => name),
      rehearse() {
        const { launch, dispose } = family.rehearse(engine, work);
        return { launch: (name) => launch(variants.find((variant) => variant.name === name) as Variant), dispose };
      },
    });
  }
  return tuner.variantOf(family.name, key);
}
