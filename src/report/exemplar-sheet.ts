/** Pictures of the exemplars that a run keeps. */
import type { ImageFormat } from '../data/image-bytes.ts';
import { bytesPerImage } from '../data/image-bytes.ts';
import { type Html, html } from './html.ts';
import { pictureSheet, type SheetPicture } from './picture-sheet.ts';

/** What is kept, as a checkpoint has it. */
export interface KeptImages {
  /** By logit. */
  readonly classes: readonly string[];
  readonly format: ImageFormat;
  readonly exemplars: readonly { readonly label: number; readonly pixels: Uint8Array }[];
}

/** Some pictures of each class, and how many there are. */
export interface ExemplarSheet {
  readonly classes: readonly {
    readonly name: string;
    readonly kept: number;
    readonly pictures: readonly SheetPicture[];
  }[];
}

/** Of a page: more would make it heavy. */
const MOST_PICTURES = 400;
const MOST_OF_A_CLASS = 12;
/** CSS pixels of the shorter side. */
const SHOWN = 40;

/** Spread over those that a class has, best ones included. */
export function exemplarSheet({ classes, format, exemplars }: KeptImages): ExemplarSheet {
  const bytes = bytesPerImage(format);
  const images = new Uint8Array(exemplars.length * bytes);
  for (const [at, { pixels }] of exemplars.entries()) images.set(pixels, at * bytes);
  const { height, width, channels } = format;
  const labels = Uint16Array.from(exemplars, ({ label }) => label);
  const each = Math.max(1, Math.min(MOST_OF_A_CLASS, Math.floor(MOST_PICTURES / Math.max(1, classes.length))));
  const sheet = pictureSheet(
    { name: 'exemplars', images, labels, height, width, channels, classes: classes.length },
    each,
  );
  return {
    classes: classes.map((name, label) => ({
      name,
      kept: exemplars.filter((exemplar) => exemplar.label === label).length,
      pictures: sheet[label] ?? [],
    })),
  };
}

function image({ address, width, height }: SheetPicture, name: string): Html {
  const scale = SHOWN / Math.min(width, height);
  const [wide, high] = [width, height].map((side) => Math.round(side * scale));
  return html`<img src="${address}" width="${wide!}" height="${high!}" alt="${name}">`;
}

/** Class by class; nothing where nothing is kept. */
export function exemplarFigure({ classes }: ExemplarSheet): Html {
  const kept = classes.filter((one) => one.kept > 0);
  if (kept.length === 0) return html``;
  const cards = kept.map(
    (one) => html`<div class="kept"><span>${one.name}</span> <small>${one.kept}</small>
<div class="pictures">${one.pictures.map((picture) => image(picture, one.name))}</div></div>`,
  );
  // Room for the pictures of the class that has most, and the gaps between them.
  const cell = (SHOWN + 2) * Math.max(...kept.map(({ pictures }) => pictures.length));
  return html`<details><summary>Exemplars that are kept: some of each class</summary><figure><div class="exemplars" style="--cell:${cell}px">${cards}</div></figure></details>`;
}
