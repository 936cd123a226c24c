/** Ctrl-C, and being asked to end: the first is noted and answered at the next chance, the second ends at once. */
const CODES: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 130, SIGTERM: 143 };
const SIGNALS = Object.keys(CODES) as NodeJS.Signals[];

export class StopSignal {
  /** 0 until a signal came; then the exit code it stands for. */
  code = 0;

  /** @param onFirst called when the first one comes. */
  constructor(private readonly onFirst = (): void => {}) {
    for (const signal of SIGNALS) process.on(signal, this.note);
  }

  dispose(): void {
    for (const signal of SIGNALS) process.off(signal, this.note);
  }

  private readonly note = (signal: NodeJS.Signals): void => {
    const code = CODES[signal] ?? 1;
    if (this.code > 0) process.exit(code);
    this.code = code;
    this.onFirst();
  };
}
