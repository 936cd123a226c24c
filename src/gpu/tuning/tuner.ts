/**
 * The tuner: measures the variants of a kernel once for each adapter and piece of work, and remembers the fastest. Launches
 * are synchronous and measuring is not, so a step runs first, by what is known so far, while the pieces of work in it are
 * noted; then their variants are measured on scratch operands, the largest pieces first, until a budget is spent.
 */
import { tuningCache } from '#tuning-cache';
import { DeviceLostError } from '../../errors.ts';
import type { Runtime } from '../runtime.ts';
import { type Run, type Stopwatch, stopwatch } from './stopwatch.ts';
import { type Choice, choiceKey, mergeChoices, readChoices, type TuningCache } from './tuning-cache.ts';

/** A piece of work on scratch operands. */
export interface Rehearsal {
  /** Does the work once. */
  launch(variant: string): void;
  dispose(): void;
}

/** Work that several variants of a kernel can do. */
export interface Piece {
  /** The kernel family. */
  readonly family: string;
  /** Tells apart all that may make one variant faster than another. */
  readonly key: string;
  /** The work for people. */
  readonly work: string;
  /** Floating point operations. */
  readonly flops: number;
  /** Variants that fit; the rule's comes first. */
  readonly variants: readonly string[];
  rehearse(): Rehearsal;
}

/** What is known about a piece of a tuned step. */
export interface TunedPiece extends Pick<Piece, 'family' | 'work' | 'flops'> {
  /** In one step. */
  readonly launches: number;
  /** The variant that the rule chooses. */
  readonly rule: string;
  /** The variant that runs from now on. */
  readonly variant: string;
  /** Milliseconds of one run by each variant that was measured. */
  readonly ms: Readonly<Record<string, number>>;
  /** `rule`: not measured, for want of budget or because nothing could be. */
  readonly from: 'measured' | 'cache' | 'rule';
}

