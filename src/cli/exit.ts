/** How the command ends: 0 done, 2 an error the user can fix, 1 an unexpected error, 130 stopped by Ctrl-C. */
import { CommanderError } from 'commander';
import picocolors from 'picocolors';
import { EngramError } from '../errors.ts';
import { printable } from '../gpu/printable.ts';

/** Thrown when the user stopped the command; everything is written by then. */
export class Interrupted extends Error {
  /** @param exitCode 128 and the signal's number, as shells have it. */
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }
}

/** A reader that has gone (`engram train | head`) ends the command, and is not an error. */
export function endWithReader(): void {
  process.stdout.on('error', () => process.exit(0));
}

/** Ends the process once what was printed has been handed over. */
export function exit(code: number): void {
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

const colours = picocolors.createColors(picocolors.isColorSupported && process.stderr.isTTY === true);

/** Tells of an error, as its kind deserves, and ends the process. */
export function fail(error: unknown): void {
  const [text, code] = judge(error);
  process.stderr.write(`${text}\n`);
  exit(code);
}

function judge(error: unknown): [text: string, code: number] {
  if (error instanceof Interrupted) return [colours.yellow(printable(error.message)), error.exitCode];
  if (error instanceof EngramError) return [colours.red(error.message) + stackOf(error), 2];
  if (error instanceof CommanderError) {
    const [message = '', hint] = error.message.replace(/^error: /, '').split('\n');
    const question = hint ? ` ${hint.replace(/^\(|\)$/g, '')}` : '';
    return [colours.red(printable(`${message.replace(/\.$/, '')}.${question} See --help.`)), 2];
  }
  const message = error instanceof Error ? error.message : String(error);
  const hint = debugging() ? '' : ' Run it again with --debug to see where.';
  return [colours.red(printable(`engram: unexpected error: ${message}${hint}`)) + stackOf(error), 1];
}

const debugging = (): boolean => Boolean(process.env.DEBUG) || process.argv.includes('--debug');

function stackOf(error: unknown): string {
  if (!debugging() || !(error instanceof Error)) return '';
  const stacks = [error, error.cause].map((one) => (one instanceof Error ? (one.stack ?? '') : ''));
  const lines = ['', ...stacks.filter(Boolean).join('\ncaused by ').split('\n')];
  return lines.map(printable).join('\n');
}
