/** A sheet to draw on, by mouse, pen or finger. */

const [PAPER, INK] = ['#fff', '#111'];
/** Of the sheet's side. */
const STROKE = 0.085;
/** Around what was drawn, of its size: as the glyphs have it. Letters that fill their pictures are told far less often. */
const MARGIN = 0.5;

export class Pad {
  private readonly context: CanvasRenderingContext2D;
  /** Where ink is: left, top, right, bottom; none on an empty sheet. */
  private ink: [number, number, number, number] | null = null;
  private last: readonly [number, number] | null = null;

  /** @param drawn is told after each stroke, and each part of one. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly drawn: () => void,
  ) {
    this.context = canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D;
    this.clear();
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.last = this.place(event);
      this.line(this.last);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (!this.last) return;
      const all = event.getCoalescedEvents?.() ?? [];
      for (const one of all.length > 0 ? all : [event]) this.line(this.place(one));
    });
    for (const end of ['pointerup', 'pointercancel'] as const)
      canvas.addEventListener(end, () => {
        this.last = null;
      });
  }

  get isEmpty(): boolean {
    return this.ink === null;
  }

  clear(): void {
    this.ink = null;
    const { width, height } = this.canvas;
    this.context.fillStyle = PAPER;
    this.context.fillRect(0, 0, width, height);
  }

  /** What was drawn, in the middle of a square and as large as glyphs are in theirs; `null` of an empty sheet. */
  picture(): ImageData | null {
    if (!this.ink) return null;
    const { width } = this.canvas;
    const [left, top, right, bottom] = this.ink;
    const side = Math.max(right - left, bottom - top, width / 8) * (1 + 2 * MARGIN);
    const [x, y] = [(left + right - side) / 2, (top + bottom - side) / 2];
    const made = new OffscreenCanvas(width, width).getContext('2d', {
      willReadFrequently: true,
    }) as OffscreenCanvasRenderingContext2D;
    made.fillStyle = PAPER;
    made.fillRect(0, 0, width, width);
    made.imageSmoothingQuality = 'high';
    made.drawImage(this.canvas, x, y, side, side, 0, 0, width, width);
    return made.getImageData(0, 0, width, width);
  }

  private place({ clientX, clientY }: PointerEvent): readonly [number, number] {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [((clientX - left) / width) * this.canvas.width, ((clientY - top) / height) * this.canvas.height];
  }

  private line(to: readonly [number, number]): void {
    const { context } = this;
    const stroke = STROKE * this.canvas.width;
    context.strokeStyle = INK;
    context.lineWidth = stroke;
    context.lineCap = 'round';
    context.lineJoin = 'round';
    context.beginPath();
    context.moveTo(...(this.last ?? to));
    context.lineTo(...to);
    context.stroke();
    this.last = to;
    const [x, y] = to;
    const [left, top, right, bottom] = this.ink ?? [x, y, x, y];
    const half = stroke / 2;
    this.ink = [
      Math.min(left, x - half),
      Math.min(top, y - half),
      Math.max(right, x + half),
      Math.max(bottom, y + half),
    ];
    this.drawn();
  }
}
