/** What the convolution kernels for images with few channels need to know; see conv2d/stem-window.wgsl. */
import type { TapPass } from './taps/pass.ts';

/** Lanes keep the weights of so many terms, or their gradients. */
const MOST_TERMS = 32;

/** Positions come in fours, and what these see begins where a quad does. */
export const fitsStem = (pass: TapPass): boolean =>
  pass.groups * pass.tapStepY * pass.tapStepX === 1 &&
  pass.stepX === 1 &&
  pass.columns % 4 === 0 &&
  (pass.width * pass.channels) % 4 === 0 &&
  pass.targetChannels % 2 === 0 &&
  pass.tapRows * pass.tapColumns * pass.channels <= MOST_TERMS;

export function stemConstants(lanes: number, pass: TapPass) {
  const { channels, tapRows, tapColumns, originX, stored } = pass;
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
