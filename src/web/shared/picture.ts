/** Test pictures and exemplars as small canvases. */
import type { ImageFormat } from 'engram';
import { html, type TemplateResult } from 'lit-html';
import { ref } from 'lit-html/directives/ref.js';

/** Pixels 0 … 255 of one picture, as many channels as it has. */
function paint(canvas: HTMLCanvasElement, pixels: Uint8Array, { height, width, channels }: ImageFormat): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const image = context.createImageData(width, height);
  for (let at = 0; at < height * width; at++) {
    for (let channel = 0; channel < 3; channel++) {
      image.data[4 * at + channel] = pixels[at * channels + (channels === 1 ? 0 : channel)] as number;
    }
    image.data[4 * at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** The pixels of one of several pictures. */
export const pixelsOf = (data: Uint8Array, at: number, { height, width, channels }: ImageFormat): Uint8Array =>
  data.subarray(at * height * width * channels, (at + 1) * height * width * channels);

/** @param says what it is of, for those who cannot see it, and on hovering. */
export function picture(pixels: Uint8Array, format: ImageFormat, says: string): TemplateResult {
  const shown = (element: Element | undefined): void => {
    if (element instanceof HTMLCanvasElement) paint(element, pixels, format);
  };
  return html`<canvas class="picture" width=${format.width} height=${format.height} role="img" aria-label=${says} title=${says} ${ref(shown)}></canvas>`;
}
