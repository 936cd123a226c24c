/** What the convolution kernels for images with few channels need to know; see stem_window.wgsl. */
import type { FloatType } from '../tensor/dtype.ts';

/** A convolution over rows of images. */
export interface StemLayer {
  readonly width: number;
  readonly channels: number;
  readonly tapRows: number;
  readonly tapColumns: number;
  readonly stepX: number;
  readonly originX: number;
  /** Positions of a row of targets. */
  readonly columns: number;
  readonly targetChannels: number;
  readonly stored: FloatType;
}

/** Lanes keep the weights of so many terms, or their gradients. */
const MOST_TERMS = 32;

/** Positions come in fours, and what these see begins where a quad does. */
export const fitsStem = (layer: StemLayer): boolean =>
  layer.stepX === 1 &&
  layer.columns % 4 === 0 &&
  (layer.width * layer.channels) % 4 === 0 &&
  layer.targetChannels % 2 === 0 &&
  layer.tapRows * layer.tapColumns * layer.channels <= MOST_TERMS;

export function stemConstants(lanes: number, layer: StemLayer) {
  const { channels, tapRows, tapColumns, originX, stored } = layer;
  const terms = tapColumns * channels;
  const shift = (((originX * channels) % 4) + 4) % 4;
  return {
    LANES: lanes,
    S: stored,
    CHANNELS: channels,
    TAP_ROWS: tapRows,
    ROW_TERMS: terms,
    TERMS: tapRows * terms,
    SHIFT: shift,
    ROW_QUADS: Math.ceil((shift + 3 * channels + terms) / 4),
  };
}
