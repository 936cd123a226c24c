/** A run and the worker that does it: commands go there, what is told comes back. */
import type { Experiment } from './experiment.ts';
import type { Command, Told } from './protocol.ts';

export type State = 'idle' | 'starting' | 'running' | 'paused' | 'finished' | 'failed';

export class Session {
  private worker: Worker | null = null;
  state: State = 'idle';

  /** @param hear is told all that the worker tells, after the state has changed. */
  constructor(private readonly hear: (told: Told) => void) {}

  /** Begins anew; what was under way is given up. */
  start(experiment: Experiment): void {
    this.end();
    this.state = 'starting';
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<Told>) => {
      if (worker === this.worker) this.told(data);
    });
    worker.addEventListener('error', ({ message }) => {
      if (worker !== this.worker) return;
      this.told({ type: 'failed', code: 'unknown', message: message || 'the worker could not be started.', tasks: 0 });
    });
    this.worker = worker;
    this.send({ type: 'start', experiment });
  }

  send(command: Command): void {
    if (command.type === 'go on' && this.state === 'paused') this.state = 'running';
    this.worker?.postMessage(command);
  }

  /** Ends the worker with all that it holds on the device. */
  end(): void {
    this.worker?.terminate();
    this.worker = null;
    this.state = 'idle';
  }

  private told(told: Told): void {
    if (told.type === 'stepped' && this.state === 'starting') this.state = 'running';
    if (told.type === 'paused') this.state = 'paused';
    if (told.type === 'finished') this.state = 'finished';
    if (told.type === 'failed') this.state = 'failed';
    this.hear(told);
  }
}
