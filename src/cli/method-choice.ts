/** Which method a command line is about, before its flags are read: a method of one's own brings flags with it. */
import { dirname, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { closest } from 'fastest-levenshtein';
import { files } from '#files';
import { CONFIG } from '../continual/benchmark/run-files.ts';
import { METHOD_NAMES } from '../continual/methods/index.ts';
import { joinPath } from '../data/files.ts';
import { ConfigError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import type { MethodFile } from './method-file.ts';
import { configPath } from './recipes.ts';

/** Whether this names a file, and not a built-in method. */
export const isMethodFile = (text: unknown): text is string =>
  typeof text === 'string' && /[\\/]|\.([cm]?js|m?ts)$/.test(text);

const isText = (value: unknown): value is string => typeof value === 'string';
const isBuiltIn = (name: string): boolean => (METHOD_NAMES as readonly string[]).includes(name);

/**
 * The method of one's own that `engram train` is asked for: by `--method`, by the configuration file, or by the run that is
 * gone on with.
 * @param args what was typed behind `engram`.
 * @returns nothing for a built-in one.
 * @throws {DataError | ConfigError} when it cannot be loaded, is none, or is not that of the run.
 */
export async function chosenMethod(args: readonly string[]): Promise<MethodFile | undefined> {
  const { values, positionals } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    options: {
      method: { type: 'string' },
      config: { type: 'string' },
      out: { type: 'string' },
      resume: { type: 'boolean' },
    },
  });
  if (positionals[0] !== 'train') return undefined;
  const { method: flag, config, out, resume } = values;
  const given = isText(flag) ? flag : undefined;
  const run = resume && isText(out) ? await settingsIn(joinPath(out, CONFIG)) : {};
  if (isText(out) && isText(run.method)) return resumedMethod(out, run, given);
  if (given !== undefined) return methodFrom(given, '--method');
  if (!isText(config)) return undefined;
  const method = await methodIn(config);
  return method === undefined ? undefined : methodFrom(method, config);
}

/**
 * The method that a file of settings names: where its own file lies, or the name of a built-in one.
 * @param config a recipe, or the `config.json` of a run.
 * @returns nothing where it names none.
 * @throws {ConfigError} as {@link methodBeside}.
 */
export async function methodIn(config: string): Promise<string | undefined> {
  const { method, methodFile } = await settingsIn(config);
  if (isText(method) && isText(methodFile)) return methodFile;
  if (!isText(method)) return undefined;
  return isMethodFile(method) ? methodBeside(method, config) : method;
}

/** Where a method lies that a file names: beside it, wherever the command is typed. */
export const placeBeside = (text: string, file: string): string => resolve(dirname(file), text);

/** {@link placeBeside}. @throws {ConfigError} where nothing is there. */
export async function methodBeside(text: string, file: string): Promise<string> {
  const path = placeBeside(text, file);
  if (await files.exists(path)) return path;
  const here = resolve(text);
  throw new ConfigError({
    where: file,
    message: `there is no method file ${clipped(path, 300)}: "${clipped(text)}" is looked for beside the file that names it, not in the current directory.`,
    fix: (await files.exists(here))
      ? `From there it is "${clipped(relative(dirname(resolve(file)), here), 300)}".`
      : 'Put it there, or name it by its path from there.',
  });
}

/**
 * A method by its name, of which nothing is needed, or in a file.
 * @param where it was named.
 */
export async function methodFrom(text: string, where: string): Promise<MethodFile | undefined> {
  if (isMethodFile(text)) return (await import('./method-file.ts')).loadMethod(text);
  if (isBuiltIn(text)) return undefined;
  throw new ConfigError({
    where,
    message: `"${clipped(text)}" is not a built-in method.`,
    fix: `Did you mean ${closest(text, METHOD_NAMES)}? One of your own is given by its file, such as ./${/^\w+$/.test(text) ? clipped(text) : 'mine'}.js.`,
  });
}

/** What mends a method that is not the run's. */
interface Remedies {
  /** Where another one was asked for. */
  readonly other: string;
  /** Where the file holds something else than then. */
  readonly changed: string;
}

const TO_GO_ON: Remedies = {
  other: 'Leave it out to go on with the run, or start another one with another --out.',
  changed: 'Give it back its content of then, or start another run with another --out.',
};

/** What is read of a run needs the method that it was learnt by, and nothing is begun. */
const TO_READ: Remedies = {
  other: 'Leave it out, or give the file of the method that the run was learnt by.',
  changed: 'Put it back as it was, or say by --method FILE where a copy of what it was then lies.',
};

/**
 * The method of a run, from where it was, or from where it is given now.
 * @returns nothing for a built-in one.
 * @throws {DataError | ConfigError} when it cannot be loaded, is none, or is not that of the run.
 */
export async function resumedMethod(
  folder: string,
  run: Readonly<Record<string, unknown>>,
  given: string | undefined,
  remedies = TO_GO_ON,
): Promise<MethodFile | undefined> {
  const { method: name, methodFile, methodFingerprint } = run;
  const other = (what: string): ConfigError =>
    new ConfigError({
      where: '--method',
      message: `the run in ${folder} was begun with "${clipped(String(name))}", not with ${what}.`,
      fix: remedies.other,
    });
  if (!isText(methodFile)) {
    if (isMethodFile(given)) throw other(`the method in ${given}`);
    return given === undefined ? undefined : methodFrom(given, '--method');
  }
  if (given !== undefined && !isMethodFile(given) && given !== name) throw other(`"${clipped(given)}"`);
  const path = isMethodFile(given) ? given : methodFile;
  if (!(await files.exists(path))) {
    throw new ConfigError({
      where: path,
      message: `the method "${clipped(String(name))}", which the run in ${folder} was begun with, is not there.`,
      fix: 'Say where its file is now by --method FILE.',
    });
  }
  const own = await (await import('./method-file.ts')).loadMethod(path, (fingerprint) => {
    if (fingerprint === methodFingerprint) return;
    throw new ConfigError({
      where: path,
      message: `this is not the file that the run in ${folder} was begun with: it holds something else than then.`,
      fix: remedies.changed,
    });
  });
  if (own.method.name !== name) throw other(`"${clipped(own.method.name)}"`);
  return own;
}

/**
 * A method of one's own that a run was learnt by, from where it was or is now; nothing for a built-in one.
 * @param given where it is now.
 * @throws {DataError | ConfigError} when it cannot be loaded, is none, or is not that of the run.
 */
export async function methodOfRun(folder: string, given: string | undefined): Promise<MethodFile | undefined> {
  const run = await settingsIn(joinPath(folder, CONFIG));
  return isText(run.methodFile) ? resumedMethod(folder, run, given, TO_READ) : undefined;
}

/** Settings as they stand in a file or a published recipe; none where it cannot be read, which is told by who reads it whole. */
async function settingsIn(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value: unknown = JSON.parse(await files.readText(await configPath(path)));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
