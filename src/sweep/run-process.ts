/** A run of a sweep in a process of its own: one that crashes takes nothing along, and a new one goes on from what was saved. */
import { type ChildProcess, fork } from 'node:child_process';
import type { RunFigures, RunMessage, RunOrder } from './messages.ts';

/** The program that learns a run which it is sent: a script of Node's and its arguments. */
export interface RunProgram {
  readonly script: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** How a process of a run ended. */
export type RunEnd =
  | { readonly type: 'done'; readonly figures: RunFigures }
  | { readonly type: 'stopped'; readonly figures: RunFigures | null }
  | { readonly type: 'failed'; readonly message: string; readonly again: boolean };

/** Of what a process says on its error stream, what is kept to tell why it died. */
const LAST_WORDS = 2000;

export class RunProcess {
  /** How it ended; never rejected. */
  readonly ended: Promise<RunEnd>;
  private readonly child: ChildProcess;
  private lastWords = '';
  private end: RunEnd | null = null;
  private isAsked = false;

  /**
   * Begins.
   * @param follow is told what the process says, but for how it ends.
   */
  constructor({ script, args, env }: RunProgram, order: RunOrder, follow: (message: RunMessage) => void) {
    this.child = fork(script, [...args], {
      // In a group of its own: Ctrl-C in the terminal reaches the sweep alone, which asks its runs to stop one by one.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, ...env },
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.lastWords = (this.lastWords + text).slice(-LAST_WORDS);
    });
    this.child.on('message', (message: RunMessage) => {
      if (message.type === 'ready') this.child.send(order);
      else if (message.type === 'done' || message.type === 'stopped' || message.type === 'failed') this.end = message;
      else follow(message);
    });
    this.ended = new Promise((resolve) => {
      this.child.on('error', (error) => {
        resolve({ type: 'failed', message: `its process cannot be started: ${error.message}`, again: true });
      });
      this.child.on('close', (code, signal) => resolve(this.end ?? this.unexpected(code, signal)));
    });
  }

  /** Asks it to stop once all is saved; a second time, at once. */
  stop(): void {
    this.isAsked = true;
    this.child.kill('SIGTERM');
  }

  /** Ends it at once. */
  kill(): void {
    this.child.kill('SIGKILL');
  }

  private unexpected(code: number | null, signal: NodeJS.Signals | null): RunEnd {
    // One that had only begun does not know yet that it is to save first.
    if (this.isAsked && signal === 'SIGTERM') return { type: 'stopped', figures: null };
    const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
    const said = this.lastWords.trim().split('\n').slice(-3).join(' ');
    return { type: 'failed', message: `its process ${how}${said === '' ? '' : `: ${said}`}`, again: true };
  }
}
