/** Plots as SVG text, drawn by Observable Plot on linkedom's document: no browser is needed. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { Html } from './html.ts';

/** @param description for those who do not see it. */
export function draw(options: Plot.PlotOptions, description: string): Html {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({ width: 760, height: 340, marginLeft: 44, ariaLabel: description, ...options, document });
  return new Html(svg.outerHTML);
}
