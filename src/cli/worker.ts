/** `engram worker`: learns runs of sweeps from a queue, until it is asked to stop. */
import picocolors from 'picocolors';
import { version } from '../../package.json';
import { printable } from '../gpu/printable.ts';
import { connect } from '../sweep/queue/connection.ts';
import { QueueWorker, type WorkerEvent } from '../sweep/queue/worker.ts';
import { Interrupted } from './exit.ts';
import { runProgram } from './run-program.ts';
import { StopSignal } from './stop-signal.ts';
import { assertWritable } from './writable.ts';

export interface WorkerOptions {
  readonly queue: string;
  readonly folder: string;
  readonly jobs: number;
  readonly patience: number;
  readonly losses: number;
}

/** The same trouble with the queue is told once in so many milliseconds. */
const AGAIN_MS = 30_000;

function teller(): (event: WorkerEvent) => void {
  const told = new Map<string, number>();
  return ({ type, run, text }) => {
    const time = new Date().toTimeString().slice(0, 8);
    if (type === 'queue') {
      const now = performance.now();
      if (now - (told.get(text) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
      told.set(text, now);
      console.log(picocolors.yellow(printable(`${time}  queue: ${text}`)));
      return;
    }
    const which = run ? `${run.sweep} ${run.run}` : '';
    const paint = type === 'done' ? picocolors.green : type === 'failed' ? picocolors.red : picocolors.dim;
    console.log(`${picocolors.dim(time)}  ${paint(type.padEnd(8))}  ${printable(`${which}: ${text}`)}`);
  };
}

/**
 * @throws {ConfigError} when the queue cannot be used.
 * @throws Interrupted once it was asked to stop, and its runs are given back.
 */
export async function worker({ queue: url, folder, jobs, patience, losses }: WorkerOptions): Promise<void> {
  await assertWritable(folder);
  const connection = await connect(url, version);
  const one = new QueueWorker({
    ...{ connection, folder, jobs, patience, losses },
    program: runProgram(jobs),
    onEvent: teller(),
  });
  console.log(picocolors.dim(`queue     ${printable(connection.url)}\nfolder    ${printable(folder)}`));
  let stopped: Promise<void> = Promise.resolve();
  const signal = new StopSignal(() => {
    console.log(picocolors.dim('stops once its runs are saved'));
    stopped = one.stop();
  });
  await one.run();
  await stopped;
  await connection.close();
  throw new Interrupted('Stopped: runs that were under way are saved, and on the queue again.', signal.code || 1);
}
