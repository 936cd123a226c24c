/** `engram tune`: measures the kernels of a training step on this adapter, for every later run, and shows what was found. */
import { SingleBar } from 'cli-progress';
import picocolors from 'picocolors';
import type { TunedPiece } from '../gpu/tuning/piece.ts';
import type { TuneOptions } from '../gpu/tuning/tuner.ts';
import { tune as tuneStep } from '../ops/tune.ts';
import { tuningTable } from '../report/tuning-table.ts';
import type { StepOptions } from './step-flags.ts';
import { trainingStep } from './training-step.ts';
import { withEngine } from './with-engine.ts';

export interface TuneCommand extends StepOptions {
  budget?: number;
  force?: boolean;
  json?: boolean;
}

/** Milliseconds between two lines where there is no terminal. */
const SPARSE_MS = 10_000;

/** What a person sees while pieces are measured. On the error stream: what is found goes to the other one. */
function progress(): { onPiece: NonNullable<TuneOptions['onPiece']>; stop: () => void } {
  let spoken = performance.now();
  const bar = process.stderr.isTTY
    ? new SingleBar({
        format: `measuring ${picocolors.cyan('{bar}')} {value}/{total}  {what}`,
        barCompleteChar: '━',
        barIncompleteChar: '─',
        barsize: 20,
        stream: process.stderr,
        clearOnComplete: true,
        gracefulExit: false,
      })
    : null;
  return {
    onPiece({ piece, done, total }) {
      const what = `${piece.family} ${piece.work}`;
      if (bar) {
        if (!bar.isActive) bar.start(total, done, { what });
        bar.update(done, { what });
      } else if (performance.now() - spoken > SPARSE_MS) {
        spoken = performance.now();
        console.error(`measuring ${done + 1}/${total}: ${what}`);
      }
    },
    stop: () => bar?.stop(),
  };
}

/** Milliseconds of a step's pieces by the variants that `of` names, as far as they were measured. */
const stepTime = (pieces: readonly TunedPiece[], of: (piece: TunedPiece) => string): number =>
  pieces.reduce((sum, piece) => sum + piece.launches * (piece.ms[of(piece)] ?? 0), 0);

/** @throws {ConfigError | AdapterError} */
export async function tune({ budget = Number.POSITIVE_INFINITY, force, json, ...options }: TuneCommand): Promise<void> {
  await withEngine(
    async (engine) => {
      const step = trainingStep(engine, options);
      const { onPiece, stop } = progress();
      const { pieces } = await tuneStep(engine, () => engine.scope(() => void step()), {
        budget,
        force: force ?? false,
        onPiece,
      }).finally(stop);
      const times = { rules: stepTime(pieces, ({ rule }) => rule), tuned: stepTime(pieces, ({ variant }) => variant) };
      if (json) {
        for (const piece of pieces) console.log(JSON.stringify(piece));
        console.log(JSON.stringify({ step: times, adapter: engine.adapterDescription }));
        return;
      }
      console.log(tuningTable(pieces));
      const fresh = pieces.filter(({ from }) => from === 'measured').length;
      const left = pieces.filter(({ from }) => from === 'rule').length;
      console.log(
        `a step    ${picocolors.bold(`${times.tuned.toFixed(2)} ms`)} of products and convolutions, ${times.rules.toFixed(2)} ms by the rules`,
      );
      console.log(
        `tuned     ${fresh} measured, ${pieces.length - fresh - left} from the cache${left ? `, ${left} left` : ''}`,
      );
    },
    { quiet: json ?? false },
  );
}
