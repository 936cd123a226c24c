/** Long sums are split, so that more workgroups have work; a second pass adds the splits up, so the order never varies. */

export interface Split {
  readonly splits: number;
  /** Terms of a split; the last one may have fewer. */
  readonly chunk: number;
}

/**
 * How a sum over `terms` is split so that about `wanted` workgroups have work.
 * @param groups Workgroups without splits.
 * @param least Terms that are worth a split.
 * @param unit What chunks are multiples of.
 */
export function splitSum(
  terms: number,
  groups: number,
  { wanted, least, unit }: { wanted: number; least: number; unit: number },
): Split {
  const most = Math.max(1, Math.min(Math.ceil(wanted / groups), Math.floor(terms / least)));
  const chunk = Math.ceil(terms / most / unit) * unit;
  return { chunk, splits: Math.max(1, Math.ceil(terms / chunk)) };
}
