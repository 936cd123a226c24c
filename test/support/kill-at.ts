/**
 * Loaded before a program (`node --import`): kills it at one of its operations on files.
 *
 *     ENGRAM_KILL_AT=12:inside   the 12th, half done; `before` and `after` it likewise
 *     ENGRAM_KILL_IN=FOLDER      only what lies there is counted
 */
import { promises } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const [number, moment] = (process.env.ENGRAM_KILL_AT ?? '').split(':');
const folder = process.env.ENGRAM_KILL_IN ?? '';

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  // The signal may take a moment.
  for (;;);
}

type Operation = (path: string, ...rest: unknown[]) => Promise<unknown>;
const operations = promises as unknown as Record<string, Operation>;
let count = 0;

for (const name of ['mkdir', 'open', 'appendFile', 'rename', 'rm', 'rmdir']) {
  const operation = operations[name] as Operation;
  operations[name] = async (path, ...rest) => {
    if (!`${path}`.startsWith(folder) || ++count !== Number(number)) return operation(path, ...rest);
    if (moment === 'before') die();
    if (moment === 'inside' && name === 'open') return halfWriter((await operation(path, ...rest)) as FileHandle);
    if (moment === 'inside' && name === 'appendFile') await operation(path, half(rest[0] as string));
    else await operation(path, ...rest);
    die();
  };
}
syncBuiltinESMExports();

/** Dies when half of a file is written. */
function halfWriter(handle: FileHandle): FileHandle {
  const write = handle.writeFile.bind(handle);
  handle.writeFile = async (content) => {
    await write(half(content as string | Uint8Array));
    die();
  };
  return handle;
}

const half = (content: string | Uint8Array): string | Uint8Array => content.slice(0, content.length / 2);
