/**
 * Keeps from the terminal what Dawn and the Vulkan loader tell it while they look for drivers, and nobody can act on. They write
 * to the process's stderr from C++, and have no switch for it.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** First lines of messages; a message goes on until the next one begins. */
const CHATTER = [
  /^Warning: max\w+ artificially reduced from /,
  /^Warning: vkCreateInstance: Found no drivers!/,
  /^Warning: vkCreateInstance failed with VK_ERROR_INCOMPATIBLE_DRIVER/,
];

let silenced = false;

/** For programs at their start: from now on {@link hushed} is. A library leaves its host's stderr alone. */
export function silenceDrivers(): void {
  silenced = true;
}

/** Runs synchronous native code, and passes on what it wrote to stderr except for known chatter. */
export function hushed<T>(run: () => T): T {
  const restore = silenced ? divert() : null;
  if (!restore) return run();
  try {
    return run();
  } finally {
    const text = withoutChatter(restore());
    if (text) process.stderr.write(text);
  }
}

/** @param text whole lines. */
export function withoutChatter(text: string): string {
  const messages = text.split(/^(?=Warning: |Error: )/m);
  return messages.filter((message) => !CHATTER.some((chatter) => chatter.test(message))).join('');
}

/**
 * Has stderr written to a file, and returns what ends that and gives the file's text; `null` where it cannot be. Node cannot
 * duplicate a descriptor, but on Linux a terminal or pipe can be opened anew. What is neither, a file or a socket, no
 * terminal shows.
 */
function divert(): (() => string) | null {
  const path = join(tmpdir(), `engram-stderr-${process.pid}`);
  let kept: number;
  try {
    const about = fstatSync(2);
    if (process.platform !== 'linux' || !(about.isFIFO() || about.isCharacterDevice())) return null;
    // Open both ways, it is a reader of the pipe as well: opening it again cannot wait for one.
    kept = openSync('/proc/self/fd/2', constants.O_RDWR | constants.O_NOCTTY);
    closeSync(openSync(path, 'wx'));
  } catch {
    return null;
  }
  // Whatever is opened next gets the lowest free number: 2.
  closeSync(2);
  openSync(path, 'a');
  return () => {
    closeSync(2);
    openSync(`/proc/self/fd/${kept}`, constants.O_WRONLY | constants.O_NOCTTY);
    closeSync(kept);
    const text = readFileSync(path, 'utf8');
    rmSync(path);
    return text;
  };
}
