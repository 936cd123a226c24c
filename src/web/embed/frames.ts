/** The turns of an example: one for each frame that the screen shows, none while it is paused, and one more for each step. */

/** The longest time that a frame stands for: after a hidden tab, pictures go on where they were. */
const LONGEST = 1 / 15;

export class Frames implements AsyncIterable<number> {
  private seconds = 0;
  private last: number | null = null;
  private isEnded = false;
  private wake: (() => void) | null = null;
  /** Frames to be shown although it is paused. */
  private steps: number;

  /** @param paused whether it is at first: one frame is shown then. */
  constructor(private paused: boolean) {
    this.steps = paused ? 1 : 0;
  }

  get isPaused(): boolean {
    return this.paused;
  }

  set isPaused(value: boolean) {
    this.paused = value;
    this.last = null;
    this.steps = 0;
    this.wake?.();
  }

  /** One frame while it is paused. */
  step(): void {
    this.steps++;
    this.wake?.();
  }

  /** Lets the loop over the frames end. */
  end(): void {
    this.isEnded = true;
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<number, void> {
    while (!this.isEnded) {
      if (this.paused && this.steps === 0) {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
        this.wake = null;
        continue;
      }
      const now = await new Promise<number>(requestAnimationFrame);
      if (this.isEnded) return;
      const past = this.last === null ? 1 / 60 : (now - this.last) / 1000;
      this.last = this.paused ? null : now;
      this.steps = Math.max(0, this.steps - 1);
      this.seconds += Math.min(past, LONGEST);
      yield this.seconds;
    }
  }
}
