/** What the convolution kernels for few channels need to know; see conv2d/narrow-strip.wgsl. */
import type { TapPass } from './taps/pass.ts';

/** Channels of a source from which on quads are as fast. */
const MOST_CHANNELS = 24;

/** Terms whose weights, or their gradients, lanes keep. */
const MOST_TERMS = 216;

/** Products that are written out for a row of a strip: more do not fit into the first cache of instructions. */
const MOST_PRODUCTS = 1152;

/** Columns of the widest strip, and of the least one that is worth its loads, unless a row has fewer. */
const MOST_COLUMNS = 16;
const LEAST_COLUMNS = 4;

const termsOf = ({ tapRows, tapColumns, channels }: TapPass): number => tapRows * tapColumns * channels;

const mostColumns = (pass: TapPass): number => Math.min(MOST_COLUMNS, Math.floor(MOST_PRODUCTS / termsOf(pass)));

/** Not with a stride: neighbours share too little of what is loaded. */
export const fitsNarrow = (pass: TapPass): boolean =>
  pass.groups * pass.stepX * pass.tapStepY * pass.tapStepX === 1 &&
  pass.channels % 4 === 0 &&
  pass.channels <= MOST_CHANNELS &&
  termsOf(pass) > 0 &&
  termsOf(pass) <= MOST_TERMS;

/** Columns of an image's strips; the last one may have fewer. */
export function stripColumns(pass: TapPass): number {
  return Math.ceil(pass.columns / Math.ceil(pass.columns / mostColumns(pass)));
}

/** Columns of strips that leave no rest of a row; 0 where these would be too narrow. */
export function evenStripColumns(pass: TapPass): number {
  let columns = Math.min(mostColumns(pass), pass.columns);
  while (pass.columns % columns !== 0) columns--;
  return columns >= Math.min(LEAST_COLUMNS, pass.columns) ? columns : 0;
}

/** @param columns Of a strip. */
export function narrowConstants(lanes: number, pass: TapPass, columns: number) {
  const { tapRows, tapColumns } = pass;
  const QUADS = pass.channels / 4;
  const ROW_QUADS = (columns - 1 + tapColumns) * QUADS;
  return {
    LANES: lanes,
    S: pass.stored,
    QUADS,
    TAP_ROWS: tapRows,
    TAP_COLUMNS: tapColumns,
    SEEN_QUADS: tapColumns * QUADS,
    TERM_QUADS: tapRows * tapColumns * QUADS,
    SPAN: columns,
    ROW_QUADS,
    SLOTS: Math.ceil(ROW_QUADS / lanes),
    FRESH: Math.min(pass.stepY, tapRows),
  };
}
