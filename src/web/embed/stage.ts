/** What an example has of the page around it. */
export interface Stage {
  /** Asked for anew at each start: a device can be requested of it. */
  readonly adapter: GPUAdapter;
  /** A turn for each frame, with the seconds that were shown so far. It ends when the visitor stops. */
  readonly frames: AsyncIterable<number>;
  /** Shows the loss of a training step. */
  readonly told: (loss: number) => void;
  /** Is called when the example has ended, however it did; the last one first. */
  readonly atEnd: (free: () => unknown) => void;
}

/** Every example exports one as `run`. It ends soon after the frames do. */
export type Run = (canvas: HTMLCanvasElement, stage: Stage) => Promise<void>;