export interface TuneOptions {
  /** Milliseconds to spend on measuring, about; what is left keeps the rule and is measured next time. 500 unless said. */
  budget?: number;
  /** Measure also what is known. */
  force?: boolean;
  /** Told before each piece is measured. */
  onPiece?: (progress: { piece: Pick<Piece, 'family' | 'work'>; done: number; total: number }) => void;
  /** Where choices are kept; the user's cache folder or the page's database unless said, `null` for nowhere. */
  store?: TuningCache | null;
  /** Measures runs; by timestamp queries or the clock unless said. */
  stopwatch?: Stopwatch;
  /** The clock that the budget is spent by, in milliseconds. */
  now?: () => number;
  /** Where warnings go; the console unless said. */
  warn?: (message: string) => void;
}

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
/** Variants this many times slower than the fastest at first sight are not looked at again, but for the rule's. */
const HOPELESS = 2;
/** Browsers round timestamps to as much: what takes less looks alike at first sight. */
const ROUNDED_MS = 0.1;
/** A variant must be this much faster than the rule's: noise alone shall not choose. */
const CLEARLY = 0.97;
/** Times each variant is measured, taking turns; the best time counts. */
const ROUNDS = 3;
/** Device time of one measurement, for kernels that take less. */
const MEASURED_MS = 2;
const MOST_REPEATS = 64;

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
    const measured = new Set<Piece>();
    if (pieces.length === 0 || budget <= 0) return measured;
    await this.engine.sync();
    const fresh = new Map<string, Choice>();
    const end = now() + budget;
    for (const [done, piece] of pieces.entries()) {
      if (now() >= end) break;
      onPiece?.({ piece, done, total: pieces.length });
      const choice = await this.measure(piece, options);
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

  /** The fastest variant of a piece; none when no variant of it runs. */
  private async measure(piece: Piece, options: TuneOptions): Promise<Choice | null> {
    const { engine } = this;
    const time = options.stopwatch ?? stopwatch;
    const rehearsal = this.rehearse(piece, options);
    if (!rehearsal) return null;
    const runOf = (variant: string, repeats: number): Run => ({
      variant,
      repeats,
      launch: () => rehearsal.launch(variant),
    });
    const ms: Record<string, number> = {};
    try {
      const variants = await this.working(piece, rehearsal, options);
      if (variants.length === 0) return null;
      const sights = await time(
        engine,
        variants.map((variant) => runOf(variant, 1)),
      );
      variants.forEach((variant, i) => {
        ms[variant] = told(sights[i] as number);
      });
      const least = Math.max(ROUNDED_MS, Math.min(...sights));
      const close = variants.filter(
        (variant) => (ms[variant] as number) <= HOPELESS * least || variant === piece.variants[0],
      );
      if (close.length > 1) {
        const round = close.map((variant) =>
          runOf(variant, Math.min(MOST_REPEATS, Math.max(1, Math.ceil(MEASURED_MS / (ms[variant] as number))))),
        );
        const times = await time(engine, Array<Run[]>(ROUNDS).fill(round).flat());
        close.forEach((variant, i) => {
          ms[variant] = told(Math.min(...times.filter((_, at) => at % close.length === i)));
        });
      }
      return { variant: fastest(piece, ms), ms };
    } finally {
      rehearsal.dispose();
    }
  }

  /** None where there is no memory for it. */
  private rehearse(piece: Piece, options: TuneOptions): Rehearsal | null {
    try {
      return piece.rehearse();
    } catch (error) {
      this.warn(options, `${piece.family} ${piece.work} is not tuned`, error as Error);
      return null;
    }
  }

  /** The variants that compile and run, which are compiled then. */
  private async working(piece: Piece, rehearsal: Rehearsal, options: TuneOptions): Promise<readonly string[]> {
    const runs = async (variants: readonly string[]): Promise<Error | null> => {
      try {
        for (const variant of variants) rehearsal.launch(variant);
        await this.engine.sync();
        return null;
      } catch (error) {
        if (error instanceof DeviceLostError) throw error;
        return error as Error;
      }
    };
    // All at once, since they compile side by side; one by one only to find out which of them fail.
    if ((await runs(piece.variants)) === null) return piece.variants;
    await this.engine.sync().catch(() => {}); // nobody else's failure: each is told of again below
    const working: string[] = [];
    for (const variant of piece.variants) {
      const error = await runs([variant]);
      if (error === null) working.push(variant);
      else this.warn(options, `the variant ${variant} of ${piece.family} is left out`, error);
    }
    return working;
  }

  /** Says something once. */
  private warn({ warn = (message) => console.warn(message) }: TuneOptions, message: string, why?: Error): void {
    if (this.warned.has(message)) return;
    this.warned.add(message);
    warn(`engram: ${message}${why ? `: ${why.message}` : ''}`);
  }
}

/** Digits enough to read. */
const told = (ms: number): number => Number(ms.toPrecision(4));

/** The rule's variant, unless another one is clearly faster. */
function fastest({ variants }: Piece, ms: Readonly<Record<string, number>>): string {
  const [best = '', time = 0] = Object.entries(ms).reduce((a, b) => (b[1] < a[1] ? b : a));
  const rule = variants[0] as string;
  return time < CLEARLY * (ms[rule] ?? Number.POSITIVE_INFINITY) ? best : rule;
}

const tuners = new WeakMap<Runtime, Tuner>();

/** The engine's tuner, if anything was tuned on it. */
export const tunerOf = (engine: Runtime): Tuner | undefined => tuners.get(engine);

/**
 * Runs a step, and measures the variants of the kernels that matrix products and convolutions in it can be run by: once for
 * each adapter and shape. From then on the fastest are launched. What was measured before is taken from the cache (in
 * Node a file in the user's cache folder, in the browser IndexedDB), so that usually nothing is measured.
 *
 * Different variants add up in different orders: results before and after tuning agree up to rounding. A step that was
 * recorded by {@link Engine.capture} keeps the variants it was recorded with, so tune its first call.
 * @param step launches what is to be tuned, a whole training step for example. It runs once, and counts.
 * @throws what `step` throws; the first error since the last wait for the GPU, if anything is measured. A variant that does
 * not compile or run, or a cache that cannot be read or written, is a warning.
 * @example
 * const train = engine.capture(step);
 * const { result: loss } = await tune(engine, () => train(images, labels));
 */
export function tune<T>(engine: Runtime, step: () => T, options: TuneOptions = {}): Promise<Tuning<T>> {
  const tuner = tuners.get(engine) ?? new Tuner(engine);
  tuners.set(engine, tuner);
  return tuner.tune(step, options);
}
