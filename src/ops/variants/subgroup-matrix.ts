/** How kernels on subgroup matrices cut their work into workgroups; see subgroup-matrix-block.wgsl. */

import { type MatrixConfig, matrixConfigs } from '../../gpu/adapter/subgroup-matrix.ts';
import type { Runtime } from '../../gpu/runtime.ts';
import type { Constants } from '../../gpu/wgsl/constants.ts';
import type { FloatType } from '../../tensor/dtype.ts';

/** What one workgroup does. */
export interface MatrixBlock {
  readonly rows: number;
  readonly columns: number;
  /** Terms of a tile. */
  readonly depth: number;
  readonly constants: Constants;
}

/** Subgroups of a workgroup. */
const MOST_SUBGROUPS = 4;
/** Rows and columns of a workgroup's block: where there are few columns, up to twice as many rows. */
const SIDE = 64;
/** Terms of a tile, best first. */
const DEPTHS = [32, 16, 8];
/** Bytes of workgroup memory: every device has them, and more would leave less for other workgroups at once. */
const WORKGROUP_BYTES = 16384;
/** What a convolution keeps for each row: a `vec3<i32>`. */
export const ORIGIN_BYTES = 16;
const BYTES: Record<FloatType, number> = { f32: 4, f16: 2 };

/**
 * The largest product of factors as they are stored that the device adds up in f32; none where they would have to round
 * either.
 * @param configs As the device lists them.
 */
export function configFor(configs: readonly MatrixConfig[], stored: FloatType): MatrixConfig | undefined {
  return configs
    .filter(
      ({ componentType, resultComponentType, M, N, K }) =>
        componentType === stored &&
        resultComponentType === 'f32' &&
        // Tiles are filled four values at a time, and halved as often as it takes.
        [M, N, K].every((size) => [4, 8, 16, 32].includes(size)),
    )
    .reduce<MatrixConfig | undefined>(
      (best, config) => (best && best.M * best.N * best.K >= config.M * config.N * config.K ? best : config),
      undefined,
    );
}

/** The least power of two that is not less; at least 1. */
const powerOfTwo = (n: number): number => 2 ** Math.max(0, Math.ceil(Math.log2(n)));

/** Whether the engine's device multiplies matrices of floats. */
export const hasSubgroupMatrix = (engine: Runtime): boolean => {
  const configs = matrixConfigs(engine.device);
  return (['f32', 'f16'] as const).some((stored) => configFor(configs, stored) !== undefined);
};

/**
 * A block for results of so many rows and columns, with bytes of workgroup memory that the kernel takes for each row
 * itself; none where the device cannot do it.
 */
export function matrixBlock(
  engine: Runtime,
  stored: FloatType,
  rows: number,
  columns: number,
  bytesPerRow = 0,
): MatrixBlock | null {
  const { limits, adapterInfo } = engine.device;
  const config = configFor(matrixConfigs(engine.device), stored);
  if (!config) return null;
  const { M, N, K } = config;
  // A pipeline with matrices needs whole subgroups of the largest size. The compiler may choose a smaller one.
  const subgroup = adapterInfo.subgroupMaxSize;
  if (subgroup === undefined) return null;
  const threads = Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX);
  let subgroups = MOST_SUBGROUPS;
  while (subgroups > 1 && subgroups * subgroup > threads) subgroups /= 2;
  if (subgroups * subgroup > threads) return null;

  const across = Math.min(powerOfTwo(columns / N), SIDE / N);
  const down = Math.min(powerOfTwo(rows / M), Math.min(2 * SIDE, SIDE ** 2 / (across * N)) / M);
  const grid = { y: 1, x: 1 };
  while (grid.y * grid.x < subgroups) grid[down / grid.y >= across / grid.x ? 'y' : 'x'] *= 2;
  const held = { y: Math.ceil(down / grid.y), x: Math.ceil(across / grid.x) };
  const size = { y: grid.y * held.y * M, x: grid.x * held.x * N };

  const PAD = 16 / BYTES[stored];
  const bytes = (depth: number): number =>
    (size.y * (depth + PAD) + depth * (size.x + PAD)) * BYTES[stored] + subgroups * M * N * 4 + size.y * bytesPerRow;
  const DEPTH = DEPTHS.find((depth) => depth % K === 0 && bytes(depth) <= WORKGROUP_BYTES);
  if (DEPTH === undefined) return null;
  return {
    rows: size.y,
    columns: size.x,
    depth: DEPTH,
    constants: {
      ...{ M, N, K, S: stored, DEPTH, PAD, THREADS: subgroups * subgroup },
      ...{ UNITS_Y: grid.y, UNITS_X: grid.x, HELD_Y: held.y, HELD_X: held.x },
    },
  };
}

/** How an operand lies. */
export interface OperandLayout {
  /** Whether neighbours in memory are neighbouring terms, not rows or columns. */
  readonly terms: boolean;
  /** Whether they come in fours. */
  readonly quads: boolean;
}

/** The constants of the operands' layouts. */
export const layoutConstants = (stored: FloatType, left: OperandLayout, right: OperandLayout): Constants => ({
  LEFT_TERMS: left.terms,
  LEFT_QUADS: left.quads,
  LeftElement: left.quads ? `vec4<${stored}>` : stored,
  RIGHT_TERMS: right.terms,
  RIGHT_QUADS: right.quads,
  RightElement: right.quads ? `vec4<${stored}>` : stored,
});
