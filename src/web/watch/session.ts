/** A run and what does it, a worker or a recording: commands go there, what is told comes back. */
import { Player } from './player.ts';
import type { Command, Told } from './protocol.ts';
import type { Recorded } from './recording-file.ts';

export type State = 'idle' | 'starting' | 'running' | 'paused' | 'finished' | 'failed';

type Failed = Extract<Told, { type: 'failed' }>;
const crashed = (message: string): Failed => ({ type: 'failed', code: 'unknown', message, isOver: true });

export class Session {
  private worker: Worker | null = null;
  private player: Player | null = null;
  state: State = 'idle';

  /** @param hear is told all that is told, after the state has changed. */
  constructor(private readonly hear: (told: Told) => void) {}

  /** Whether it only shows what was recorded. */
  get isRecorded(): boolean {
    return this.player !== null;
  }

  /** Begins anew in a worker of its own; what was under way is given up. */
  begin(command: Extract<Command, { type: 'start' | 'open' }>): void {
    this.end();
    this.state = 'starting';
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<Told>) => {
      if (worker === this.worker) this.told(data);
    });
    worker.addEventListener('error', ({ message }) => {
      if (worker === this.worker) this.told(crashed(message || 'The worker that trains could not be started.'));
    });
    this.worker = worker;
    worker.postMessage(command);
  }

  /** Shows a recording, as if it were learnt now. */
  play(recorded: readonly Recorded[]): void {
    this.end();
    this.state = 'starting';
    this.player = new Player(recorded, (told) => this.told(told));
  }

  send(command: Exclude<Command, { type: 'start' | 'open' }>): void {
    if (command.type === 'go on' && this.state === 'paused') this.state = 'running';
    if (command.type === 'recover') this.state = 'starting';
    this.worker?.postMessage(command);
    this.player?.hear(command);
  }

  /** Ends it, with all that it holds on the device. */
  private end(): void {
    this.worker?.terminate();
    this.player?.end();
    this.worker = null;
    this.player = null;
    this.state = 'idle';
  }

  private told(told: Told): void {
    if (told.type === 'stepped' && this.state === 'starting') this.state = 'running';
    if (told.type === 'paused') this.state = 'paused';
    if (told.type === 'finished') this.state = 'finished';
    if (told.type === 'failed' && told.isOver) this.state = 'failed';
    this.hear(told);
  }
}
