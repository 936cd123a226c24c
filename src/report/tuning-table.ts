/** What the tuner found, for the terminal. */
import picocolors from 'picocolors';
import { printable } from '../gpu/printable.ts';
import type { TunedPiece } from '../gpu/tuning/piece.ts';
import { type TableOptions, tableOf } from './table.ts';

const CHOSEN = { measured: '✓ measured', cache: '✓ cached', rule: '✓ not measured' };

/** Under each piece of work its variants, fastest first: milliseconds of one run, GFLOP/s, and which one is chosen. */
export function tuningTable(pieces: readonly TunedPiece[], options: TableOptions = {}): string {
  const colours = picocolors.createColors(options.colour ?? picocolors.isColorSupported);
  const table = tableOf(['work', 'variant', 'ms', 'GFLOP/s', 'choice'].map(colours.bold), 'left');
  for (const { family, work, launches, flops, rule, variant, ms, from } of pieces) {
    const variants = [...new Set([...Object.keys(ms), variant])].sort((a, b) => (ms[a] ?? 0) - (ms[b] ?? 0));
    const heads = [`${family}${launches > 1 ? `, ${launches} times` : ''}`, `  ${work}`];
    for (let line = 0; line < Math.max(heads.length, variants.length); line++) {
      const name = variants[line];
      const time = name === undefined ? undefined : ms[name];
      const choice = name === variant ? CHOSEN[from] : name !== undefined && name === rule ? 'rule' : '';
      const paint = name === variant ? colours.green : (text: string) => text;
      const cells = [
        printable(name ?? ''),
        time?.toFixed(3) ?? '',
        time ? (flops / time / 1e6).toFixed(1) : '',
        choice,
      ];
      table.push([heads[line] ?? '', ...cells.map(paint)]);
    }
  }
  return table.toString();
}
