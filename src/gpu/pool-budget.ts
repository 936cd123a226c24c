/**
 * How many bytes a pool may hold, living and waiting: half as much again as what lived at most lately. A loop over one
 * shape stays below that. One that goes round several (training, its last batch, a test) asks for sizes that had to go
 * shortly before, and is granted more until all of them stay, as an adaptive replacement cache learns from what it evicted
 * (Megiddo and Modha, 2003); shapes that never come back are not.
 */

/** Bytes that may be held for each byte that lived at most lately: to begin with, and at most. */
const SHARE = 1.5;
const MOST = 3;
/** Bytes that may be held whatever lives. */
const SPARE = 2 ** 20;
/** What is left of a former peak after each submission: half of it after about seven hundred. */
const DECAY = 0.999;

export class PoolBudget {
  private peak = 0;
  /** Bytes granted beyond the share. */
  private more = 0;
  /** Buffers that went lately, by size, the latest last. */
  private readonly gone = new Map<number, number>();
  private goneBytes = 0;

  get bytes(): number {
    return SHARE * this.peak + Math.min(this.more, (MOST - SHARE) * this.peak) + SPARE;
  }

  /** Takes note of what lives. */
  lives(bytes: number): void {
    if (bytes > this.peak) this.peak = bytes;
  }

  /** Takes note of a submission, after which `bytes` live. */
  submitted(bytes: number): void {
    this.peak = Math.max(bytes, this.peak * DECAY);
    this.more = Math.min(this.more, (MOST - SHARE) * this.peak);
  }

  /** Takes note of a new buffer of this size. */
  created(bytes: number): void {
    const buffers = this.gone.get(bytes);
    if (buffers === undefined) {
      this.more = Math.max(0, this.more - bytes);
      return;
    }
    this.more += bytes;
    this.goneBytes -= bytes;
    if (buffers > 1) this.gone.set(bytes, buffers - 1);
    else this.gone.delete(bytes);
  }

  /** Takes note of a buffer that had to go. As many are remembered as make up twice the peak. */
  evicted(bytes: number): void {
    const buffers = this.gone.get(bytes) ?? 0;
    this.gone.delete(bytes);
    this.gone.set(bytes, buffers + 1);
    this.goneBytes += bytes;
    for (const [size, count] of this.gone) {
      if (this.goneBytes <= 2 * this.peak) break;
      this.gone.delete(size);
      this.goneBytes -= size * count;
    }
  }

  /** Begins anew, with `bytes` alive. */
  reset(bytes: number): void {
    this.peak = bytes;
    this.more = 0;
    this.goneBytes = 0;
    this.gone.clear();
  }
}
