/** One engine in a process of its own: does the work, times it and prints one line of JSON. */
import { environmentOptions } from '../../src/cli/environment.ts';
import { Engine } from '../../src/index.ts';
import type { Timing } from '../bench-case.ts';
import { samplesOf, summarize, timed } from '../bench-timing.ts';
import { provideNavigatorGpu } from './browser-gpu.ts';
import { readyEngram } from './engram-peer.ts';
import { readyJax } from './jax-peer.ts';
import { type Inputs, readInputs } from './peer-inputs.ts';
import type { PeerTask, ReadyWork } from './peer-work.ts';
import { readyTensorFlow } from './tfjs-peer.ts';

/** The program's flag that makes it this process. */
export const PEER_FLAG = '--peer-of';

export interface PeerReport extends Timing {
  readonly adapter: string;
  /** Milliseconds from the start of the process to the first result on the CPU. */
  readonly first: number;
  /** Losses before the first steps, or the sum of squares of an operation's result. */
  readonly values: readonly number[];
}

const STEPS_CHECKED = 3;
const SAMPLE_MS = 40;
/** jax-js keeps the results of all runs until they are waited for. */
const MOST_BATCH = 32;
const STEPS_BUDGET = 6000;
const OPERATION_BUDGET = 800;

async function prepare({ engine, work }: PeerTask, inputs: Inputs): Promise<{ ready: ReadyWork; adapter: string }> {
  if (engine === 'engram') {
    const own = await Engine.create(environmentOptions());
    return { ready: readyEngram(own, work, inputs), adapter: own.adapterDescription };
  }
  const adapter = await provideNavigatorGpu();
  return { ready: await (engine === 'tfjs' ? readyTensorFlow(work, inputs) : readyJax(work, inputs)), adapter };
}

const sample = (ready: ReadyWork, runs: number) => timed(runs, () => ready.sample(runs));

async function time(ready: ReadyWork, { work, samples }: PeerTask): Promise<Timing> {
  const training = work.kind === 'training';
  let batch = 1;
  if (!training) {
    await ready.sample(1);
    const { wall } = await sample(ready, 2);
    batch = Math.max(1, Math.min(MOST_BATCH, Math.ceil(SAMPLE_MS / wall)));
  }
  const budget = training ? STEPS_BUDGET : OPERATION_BUDGET;
  const taken = await samplesOf(() => sample(ready, batch), { budget, ...(samples === undefined ? {} : { samples }) });
  return summarize(taken, batch);
}

export async function runPeer(text: string): Promise<void> {
  const task = JSON.parse(text) as PeerTask;
  const { ready, adapter } = await prepare(task, await readInputs(task.inputs));
  const values = [await ready.check()];
  // The clock's zero is the start of the process.
  const first = performance.now();
  if (task.work.kind === 'training') while (values.length < STEPS_CHECKED) values.push(await ready.check());
  const report: PeerReport = { ...(await time(ready, task)), adapter, first, values };
  console.log(JSON.stringify(report));
}
