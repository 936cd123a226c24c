/**
 * Runs the test files, each in a process of its own, so that one that crashes or hangs is one failure and the others
 * still count (uvu's own command runs all in one process, where a fault in Dawn would take everything along).
 * The last line is `N passed, N failed, N skipped`; the lines before it tell what was skipped, and why.
 *
 *     node .build/test/run.js [PART OF A NAME | -PART OF A NAME THAT IS LEFT OUT ...]
 */

import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { counts, judge, type Outcome } from './support/outcome.ts';

/** Long files first, so that none of them is left running alone at the end; the others take seconds. */
const LONGEST = [
  'in-browser',
  'sweep-queue',
  'sweep',
  'resume-benchmark',
  'unfinished-task',
  'learning',
  'half-learning',
  'tuner',
  'site-gpu',
  'matmul',
  'golden',
  'torch-networks',
  'distill',
  'cli',
  'compression-command',
  'kill',
  'run-folder',
  'mixed-precision',
  'leaks',
  'analyse',
  'package',
  'site-landscape',
  'site-teach',
  'site-watch',
];
/** The slowest file takes a fraction of this, even on a busy machine: what is not done by then hangs. */
const TIME_LIMIT_MS = 25 * 60_000;
/** The CPU rasterizers use every core themselves, so more than two at once only wait for each other. */
const AT_ONCE = Math.min(2, availableParallelism());
/** Lavapipe's threads, so that files share the cores instead of waiting for each other's: a tenth of the processor time. */
const THREADS = { LP_NUM_THREADS: `${Math.max(1, Math.floor(availableParallelism() / AT_ONCE))}` };

/** What a file says of a test that it skipped; see `support/given.ts`. */
const SKIP_LINES = /^skipped for want of .*$/gm;

function runFile(name: string): Promise<Outcome> {
  return new Promise((done) => {
    const started = performance.now();
    const child = spawn(process.execPath, ['--enable-source-maps', `.build/test/${name}.test.js`], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...THREADS, ...process.env },
    });
    let output = '';
    const collect = (chunk: string) => {
      output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, TIME_LIMIT_MS);
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      const outcome = judge(output, late ? `took more than ${TIME_LIMIT_MS / 1000} s` : ended(code, signal));
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(`${outcome.failed ? '✗' : '✓'} ${name} (${seconds} s): ${outcome.fault ?? counts(outcome)}`);
      if (outcome.failed) console.log(output.trimEnd());
      else for (const [line] of output.matchAll(SKIP_LINES)) console.log(`  ${line}`);
      done(outcome);
    });
  });
}

function ended(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (signal) return `was ended by ${signal}`;
  return code === 0 ? undefined : `exit code ${code}`;
}

const parts = process.argv.slice(2).filter((part) => !part.startsWith('-'));
const leftOut = process.argv.slice(2).flatMap((part) => (part.startsWith('-') ? [part.slice(1)] : []));
const place = (name: string) => (LONGEST.includes(name) ? LONGEST.indexOf(name) : LONGEST.length);
const names = readdirSync('test')
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => file.slice(0, -'.test.ts'.length))
  .filter((name) => parts.length === 0 || parts.some((part) => name.includes(part)))
  .filter((name) => !leftOut.some((part) => name.includes(part)))
  .sort((a, b) => place(a) - place(b));

const waiting = [...names];
const outcomes: Outcome[] = [];
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) outcomes.push(await runFile(name));
  }),
);

const sum = (key: 'passed' | 'failed' | 'skipped') => outcomes.reduce((total, outcome) => total + outcome[key], 0);
console.log(counts({ passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') }));
process.exitCode = sum('failed') > 0 || outcomes.length === 0 ? 1 : 0;
