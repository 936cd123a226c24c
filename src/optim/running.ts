/** Launches over tensors that follow others, in place; see `shaders/optim/running.wgsl`. */
import source from '../../shaders/optim/running.wgsl';
import type { Tensor } from '../tensor/tensor.ts';
import { launchSlots } from './slots.ts';

/** `add` and `follow`: each total with its source. */
export type Followed = readonly [total: Tensor, source: Tensor];

/**
 * @param share of the source in what follows it.
 */
export function launchRunning(entry: 'add' | 'follow', pairs: readonly Followed[], share = 0): void {
  const [first] = pairs;
  if (!first) return;
  const slots = pairs.map((tensors) => ({ size: tensors[0].size, tensors }));
  launchSlots(
    first[0].engine,
    { kernel: { name: 'running', source, entry }, slotCounts: [4, 1], value: share },
    [],
    slots,
  );
}

/** Fills with zeros. */
export function clearTotals(totals: readonly Tensor[]): void {
  const [first] = totals;
  if (!first) return;
  const slots = totals.map((total) => ({ size: total.size, tensors: [total] }));
  launchSlots(first.engine, { kernel: { name: 'running', source, entry: 'clear' }, slotCounts: [7, 1] }, [], slots);
}
