/**
 * One kernel family, several variants: what is fast on a GPU is slow on a CPU rasterizer and the other way round. Of those
 * that the engine supports and that fit the work, one preferred by name goes first, then the one that the tuner measured
 * to be the fastest, then the rule: the first in order. The variant `tiled` runs anywhere and fits anything.
 */

import { ArgumentError } from '../../errors.ts';
import type { Runtime } from '../../gpu/runtime.ts';
import { tunerOf } from '../../gpu/tuning/tuners.ts';

export interface KernelVariant<Work> {
  readonly name: string;
  /** Whether the engine's device can run this variant, and it may be worth it there. */
  supports(engine: Runtime): boolean;
  /** Whether the variant can do this piece of work; any unless said. */
  fits?(work: Work, engine: Runtime): boolean;
  /** Whether it may be the fastest on such an adapter, so that the tuner should measure it; unless said, it may. */
  isPromising?(engine: Runtime): boolean;
}

export interface KernelFamily<Work extends object, Variant extends KernelVariant<Work>> {
  readonly name: string;
  /** What {@link preferVariant} calls it. */
  readonly preference: string;
  /** Best first. */
  readonly variants: readonly Variant[];
  flopsOf(work: Work): number;
  /** The work for people. */
  describe(work: Work): string;
  /** Operands of its own for the work, to launch it on by any variant. */
  rehearse(engine: Runtime, work: Work): { launch(variant: Variant): void; dispose(): void };
}

const preferences = new WeakMap<Runtime, Map<string, string>>();

/**
 * Makes an engine use one variant from now on, wherever it fits; `null` goes back to tuned variants and the rule.
 * @param family `matmul` or `conv2d`. @param variant for example `lanes` or `tiled`.
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

/** @throws ArgumentError when the preferred variant is unknown or not possible on this device. */
export function chooseVariant<Work extends object, Variant extends KernelVariant<Work>>(
  engine: Runtime,
  family: KernelFamily<Work, Variant>,
  work: Work,
): Variant {
  const wanted = preferences.get(engine)?.get(family.preference);
  const possible = family.variants.filter((variant) => variant.supports(engine));
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

/**
 * Size of the subgroups of a software adapter, whose subgroups are the vectors of the CPU; 0 where kernels cannot rely
 * on it. Vectors of four gain too little for what SwiftShader takes to compile such kernels (11 s of CPU time for one),
 * and lavapipe does not unroll their loops over sixteen (5 GFLOP/s instead of 25).
 */
export function lanesOf(engine: Runtime): number {
  if (engine.adapterKind !== 'software' || !engine.device.features.has('subgroups')) return 0;
  const { subgroupMinSize, subgroupMaxSize } = engine.device.adapterInfo;
  return subgroupMinSize === 8 && subgroupMaxSize === 8 ? 8 : 0;
}

/** Rows of a block of quads, and the constants of its kernels for so many columns; see lib/quads.wgsl. */
export const QUAD_ROWS = 16;

export function quadConstants(lanes: number, columns: number) {
  // Four quads a row of lanes where eight would leave half of them idle.
  const quads = Math.ceil(columns / 4) % lanes;
  const QUADS = quads > 0 && quads <= lanes / 2 ? lanes / 2 : lanes;
  return { LANES: lanes, QUADS, SLOTS: QUAD_ROWS / QUADS, GAP: 0 };
}

/** Threads of a workgroup along rows and columns. */
export interface Tile {
  readonly y: number;
  readonly x: number;
}

/**
 * A workgroup as wide as the columns ask for, 4 × 4 results a thread: small where work is scarce, never so large that its
 * tiles take more than 16 KiB.
 */
export function tileFor(rows: number, columns: number): Tile {
  const x = columns <= 16 ? 4 : columns <= 32 ? 8 : 16;
  const blocks = Math.ceil(rows / 64) * Math.ceil(columns / 64);
  const threads = blocks < 256 ? 64 : x === 4 ? 128 : 256;
  return { x, y: threads / x };
}

/** Terms that a workgroup tile takes at once. */
export const TILE_DEPTH = 16;

/** Workgroups that may suit an adapter better than those of the rule. */
const TILES: readonly Tile[] = [
  { y: 8, x: 8 },
  { y: 16, x: 4 },
  { y: 16, x: 16 },
];

/** Of variants that software adapters can run, but never fast. */
export const onHardware = (engine: Runtime): boolean => engine.adapterKind === 'hardware';

/** A way to cut work into workgroups, which makes a variant. */
export interface Tiling<Work> {
  readonly name: string;
  fits(work: Work): boolean;
  isPromising(engine: Runtime): boolean;
  tileOf(work: Work): Tile;
}

/**
 * `tiled`, with the workgroups of the rule, and `tiled-8x8` … (threads along rows × columns), which fit where the rule's
 * are others. @param sizeOf rows and columns of a piece of work.
 */
export function tilings<Work>(sizeOf: (work: Work) => readonly [rows: number, columns: number]): Tiling<Work>[] {
  const ruled = (work: Work) => tileFor(...sizeOf(work));
  return [
    { name: 'tiled', fits: () => true, isPromising: () => true, tileOf: ruled },
    ...TILES.map((tile) => ({
      name: `tiled-${tile.y}x${tile.x}`,
      fits: (work: Work) => ruled(work).y !== tile.y || ruled(work).x !== tile.x,
      isPromising: onHardware,
      tileOf: () => tile,
    })),
  ];
}

/** Workgroups for a result of so many rows and columns. */
export const tileGroups = (rows: number, columns: number, { x, y }: Tile): number =>
  Math.ceil(rows / (4 * y)) * Math.ceil(columns / (4 * x));

/** How a sum over `terms` is split so that about `wanted` workgroups have work, `chunk` terms (a multiple of `unit`) each. */
export function splitSum(
  terms: number,
  groups: number,
  { wanted, least, unit }: { wanted: number; least: number; unit: number },
): { splits: number; chunk: number } {
  const most = Math.max(1, Math.min(Math.ceil(wanted / groups), Math.floor(terms / least)));
  const chunk = Math.ceil(terms / most / unit) * unit;
  return { chunk, splits: Math.max(1, Math.ceil(terms / chunk)) };
}
