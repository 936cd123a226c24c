/** How long work takes: on the device by timestamp queries, else by the clock around a batch of launches. */
import type { Runtime } from '../runtime.ts';

/** Something to be timed. */
export interface Run {
  /** The kernel variant that it runs. */
  readonly variant: string;
  /** Launches in a row; the time of one of them is measured. */
  readonly repeats: number;
  /** Launches it once. */
  launch(): void;
}

/** Milliseconds of one launch of each, in order. */
export type Stopwatch = (engine: Runtime, runs: readonly Run[]) => Promise<number[]>;

function launchAll({ repeats, launch }: Run): void {
  for (let i = 0; i < repeats; i++) launch();
}

/** From the begin of a run's first kernel to the end of its last: browsers round single timestamps. */
async function onDevice(engine: Runtime, runs: readonly Run[]): Promise<number[]> {
  const ends: number[] = [];
  const before = engine.memory().dispatches;
  const { launches } = await engine.profile(() => {
    for (const run of runs) {
      launchAll(run);
      ends.push(engine.memory().dispatches - before);
    }
  });
  return runs.map(({ repeats }, i) => {
    const own = launches.slice(ends[i - 1] ?? 0, ends[i]);
    const [first, last] = [own[0], own.at(-1)];
    return first && last ? (last.start + last.duration - first.start) / repeats : 0;
  });
}

async function byClock(engine: Runtime, runs: readonly Run[]): Promise<number[]> {
  const timed = async (work: () => void): Promise<number> => {
    const start = performance.now();
    work();
    await engine.sync();
    return performance.now() - start;
  };
  await engine.sync();
  const wait = await timed(() => {});
  const times: number[] = [];
  for (const run of runs) times.push(Math.max(0, (await timed(() => launchAll(run))) - wait) / run.repeats);
  return times;
}

/** By timestamp queries where the device has them. */
export const stopwatch: Stopwatch = (engine, runs) =>
  engine.device.features.has('timestamp-query') ? onDevice(engine, runs) : byClock(engine, runs);
