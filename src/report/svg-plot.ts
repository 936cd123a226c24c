/** Plots as SVG text, drawn by Observable Plot on linkedom's document: no browser is needed. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { Html, html } from './html.ts';

/** @param description for those who do not see it. */
export function draw(options: Plot.PlotOptions, description: string): Html {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({ width: 760, height: 340, marginLeft: 44, ariaLabel: description, ...options, document });
  return new Html(svg.outerHTML);
}

/** A screen as wide as the page, or a telephone. */
export type PageWidth = 'wide' | 'narrow';

/**
 * A plot for either width, of which a page shows one: letters made smaller with a picture could not be read.
 * @param description for those who do not see it.
 */
export function drawBoth(options: (width: PageWidth) => Plot.PlotOptions, description: string): Html {
  const narrow = { marginLeft: 40, ...options('narrow'), width: 320, height: 260 };
  return html`<div class="wide">${draw(options('wide'), description)}</div><div class="narrow">${draw(narrow, description)}</div>`;
}
