/** TensorBoard's events of a run while it learns: an event is added to the file when its epoch or task is recorded. */
import { files } from '#files';
import type { Benchmark } from '../continual/benchmark/benchmark.ts';
import { recordSoFar } from '../continual/benchmark/record-of.ts';
import { logOf } from '../continual/benchmark/run-log.ts';
import type { RunEvents } from '../report/tensorboard/run-events.ts';
import { writeEvents } from './event-folder.ts';

export class LiveEvents {
  private constructor(
    private readonly path: string,
    private readonly events: RunEvents,
    private readonly benchmark: Benchmark,
    private readonly name: string,
  ) {}

  /**
   * Brings the file into the state that the run goes on from.
   * @param folder of the events. @param name the run's own.
   */
  static async begin(folder: string, benchmark: Benchmark, name: string): Promise<LiveEvents> {
    const { path, events } = await writeEvents(folder, recordSoFar(benchmark, name));
    return new LiveEvents(path, events, benchmark, name);
  }

  /** Adds what the run recorded last. */
  async add(): Promise<void> {
    const { benchmark, name, events, path } = this;
    const [epoch] = logOf(benchmark.lines.slice(-1)).losses;
    const frame = epoch ? events.epoch(epoch) : events.task(recordSoFar(benchmark, name), benchmark.tasksDone);
    await files.append(path, frame, { makeFolder: false });
  }
}
