/** An example that runs: its adapter, its frames, its losses, its end. */
import type { Example } from './examples.ts';
import { Frames } from './frames.ts';

export interface Losses {
  readonly first: number;
  readonly latest: number;
  readonly steps: number;
}

/** Milliseconds in which a browser tells that a device is lost, when something else has failed by that. */
const LOST_WITHIN = 200;
const pause = (milliseconds: number) => new Promise<null>((resolve) => setTimeout(resolve, milliseconds, null));

/** There is no WebGPU here, or none that can be used. */
export class NoAdapter extends Error {}

export class Running {
  readonly frames: Frames;
  /** When it has ended and everything is freed. Throws what the example threw. */
  readonly done: Promise<void>;
  losses: Losses | null = null;
  private isStopping = false;

  constructor(
    readonly example: Example,
    canvas: HTMLCanvasElement,
    isPaused: boolean,
    /** Is called at each loss. */
    private readonly changed: () => void,
  ) {
    this.frames = new Frames(isPaused);
    this.done = this.run(canvas);
  }

  get state(): 'starting' | 'running' | 'paused' | 'stopping' {
    if (this.isStopping) return 'stopping';
    if (!this.losses) return 'starting';
    return this.frames.isPaused ? 'paused' : 'running';
  }

  stop(): void {
    this.isStopping = true;
    this.frames.end();
  }

  private async run(canvas: HTMLCanvasElement): Promise<void> {
    const ends: (() => unknown)[] = [];
    try {
      const adapter = (await navigator.gpu?.requestAdapter()) ?? null;
      if (!adapter) throw new NoAdapter('This browser has no WebGPU that can be used here.');
      const lost = this.watch(adapter);
      const { run } = await this.example.load().catch((error: unknown) => {
        throw new Error(`The example could not be loaded. ${error instanceof Error ? error.message : error}`);
      });
      const told = (latest: number) => {
        const { first = latest, steps = 0 } = this.losses ?? {};
        this.losses = { first, latest, steps: steps + 1 };
        this.changed();
      };
      const stage = { adapter, frames: this.frames, told, atEnd: (free: () => unknown) => ends.push(free) };
      const error: unknown = await run(canvas, stage).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      // What it stumbled over is told when the device is still there.
      if (error || !this.isStopping) throw (await Promise.race([lost, pause(LOST_WITHIN)])) ?? error;
    } finally {
      for (const free of ends.reverse()) {
        try {
          await free();
        } catch (error) {
          console.error(error); // the others are to be freed all the same
        }
      }
    }
  }

  /** Ends the frames when the device that is requested of the adapter is lost. */
  private watch(adapter: GPUAdapter): Promise<Error> {
    return new Promise((resolve) => {
      const request = adapter.requestDevice.bind(adapter);
      adapter.requestDevice = async (descriptor) => {
        const device = await request(descriptor);
        device.lost.then(({ message }) => {
          resolve(new Error(`The GPU device was lost, and what was learnt with it. (${message})`));
          this.frames.end();
        });
        return device;
      };
    });
  }
}
