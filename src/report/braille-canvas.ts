/** Lines in a terminal: every character is 2 × 4 dots, by Unicode's braille patterns. */

/** The bit of each dot of a character, by row and column (Unicode 15, Braille Patterns). */
const BITS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

const BLANK = 0x2800;

export interface BrailleCell {
  readonly character: string;
  /** The pen that drew here last; −1 where nothing is drawn. */
  readonly pen: number;
}

export class BrailleCanvas {
  private readonly bits: Uint8Array;
  private readonly pens: Int8Array;

  /** @param columns @param rows in characters. */
  constructor(
    readonly columns: number,
    readonly rows: number,
  ) {
    this.bits = new Uint8Array(columns * rows);
    this.pens = new Int8Array(columns * rows).fill(-1);
  }

  /** A straight line between two dots, both included; dots count from the upper left corner, 2 × 4 a character. */
  line([x0, y0]: readonly [number, number], [x1, y1]: readonly [number, number], pen: number): void {
    const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
    for (let step = 0; step <= steps; step++) {
      const along = step / steps;
      this.dot(Math.round(x0 + along * (x1 - x0)), Math.round(y0 + along * (y1 - y0)), pen);
    }
  }

  cell(column: number, row: number): BrailleCell {
    const at = row * this.columns + column;
    const bits = this.bits[at] ?? 0;
    return { character: bits === 0 ? ' ' : String.fromCharCode(BLANK + bits), pen: this.pens[at] ?? -1 };
  }

  /** What lies outside is left out. */
  private dot(x: number, y: number, pen: number): void {
    const [column, row] = [x >> 1, y >> 2];
    if (column < 0 || column >= this.columns || row < 0 || row >= this.rows) return;
    const at = row * this.columns + column;
    this.bits[at] = (this.bits[at] ?? 0) | (BITS[y & 3]?.[x & 1] ?? 0);
    this.pens[at] = pen;
  }
}
