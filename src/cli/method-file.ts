/** A method of a user's own, from a file: `--method ./mine.js`. */
import { realpath } from 'node:fs/promises';
import * as nodeModule from 'node:module';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { files } from '#files';
import { checkOwn } from '../continual/benchmark/config.ts';
import { received } from '../continual/expected.ts';
import type { AnyMethod } from '../continual/method.ts';
import { fingerprint } from '../data/fingerprint.ts';
import { ConfigError, EngramError } from '../errors.ts';
import { resolve as engramHere } from './engram-here.ts';

export interface MethodFile {
  readonly method: AnyMethod;
  /** Absolute. */
  readonly path: string;
  /** Of the file's content, that of files which it imports left out. */
  readonly fingerprint: string;
}

/** What a run records beside the method's name. */
export const originOf = ({ method, path, fingerprint }: MethodFile) => ({
  method: method.name,
  methodFile: path,
  methodFingerprint: fingerprint,
});

const LOOKS = "It looks like: import { defineMethod } from 'engram/continual'; export default defineMethod({ … });";

/**
 * Loads a method; its imports of `engram` are this package.
 * @param assertContent looks at the content's fingerprint before any of it runs.
 * @throws {DataError | ConfigError} when it is missing, fails or exports no method.
 */
export async function loadMethod(given: string, assertContent = (_: string): void => {}): Promise<MethodFile> {
  const path = resolve(given);
  const content = fingerprint([await files.read(path)]);
  assertContent(content);
  if (extname(path) === '.cjs') {
    throw new ConfigError({
      where: given,
      message: 'a method file is an ES module, and .cjs says that this is none.',
      fix: 'Use import and export, and call it .mjs or .js.',
    });
  }
  const method = exported(given, await load(given, path));
  checkOwn(method, given);
  return { method, path, fingerprint: content };
}

let isHooked = false;

/** From Node's types of later versions. */
const { registerHooks, register } = nodeModule as {
  registerHooks?: (hooks: { resolve: typeof engramHere }) => void;
  register: (specifier: URL) => void;
};

function hook(): void {
  if (isHooked) return;
  isHooked = true;
  if (registerHooks) registerHooks({ resolve: engramHere });
  else register(new URL('./cli-engram-here.js', import.meta.url));
}

async function load(given: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  hook();
  const url = pathToFileURL(await realpath(path)).href;
  try {
    return await import(url);
  } catch (cause) {
    if (cause instanceof EngramError) throw cause;
    const isUnknown = (cause as NodeJS.ErrnoException | undefined)?.code === 'ERR_UNKNOWN_FILE_EXTENSION';
    const said = cause instanceof Error ? `${cause.name}: ${cause.message}` : received(cause);
    throw new ConfigError({
      where: given,
      message: isUnknown
        ? `this Node (${process.version}) does not run files of this kind.`
        : `it fails when it is loaded: ${said.replace(/\.$/, '')}.`,
      fix: isUnknown
        ? 'For TypeScript use Node 22.18 or later, or compile it to .js first.'
        : 'Correct the file; --debug shows where.',
      cause,
    });
  }
}

/** The default export, or the only one. */
function exported(given: string, module: Readonly<Record<string, unknown>>): unknown {
  const names = Object.keys(module);
  const [name = '', ...others] = names.includes('default') ? ['default'] : names;
  if (name !== '' && others.length === 0) return module[name];
  throw new ConfigError({
    where: given,
    message: name === '' ? 'it exports nothing.' : `it exports ${names.join(', ')}, and none of them as default.`,
    fix: LOOKS,
  });
}
