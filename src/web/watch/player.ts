/** Tells a recording again, at its own pace. */
import { Pace } from './pace.ts';
import type { Command, Told } from './protocol.ts';
import type { Recorded } from './recording-file.ts';

/** Milliseconds between two steps, and steps at once: a run of minutes passes in half of one. */
const BETWEEN = 30;

export class Player {
  private readonly pace: Pace;
  private isOver = false;

  constructor(
    recorded: readonly Recorded[],
    private readonly tell: (told: Told) => void,
  ) {
    this.pace = new Pace(() => this.tell({ type: 'paused' }));
    this.pace.slow(BETWEEN);
    void this.play(recorded);
  }

  hear(command: Command): void {
    if (command.type === 'pause') this.pace.pause();
    if (command.type === 'go on') this.pace.goOn();
    if (command.type === 'step') this.pace.step();
    if (command.type === 'slow') this.pace.slow(Math.max(BETWEEN, command.milliseconds));
  }

  end(): void {
    this.isOver = true;
  }

  private async play(recorded: readonly Recorded[]): Promise<void> {
    const begun = recorded.find(({ type }) => type === 'begun');
    const turn = begun?.type === 'begun' ? begun.learners.length : 1;
    let steps = 0;
    for (const told of recorded) {
      if (told.type === 'stepped' && steps++ % turn === 0) await this.pace.turn();
      if (this.isOver) return;
      this.tell(told);
    }
    this.tell({ type: 'finished' });
  }
}
