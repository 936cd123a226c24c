/** The worker that measures: commands go there, what is told comes back. */
import type { Command, GpuChoice, Part, Told } from './protocol.ts';

export class Session {
  private worker: Worker | null = null;
  private gpu: GpuChoice | null = null;
  isBusy = false;

  /** @param hear is told all that the worker tells. */
  constructor(private readonly hear: (told: Told) => void) {}

  /** Runs parts, one after the other. Nothing else may be under way. */
  run(parts: readonly Part[], gpu: GpuChoice, only: readonly string[]): void {
    if (this.gpu !== gpu) this.stop();
    this.gpu = gpu;
    this.isBusy = true;
    this.worker ??= this.begin();
    this.worker.postMessage({ type: 'run', parts, gpu, only } satisfies Command);
  }

  /** Ends the worker with all that it holds on the device, and whatever it is at. */
  stop(): void {
    this.worker?.terminate();
    this.worker = null;
    this.isBusy = false;
  }

  private begin(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    const told = (data: Told): void => {
      if (worker !== this.worker) return;
      if (data.type === 'finished') this.isBusy = false;
      // Its device may be gone: the next command begins with another.
      if (data.type === 'failed') this.stop();
      this.hear(data);
    };
    worker.addEventListener('message', ({ data }: MessageEvent<Told>) => told(data));
    worker.addEventListener('error', ({ message }) => {
      told({ type: 'failed', code: 'unknown', message: message || 'the worker could not be started.' });
    });
    return worker;
  }
}
