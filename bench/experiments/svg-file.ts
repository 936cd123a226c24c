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
