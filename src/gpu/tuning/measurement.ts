/** Measures the variants of a piece of work, and finds the fastest. */
import { DeviceLostError } from '../../errors.ts';
import type { Runtime } from '../runtime.ts';
import type { Piece, Rehearsal } from './piece.ts';
import type { Run, Stopwatch } from './stopwatch.ts';
import type { Choice } from './tuning-cache.ts';

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

/** What measuring is done with. */
export interface Instruments {
  readonly stopwatch: Stopwatch;
  /** Takes what was left out, and why; the variant, if it was only one. */
  warn(message: string, why: Error, variant?: string): void;
}

/**
 * The fastest variant of a piece; none when there is no memory for it, or no variant of it runs.
 * @throws {DeviceLostError} when the device is lost meanwhile.
 */
export async function measure(engine: Runtime, piece: Piece, instruments: Instruments): Promise<Choice | null> {
  const rehearsal = rehearse(piece, instruments);
  if (!rehearsal) return null;
  try {
    const variants = await working(engine, piece, rehearsal, instruments);
    if (variants.length === 0) return null;
    const ms = await timesOf(engine, piece, variants, rehearsal, instruments);
    return { variant: fastest(piece.variants, ms), ms };
  } finally {
    rehearsal.dispose();
  }
}

/** None where there is no memory for it. */
function rehearse(piece: Piece, { warn }: Instruments): Rehearsal | null {
  try {
    return piece.rehearse();
  } catch (error) {
    warn(`${piece.family} ${piece.work} is not tuned`, error as Error);
    return null;
  }
}

/** The variants that compile and run, which are compiled then. */
async function working(
  engine: Runtime,
  { family, variants }: Piece,
  rehearsal: Rehearsal,
  { warn }: Instruments,
): Promise<readonly string[]> {
  const runs = async (some: readonly string[]): Promise<Error | null> => {
    try {
      for (const variant of some) rehearsal.launch(variant);
      await engine.sync();
      return null;
    } catch (error) {
      if (error instanceof DeviceLostError) throw error;
      return error as Error;
    }
  };
  // All at once, since they compile side by side; one by one only to find out which of them fail.
  if ((await runs(variants)) === null) return variants;
  await engine.sync().catch(() => {}); // the same failures: each comes up again below
  const found: string[] = [];
  for (const variant of variants) {
    const error = await runs([variant]);
    if (error === null) found.push(variant);
    else warn(`the variant ${variant} of ${family} is left out`, error, variant);
  }
  return found;
}

/** Milliseconds of one run by each variant. */
async function timesOf(
  engine: Runtime,
  piece: Piece,
  variants: readonly string[],
  rehearsal: Rehearsal,
  { stopwatch }: Instruments,
): Promise<Record<string, number>> {
  const runOf = (variant: string, repeats: number): Run => ({
    variant,
    repeats,
    launch: () => rehearsal.launch(variant),
  });
  const ms: Record<string, number> = {};
  const sights = await stopwatch(
    engine,
    variants.map((variant) => runOf(variant, 1)),
  );
  variants.forEach((variant, i) => {
    ms[variant] = rounded(sights[i] as number);
  });
  const least = Math.max(ROUNDED_MS, Math.min(...sights));
  const close = variants.filter(
    (variant) => (ms[variant] as number) <= HOPELESS * least || variant === piece.variants[0],
  );
  if (close.length > 1) {
    const round = close.map((variant) =>
      runOf(variant, Math.min(MOST_REPEATS, Math.max(1, Math.ceil(MEASURED_MS / (ms[variant] as number))))),
    );
    const times = await stopwatch(engine, Array<Run[]>(ROUNDS).fill(round).flat());
    close.forEach((variant, i) => {
      ms[variant] = rounded(Math.min(...times.filter((_, at) => at % close.length === i)));
    });
  }
  return ms;
}

/** Digits enough to read. */
const rounded = (ms: number): number => Number(ms.toPrecision(4));

/**
 * The rule's variant, unless another one is clearly faster.
 * @param variants the rule's first.
 * @param ms of one run at least.
 */
export function fastest(variants: readonly string[], ms: Readonly<Record<string, number>>): string {
  const timeOf = (variant: string) => ms[variant] ?? Number.POSITIVE_INFINITY;
  const best = variants.reduce((a, b) => (timeOf(b) < timeOf(a) ? b : a));
  const rule = variants[0] as string;
  return timeOf(best) < CLEARLY * timeOf(rule) ? best : rule;
}
