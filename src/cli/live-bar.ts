/** The live line of a long command on a terminal, drawn by the command itself. */
import { SingleBar } from 'cli-progress';
import picocolors from 'picocolors';

/** `null` where nobody looks. */
export const liveBar = (draw: () => string): SingleBar | null =>
  process.stdout.isTTY
    ? new SingleBar({
        format: draw,
        stream: process.stdout,
        fps: 8,
        clearOnComplete: true,
        gracefulExit: false,
        hideCursor: false,
        forceRedraw: true,
        emptyOnZero: true,
      })
    : null;

/** A bar of so many columns. @param share that is done, from 0 to 1. */
export function drawnBar(columns: number, share: number): string {
  const full = Math.min(columns, Math.round(columns * share));
  return picocolors.cyan('━'.repeat(full)) + picocolors.dim('─'.repeat(columns - full));
}

/** Columns that a bar has beside so many others. */
export const barColumns = (around: number): number =>
  Math.min(40, Math.max(4, (process.stdout.columns || 80) - around));
