/** How many epochs a task has, phase by phase. */
import type { LossRecord } from '../continual/benchmark/run-record.ts';
import { clipped, printable } from '../gpu/printable.ts';

/** `5` of a task of one phase, `5 + 3 balance` where it has another. */
export function epochsText(epochs: readonly LossRecord[]): string {
  const phases = new Map<number, { count: number; name: string | undefined }>();
  for (const { phase = 0, phaseName: name } of epochs) {
    const known = phases.get(phase);
    if (known) known.count++;
    else phases.set(phase, { count: 1, name });
  }
  if (phases.size < 2) return `${epochs.length}`;
  return [...phases.values()]
    .map(({ count, name }) => (name === undefined ? `${count}` : `${count} ${printable(clipped(name, 20))}`))
    .join(' + ');
}
