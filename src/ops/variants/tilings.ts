/** How kernels with tiles in workgroup memory cut their work into workgroups. */
import type { Runtime } from '../../gpu/runtime.ts';

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
