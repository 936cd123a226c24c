/** How kernels of convolutions in groups walk over images; see conv2d/walk.wgsl. */
import type { Runtime } from '../../gpu/runtime.ts';
import { commonDivisor, type TapPass } from './taps/pass.ts';

/** Target columns of a walk. */
const COLUMNS = 4;
/**
 * Those of a long walk on a software adapter: what fewer of them see stays in its registers, at a third less time for 32 rows of 32, and
 * what they load twice counts for more only where a walk begins anew after few rows.
 */
const NARROW = { columns: 2, fromRows: 16 };

/** A GPU's workgroups share tiles instead where a group has so many target channels. */
export const TILED_FROM = 32;

/** Threads of a workgroup: as many as a GPU runs at once, or enough that a software adapter's cost of beginning one does not count. */
export const threadsOf = (engine: Runtime): number => (engine.adapterKind === 'software' ? 32 : 64);

/** Channels that come in fours are loaded by fours. */
export const widthOf = ({ channels }: TapPass): 1 | 4 => (channels % 4 === 0 ? 4 : 1);

/** The same of groups. */
export const groupWidthOf = ({ groups, channels, targetChannels }: TapPass): 1 | 4 =>
  (channels / groups) % 4 === 0 && (targetChannels / groups) % 4 === 0 ? 4 : 1;

/** One direction: positions of a walk are `every` apart, and `move` taps; there are so many walks side by side. */
function axisOf(positions: number, step: number, tapStep: number, most: number) {
  const common = commonDivisor(step, tapStep);
  const every = tapStep / common;
  return { every, move: step / common, walks: every * Math.ceil(Math.ceil(positions / every) / most) };
}

/** Walks over all positions of a pass, as a kernel must know them. */
export interface Walks {
  /** In all images. */
  readonly count: number;
  /** Whether walks at the end of a row have positions that are none. */
  readonly isRagged: boolean;
  readonly constants: Readonly<Record<string, number | string>>;
}

/** @param rows Positions of a walk, one below the other. @param columns Side by side. */
export function walksOf(pass: TapPass, width: 1 | 4, rows: number, columns = COLUMNS): Walks {
  const vertical = axisOf(pass.rows, pass.stepY, pass.tapStepY, rows);
  const horizontal = axisOf(pass.columns, pass.stepX, pass.tapStepX, columns);
  return {
    count: pass.batch * vertical.walks * horizontal.walks,
    isRagged: pass.columns % (columns * horizontal.every) !== 0,
    constants: {
      WIDTH: width,
      V: width === 4 ? 'vec4<f32>' : 'f32',
      S: width === 4 ? `vec4<${pass.stored}>` : pass.stored,
      COLUMNS: columns,
      ROWS: rows,
      EVERY_X: horizontal.every,
      EVERY_Y: vertical.every,
      MOVE_X: horizontal.move,
      MOVE_Y: vertical.move,
      SPAN: (columns - 1) * horizontal.move + pass.tapColumns,
      TAP_COLUMNS: pass.tapColumns,
    },
  };
}

/** The longest walks that leave work for every thread that the adapter can run: each begins with rows that others load too. */
export function longWalksOf(engine: Runtime, pass: TapPass, width: 1 | 4): Walks {
  const isSoftware = engine.adapterKind === 'software';
  const wanted = isSoftware ? 512 : 32_768;
  const columns = isSoftware && pass.rows >= NARROW.fromRows ? NARROW.columns : COLUMNS;
  for (let rows = 64; rows > 4; rows /= 2) {
    const walks = walksOf(pass, width, rows, columns);
    if ((walks.count * pass.targetChannels) / width >= wanted) return walks;
  }
  return walksOf(pass, width, 4, columns);
}
