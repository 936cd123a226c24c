/** A matrix of shares as a picture, one square a number. */
import { encode } from 'fast-png';

/** Pixels of a side, about; a matrix of more rows has a pixel each. */
const SIDE = 480;

/** From 0 to 1, and what is between them is mixed: light and dark as on a page's heat tables. */
const [LEAST, MOST] = [
  [247, 250, 248],
  [9, 88, 52],
] as const;
/** Where there is no number. */
const NONE = [216, 218, 222] as const;

export interface Picture {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** @param rows of numbers from 0 to 1; a row may be shorter than the longest, and `null` stands for no number. */
export function heatPicture(rows: readonly (readonly (number | null)[])[]): Picture {
  const columns = Math.max(1, ...rows.map(({ length }) => length));
  const scale = Math.max(1, Math.floor(SIDE / Math.max(columns, rows.length)));
  const [width, height] = [columns * scale, Math.max(1, rows.length) * scale];
  const data = new Uint8Array(3 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const [row, column] = [Math.floor(pixel / width / scale), Math.floor((pixel % width) / scale)];
    const share = rows[row]?.[column] ?? null;
    const clamped = share === null ? 0 : Math.min(1, Math.max(0, share));
    for (const channel of [0, 1, 2] as const) {
      const mixed = LEAST[channel] + clamped * (MOST[channel] - LEAST[channel]);
      data[3 * pixel + channel] = share === null ? NONE[channel] : Math.round(mixed);
    }
  }
  return { png: encode({ width, height, channels: 3, data }), width, height };
}
