/** `engram queue`: what is on a queue, and what is done with all of it. */

import { version } from '../../package.json';
import { ConfigError } from '../errors.ts';
import { clipped, printable } from '../gpu/printable.ts';
import { counted } from '../report/counted.ts';
import { tableOf } from '../report/table.ts';
import { type Connection, connect } from '../sweep/queue/connection.ts';
import { cancelSweep, clearQueue, pauseQueue, queueStatus, resumeQueue } from '../sweep/queue/queue-control.ts';
import { didYouMean } from './config-flags.ts';

const LIST = '`engram queue --queue URL`';

type Action = (connection: Connection, sweep: string | undefined) => Promise<string>;

async function status(connection: Connection): Promise<string> {
  const { isPaused, workers, sweeps } = await queueStatus(connection);
  const head = `${counted(workers, 'worker')}${isPaused ? ', paused' : ''}`;
  if (sweeps.size === 0) return `${head}, and nothing on the queue`;
  const table = tableOf(['sweep', 'waiting', 'running', 'to be tried again', 'done', 'failed'], 'left');
  for (const [name, { waiting, active, delayed, completed, failed }] of sweeps)
    table.push([printable(name), ...[waiting, active, delayed, completed, failed].map(String)]);
  return `${head}\n${table}`;
}

const actions: Readonly<Record<string, Action>> = {
  status,
  pause: async (connection) => {
    await pauseQueue(connection);
    return 'Paused: no worker takes another run; those under way go on.';
  },
  resume: async (connection) => {
    await resumeQueue(connection);
    return 'Resumed.';
  },
  cancel: async (connection, sweep) => {
    if (sweep === undefined) {
      throw new ConfigError({
        where: 'cancel',
        message: 'it is not said which sweep.',
        fix: `Name it: engram queue cancel NAME --queue URL; ${LIST} lists them.`,
      });
    }
    const { sweeps } = await queueStatus(connection);
    if (!sweeps.has(sweep)) {
      const names = [...sweeps.keys()];
      throw new ConfigError({
        where: 'cancel',
        message: `no sweep "${clipped(sweep)}" is on the queue.`,
        fix: names.length > 0 ? `${didYouMean(sweep, names)} ${LIST} lists them.` : 'The queue is empty.',
      });
    }
    const { waiting, active } = await cancelSweep(connection, sweep);
    return `Cancelled: ${counted(waiting, 'waiting run')} taken off the queue, ${counted(active, 'run')} under way told to stop.`;
  },
  clear: async (connection) => {
    await clearQueue(connection);
    return 'Cleared: nothing is on the queue any more.';
  },
};

/** @throws {ConfigError} for an unknown action, or a queue that cannot be used. */
export async function queue(url: string, name: string, sweep: string | undefined): Promise<void> {
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (!action) {
    throw new ConfigError({
      where: `queue ${clipped(name)}`,
      message: 'there is no such action.',
      fix: `${didYouMean(name, Object.keys(actions))} They are ${Object.keys(actions).join(', ')}.`,
    });
  }
  // Another version's queue can be cleared by this one: that is how it becomes this one's.
  const connection = await connect(url, version, { anyVersion: name === 'clear' });
  try {
    console.log(await action(connection, sweep));
  } finally {
    await connection.close();
  }
}
