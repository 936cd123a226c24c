/** The cost of distillation against the number of groups, as an SVG file, from results with groups. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Result } from './bench-line.ts';

interface Point {
  readonly variant: string;
  readonly logits: string;
  readonly groups: number;
  readonly ms: number;
}

const colours: Readonly<Record<string, string>> = {
  whole: '#7f7f7f',
  tasks: '#2ca02c',
  random: '#9467bd',
  pairs: '#17becf',
  dense: '#1f77b4',
  balanced: '#ff7f0e',
  composed: '#d62728',
};

/**
 * Milliseconds of a step's distillation over groups, both axes logarithmic, a colour a variant. Pools of one group (`whole`,
 * `random`) stand above the number of groups that the dense pool of the same tasks has, to be compared with it.
 */
export function dkdChart(results: readonly Result[], adapter: string): string {
  const all = results.flatMap(({ name, ms, groups }): Point[] => {
    const [, variant, logits] = name.split('/');
    // One curve a variant: uneven tasks would be a second point at the same number of groups.
    return groups === undefined || !variant || !logits || logits.includes('+') ? [] : [{ variant, logits, groups, ms }];
  });
  const dense = new Map(all.filter(({ variant }) => variant === 'dense').map(({ logits, groups }) => [logits, groups]));
  const points = all
    .map((point) => ({ ...point, at: dense.get(point.logits) ?? point.groups }))
    .sort((a, b) => a.at - b.at);
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const known = Object.keys(colours).filter((variant) => points.some((point) => point.variant === variant));
  const title = 'ms of one distillation loss, forwards and backwards, batch 128';
  const svg = Plot.plot({
    document,
    width: 760,
    height: 420,
    marginLeft: 56,
    marginRight: 24,
    marginTop: 32,
    marginBottom: 44,
    style: { background: 'white', fontFamily: 'system-ui, sans-serif', fontSize: '12px' },
    ariaLabel: 'Cost of distillation against the number of groups',
    x: {
      type: 'log',
      base: 2,
      label: 'groups of the dense pool',
      tickFormat: (n: number) => `2^${Math.round(Math.log2(n + 1))}`,
      ticks: [...new Set(points.map(({ at }) => at))],
    },
    y: { type: 'log', label: `${title}, on ${adapter}`, labelArrow: 'none', grid: true },
    color: { domain: known, range: known.map((variant) => colours[variant] as string) },
    marks: [
      Plot.line(points, { x: 'at', y: 'ms', stroke: 'variant', strokeWidth: 2 }),
      Plot.dot(points, {
        x: 'at',
        y: 'ms',
        fill: 'variant',
        r: 3,
        title: ({ variant, logits, ms }: Point) => `${variant} ${logits}: ${ms.toPrecision(3)} ms`,
      }),
      ...known.map((variant, i) =>
        Plot.text([variant], {
          frameAnchor: 'top-left',
          text: (name) => name,
          fill: () => variant,
          dx: 12,
          dy: 14 + 18 * i,
          textAnchor: 'start',
          fontWeight: 'bold',
        }),
      ),
    ],
  });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return `${svg.outerHTML}\n`;
}
