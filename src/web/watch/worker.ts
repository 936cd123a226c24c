/** The thread that trains: the page asks, and is told. */
import { ArgumentError, Engine } from 'engram';
import type { Benchmark } from 'engram/benchmark';
import { failureOf } from '../shared/failure.ts';
import { patiently } from '../shared/patiently.ts';
import { Lockstep } from './lockstep.ts';
import { Pace } from './pace.ts';
import type { Command, Told } from './protocol.ts';
import type { Recorded } from './recording-file.ts';
import { archiveOf, benchmarksOf, dataOf, type Found, isOf, type Run, runsIn, runsOf } from './runs.ts';

const tell = (told: Told, transfer: Transferable[] = []): void => postMessage(told, { transfer });

/** What was told of the runs so far. */
let recorded: Recorded[] = [];
function record(told: Recorded): void {
  recorded.push(told);
  tell(told);
}

const pace = new Pace(() => tell({ type: 'paused' }));
/** What is learnt, each from its last finished task on should the device be lost. */
let runs: Run[] = [];
let benchmarks: readonly Benchmark[] = [];

/**
 * @param before what was told of the runs, of those that were opened.
 * @param again whether it goes on with what was told before.
 */
async function watch(before: readonly Recorded[] | null, again: boolean): Promise<void> {
  const split = await dataOf(runs);
  const engine = await patiently(() => Engine.create());
  benchmarks = await benchmarksOf(engine, split, runs);
  const lockstep = new Lockstep(benchmarks);
  const begun = await lockstep.begun(again);
  if (again) tell(begun);
  else {
    recorded = [];
    record(begun);
    const past = before && isOf(before, benchmarks) ? before.slice(1) : lockstep.past(begun);
    for await (const told of past) record(told);
  }
  let steps = 0;
  for await (const told of lockstep.run(begun)) {
    if (told.type === 'stage') await keep(told.learner);
    record(told);
    // A turn is a step of each.
    if (told.type === 'stepped' && ++steps % benchmarks.length === 0) await pace.turn();
  }
  tell({ type: 'finished' });
}

async function keep(learner: number): Promise<void> {
  const bytes = await (benchmarks[learner] as Benchmark).save();
  const { config } = runs[learner] as Run;
  runs[learner] = { config, checkpoint: { name: 'checkpoint.safetensors', bytes } };
}

async function save(): Promise<void> {
  const archive = await archiveOf(benchmarks, recorded).catch((cause) => {
    if (!(cause instanceof ArgumentError)) throw cause;
    throw new ArgumentError({
      where: 'download',
      message: 'no task is finished yet.',
      fix: 'Wait for the first one to be learnt.',
      cause,
    });
  });
  tell({ type: 'saved', archive }, [archive.buffer]);
}

/** @param isOver whether training ended with it. */
function fail(error: unknown, isOver: boolean): void {
  tell({ type: 'failed', ...failureOf(error), isOver });
}

/** Begins, or goes on; what fails is told. */
async function begin(prepare: () => Found, again = false): Promise<void> {
  try {
    const found = prepare();
    runs = found.runs;
    await watch(found.recorded, again);
  } catch (error) {
    fail(error, true);
  }
}

addEventListener('message', ({ data: command }: MessageEvent<Command>) => {
  switch (command.type) {
    case 'start':
      return void begin(() => ({ runs: runsOf(command.experiment), recorded: null }));
    case 'open':
      return void begin(() => runsIn(command.files));
    case 'recover':
      return void begin(() => ({ runs, recorded: null }), true);
    case 'pause':
      return pace.pause();
    case 'go on':
      return pace.goOn();
    case 'step':
      return pace.step();
    case 'slow':
      return pace.slow(command.milliseconds);
    case 'save':
      return void save().catch((error) => fail(error, false));
  }
});
