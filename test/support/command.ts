/** The command as people have it: child processes, what they say and how they end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const running = new Set<ChildProcess>();
test.after(() => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Outcome {
  code: number | null;
  out: string;
  errors: string;
}

export function start(args: readonly string[]): { child: ChildProcess; ended: Promise<Outcome> } {
  const child = spawn(process.execPath, ['dist/cli.js', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', DEBUG: '' },
  });
  running.add(child);
  const ended = new Promise<Outcome>((done) => {
    let [out, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    child.on('close', (code) => {
      running.delete(child);
      // Dawn speaks on its own where stderr is a socket, as here; driver-chatter.test.ts has the rest.
      done({ code, out, errors: errors.replace(/^Warning: max.*\n/gm, '') });
    });
  });
  return { child, ended };
}

export const engram = (...args: string[]): Promise<Outcome> => start(args).ended;

/** Every file below a folder with its content in short, for a look at whether anything changed. */
export function snapshot(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path, createHash('sha256').update(readFileSync(path)).digest('hex')];
    }),
  );
}

/** One paragraph on what, where and how to fix it; exit code 2; nothing written below this folder. */
export async function refusedIn(folder: string, args: readonly string[], ...patterns: RegExp[]): Promise<void> {
  const before = snapshot(folder);
  const { code, errors } = await engram(...args);
  const said = `engram ${args.join(' ')}: ${errors}`;
  assert.is(code, 2, said);
  for (const pattern of patterns) assert.match(errors, pattern, said);
  assert.is(errors.trimEnd().split('\n').length, 1, `one paragraph: ${said}`);
  const after = snapshot(folder);
  assert.equal(Object.keys(after), Object.keys(before), 'no file came or went');
  assert.equal(after, before, 'no file changed');
}
