/** Programs that are killed, and how they end. */
import { spawn } from 'node:child_process';

export interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  /** Both streams. */
  readonly said: string;
  /** From its start. */
  readonly ms: number;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds it has before it is killed, from `ready` on; it is left alone by default. */
  readonly kill?: number | undefined;
  readonly ready?: () => boolean;
}

/** Runs Node with these arguments to its end. */
export function runUntilKilled(
  args: readonly string[],
  { env = process.env, kill, ready = () => true }: RunOptions = {},
): Promise<Ended> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const started = performance.now();
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const waiting =
    kill === undefined
      ? undefined
      : setInterval(() => {
          if (!ready()) return;
          clearInterval(waiting);
          setTimeout(() => child.kill('SIGKILL'), kill);
        }, 2);
  return new Promise((done) => {
    child.on('close', (code, signal) => {
      clearInterval(waiting);
      done({ code, signal, said, ms: performance.now() - started });
    });
  });
}
