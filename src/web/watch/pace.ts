/** When the next step may be taken. */
export class Pace {
  private isPaused = false;
  /** Whether the next turn is the only one. */
  private once = false;
  private rest = 0;
  private wake: (() => void) | null = null;

  /** @param waiting is told when it begins to wait for being woken. */
  constructor(private readonly waiting: () => void) {}

  /** Rests as long as was asked for, and waits while all is paused. */
  async turn(): Promise<void> {
    if (this.rest > 0) await new Promise((done) => setTimeout(done, this.rest));
    while (this.isPaused) {
      const woken = new Promise<void>((go) => {
        this.wake = go;
      });
      this.waiting();
      await woken;
      if (this.once) {
        this.once = false;
        return;
      }
    }
  }

  slow(milliseconds: number): void {
    this.rest = milliseconds;
  }

  pause(): void {
    this.isPaused = true;
  }

  goOn(): void {
    this.isPaused = false;
    this.wake?.();
  }

  /** One turn, and pauses again. */
  step(): void {
    this.isPaused = true;
    this.once = true;
    this.wake?.();
  }
}
