/**
 * The tuner: measures the variants of a kernel once for each adapter and piece of work, and remembers the fastest. Launches
 * are synchronous and measuring is not, so a step runs first, by what is known so far, while the pieces of work in it are
 * noted; then their variants are measured on scratch operands, the largest pieces first, until a budget is spent.
 */
import { tuningCache } from '#tuning-cache';
import type { Runtime } from '../runtime.ts';
import { type Instruments, measure } from './measurement.ts';
import type { Piece, TunedPiece } from './piece.ts';
import { type Stopwatch, stopwatch } from './stopwatch.ts';
import { type Choice, choiceKey, mergeChoices, readChoices, type TuningCache } from './tuning-cache.ts';

/** How a step is tuned; see `tune`. */
export interface TuneOptions {
  /** Milliseconds to spend on measuring, about; what is left keeps the rule and is measured next time. 500 by default. */
  budget?: number;
  /** Measure also what is known. */
  force?: boolean;
  /** Called before each piece is measured. */
  onPiece?: (progress: { piece: Pick<Piece, 'family' | 'work'>; done: number; total: number }) => void;
  /** Where choices are kept; by default the user's cache folder or the page's database, `null` for nowhere. */
  store?: TuningCache | null;
  /** Measures runs; by default by timestamp queries, or the clock where there are none. */
  stopwatch?: Stopwatch;
  /** The clock that the budget is spent by, in milliseconds. */
  now?: () => number;
  /** Where warnings go; the console by default. */
  warn?: (message: string) => void;
}

/** A step that was tuned. */
export interface Tuning<T> {
  /** What the step returned. */
  readonly result: T;
  /** Most costly first. */
  readonly pieces: readonly TunedPiece[];
}

interface Noted {
  readonly piece: Piece;
  launches: number;
}

const BUDGET_MS = 500;

export class Tuner {
  private readonly choices = new Map<string, Choice>();
  private readonly loaded = new Map<TuningCache, Promise<void>>();
  private readonly warned = new Set<string>();
  private noted: Map<string, Noted> | null = null;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly engine: Runtime) {}

  /** Whether pieces are to be noted. */
  get isNoting(): boolean {
    return this.noted !== null;
  }

  note(piece: Piece): void {
    const key = choiceKey(piece.family, piece.key);
    const noted = this.noted?.get(key);
    if (noted) noted.launches++;
    else this.noted?.set(key, { piece, launches: 1 });
  }

  /** The tuned variant for a piece of work. */
  variantOf(family: string, key: string): string | undefined {
    return this.choices.get(choiceKey(family, key))?.variant;
  }

  async tune<T>(step: () => T, options: TuneOptions): Promise<Tuning<T>> {
    const { store = tuningCache } = options;
    if (store) await this.load(store, options);
    this.noted = new Map();
    let result: T;
    let noted: Noted[];
    try {
      result = step();
    } finally {
      noted = [...this.noted.values()].sort((a, b) => b.piece.flops * b.launches - a.piece.flops * a.launches);
      this.noted = null;
    }
    const unknown = noted.filter(({ piece }) => options.force || !this.isKnown(piece)).map(({ piece }) => piece);
    // One after the other: two that measure at once would measure each other.
    const turn = this.last.then(() => this.measureAll(unknown, store, options));
    this.last = turn.catch(() => {});
    const measured = await turn;
    return { result, pieces: noted.map((one) => this.report(one, measured)) };
  }

  private isKnown(piece: Piece): boolean {
    return piece.variants.includes(this.variantOf(piece.family, piece.key) ?? '');
  }

  private report({ piece, launches }: Noted, measured: ReadonlySet<Piece>): TunedPiece {
    const { family, work, flops, variants } = piece;
    const rule = variants[0] as string;
    const choice = this.isKnown(piece) ? this.choices.get(choiceKey(family, piece.key)) : undefined;
    const from = measured.has(piece) ? 'measured' : choice ? 'cache' : 'rule';
    return { family, work, flops, launches, rule, variant: choice?.variant ?? rule, ms: choice?.ms ?? {}, from };
  }

  private load(store: TuningCache, options: TuneOptions): Promise<void> {
    const adapter = this.engine.adapterDescription;
    const loading =
      this.loaded.get(store) ??
      store.read(adapter).then(
        (kept) => {
          for (const [key, choice] of readChoices(kept, adapter)) this.choices.set(key, choice);
        },
        (error: Error) => this.warn(options, `tuned variants could not be read: ${error.message}`),
      );
    this.loaded.set(store, loading);
    return loading;
  }

  /** Measures as many pieces as the budget allows, and keeps what was found. */
  private async measureAll(
    pieces: readonly Piece[],
    store: TuningCache | null,
    options: TuneOptions,
  ): Promise<Set<Piece>> {
    const { budget = BUDGET_MS, now = () => performance.now(), onPiece } = options;
    const instruments: Instruments = {
      stopwatch: options.stopwatch ?? stopwatch,
      warn: (message, why) => this.warn(options, message, why),
    };
    const measured = new Set<Piece>();
    if (pieces.length === 0 || budget <= 0) return measured;
    await this.engine.sync();
    const fresh = new Map<string, Choice>();
    const end = now() + budget;
    for (const [done, piece] of pieces.entries()) {
      if (now() >= end) break;
      onPiece?.({ piece, done, total: pieces.length });
      const choice = await measure(this.engine, piece, instruments);
      if (!choice) continue;
      measured.add(piece);
      this.choices.set(choiceKey(piece.family, piece.key), choice);
      fresh.set(choiceKey(piece.family, piece.key), choice);
    }
    const adapter = this.engine.adapterDescription;
    if (store && fresh.size > 0) {
      await store
        .update(adapter, (kept) => mergeChoices(kept, adapter, fresh))
        .catch((error: Error) => this.warn(options, `tuned variants could not be kept: ${error.message}`));
    }
    return measured;
  }

  /** Says something once. */
  private warn({ warn = (message) => console.warn(message) }: TuneOptions, message: string, why?: Error): void {
    if (this.warned.has(message)) return;
    this.warned.add(message);
    warn(`engram: ${message}${why ? `: ${why.message}` : ''}`);
  }
}
