/** Plots as SVG files that stand alone: on white, in fonts that every machine has. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** @param description for those who do not see it. */
export function svgFile(options: Plot.PlotOptions, description: string): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({
    style: { background: 'white', fontFamily: 'system-ui, sans-serif', fontSize: '12px' },
    ariaLabel: description,
    ...options,
    document,
  });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return `${svg.outerHTML}\n`;
}

/** What is labelled, and where on its axis the label is written. */
export type Apart<T> = T & { readonly place: number };

/** Labels at the ends of curves, moved up as far as those below them need: `line` of the axis each. */
export function apart<T>(ends: readonly T[], numberOf: (end: T) => number, line: number): Apart<T>[] {
  const labels: Apart<T>[] = [];
  for (const end of ends.toSorted((a, b) => numberOf(a) - numberOf(b)))
    labels.push({ ...end, place: Math.max(numberOf(end), (labels.at(-1)?.place ?? Number.NEGATIVE_INFINITY) + line) });
  return labels;
}
