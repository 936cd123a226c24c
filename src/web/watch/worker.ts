/** The thread that trains: the page asks, and is told. */
import { DeviceLostError, Engine, EngramError } from 'engram';
import type { SavedRun } from 'engram/benchmark';
import { loadDataset } from 'engram/data';
import { fashionMini, glyphs } from 'engram-data';
import type { Experiment } from './experiment.ts';
import { Lockstep } from './lockstep.ts';
import type { Command, Told } from './protocol.ts';

const DATA = { 'fashion-mini': fashionMini, glyphs };

const tell = (told: Told, transfer: Transferable[] = []): void => postMessage(told, { transfer });

/** When the next step may be taken. */
class Pace {
  private isPaused = false;
  private rest = 0;
  private wake: (() => void) | null = null;

  /** Rests as long as was asked for, and waits while all is paused. */
  async turn(): Promise<void> {
    if (this.rest > 0) await new Promise((done) => setTimeout(done, this.rest));
    while (this.isPaused) {
      tell({ type: 'paused' });
      await new Promise<void>((go) => {
        this.wake = go;
      });
    }
  }

  slow(milliseconds: number): void {
    this.rest = milliseconds;
  }

  pause(): void {
    this.isPaused = true;
  }

  /** @param again whether it pauses again before the next turn. */
  goOn(again = false): void {
    this.isPaused = again;
    this.wake?.();
    this.wake = null;
  }
}

const pace = new Pace();
let lockstep: Lockstep | null = null;
/** What each learner goes on from, should the device be lost. */
const saved: SavedRun[] = [];

async function watch(experiment: Experiment): Promise<void> {
  const split = await loadDataset(DATA[experiment.data as keyof typeof DATA]);
  const engine = await Engine.create();
  const all = new Lockstep(engine, split, experiment);
  lockstep = all;
  for (const [learner, run] of saved.entries()) await all.benchmarks[learner]?.resume(run);
  const { begun } = all;
  tell(begun);
  let steps = 0;
  for await (const told of all.run(begun)) {
    if (told.type === 'stage') {
      const bytes = await (all.benchmarks[told.learner] as (typeof all.benchmarks)[number]).save();
      saved[told.learner] = { checkpoint: { bytes, where: 'the run' } };
      tell(told, [told.probabilities.buffer, told.kept.buffer, told.keptLabels.buffer]);
    } else {
      tell(told);
      // A turn is a step of each.
      if (++steps % experiment.learners.length === 0) await pace.turn();
    }
  }
  tell({ type: 'finished' });
}

function fail(error: unknown): void {
  const code = error instanceof EngramError ? error.code : 'unknown';
  const message = error instanceof Error ? error.message : String(error);
  const isLost = error instanceof DeviceLostError;
  tell({ type: 'failed', code, message, tasks: isLost ? (lockstep?.tasksDone ?? 0) : 0 });
}

addEventListener('message', ({ data: command }: MessageEvent<Command>) => {
  switch (command.type) {
    case 'start':
      watch(command.experiment).catch(fail);
      break;
    case 'pause':
      pace.pause();
      break;
    case 'go on':
      pace.goOn();
      break;
    case 'step':
      pace.goOn(true);
      break;
    case 'slow':
      pace.slow(command.milliseconds);
      break;
    case 'save':
      break;
  }
});
