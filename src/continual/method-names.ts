/** From a name to a method, and whether what is given for one is a method at all. */
import { CheckpointError, ConfigError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { received } from './expected.ts';
import { learnerSettings, SELECTIONS } from './learner-settings.ts';
import type { AnyMethod } from './method.ts';
import { fdkd } from './methods/fdkd.ts';
import { finetune } from './methods/finetune.ts';
import { joint } from './methods/joint.ts';
import { kd } from './methods/kd.ts';
import { rdkd } from './methods/rdkd.ts';
import { replay } from './methods/replay.ts';
import { tkd } from './methods/tkd.ts';
import { isName } from './names.ts';
import { checkNetwork } from './network.ts';
import type { Setting } from './setting.ts';

/** Those that a learner knows by name: DKD, what it is compared with, and the bounds. */
const NAMED = { finetune, joint, replay, kd, tkd, fdkd, rdkd };
export type NamedMethod = keyof typeof NAMED;

/**
 * The method of a name, or the one given.
 * @throws {ConfigError} for a name that no learner knows, and for one given that is no method or is called as another is.
 */
export function resolveMethod(method: string | AnyMethod): AnyMethod {
  if (typeof method !== 'string') {
    checkMethod(method);
    assertOwnName(method, NAMED);
    return method;
  }
  const found = Object.hasOwn(NAMED, method) ? NAMED[method as NamedMethod] : undefined;
  if (found) return found;
  throw new ConfigError({
    where: 'method',
    message: `learners know no method "${clipped(method)}" by name.`,
    fix: `By name there are ${Object.keys(NAMED).join(', ')}. Hand over any other itself: your own, or one that you import from 'engram/methods'.`,
  });
}

/**
 * The method that a saved learner learns by.
 * @param name as it is in the file.
 * @param given what it is loaded with, where learners do not know it by name.
 * @throws {CheckpointError} when that is another, or missing.
 * @throws {ConfigError} when it is no method.
 */
export function savedMethod(name: string, given: AnyMethod | undefined, where: string): AnyMethod {
  if (given) checkMethod(given);
  const method = given ?? (Object.hasOwn(NAMED, name) ? NAMED[name as NamedMethod] : undefined);
  if (method?.name === name) return method;
  throw new CheckpointError({
    where,
    message: `this learner learns by "${clipped(name)}", ${method ? `not by "${clipped(method.name)}"` : 'which learners do not know by name'}.`,
    fix: "Load it with the method it was made with, itself: your own, or one that you import from 'engram/methods'.",
  });
}

/** @throws {ConfigError} for another method that is called as one of these is. */
export function assertOwnName(own: AnyMethod, known: Readonly<Record<string, AnyMethod>>, where = 'method'): void {
  if (!Object.hasOwn(known, own.name) || known[own.name] === own) return;
  throw new ConfigError({
    where,
    message: `a method of your own is called "${own.name}" as a built-in one is: its runs would pass for the other's.`,
    fix: `Give it a name that is none of ${Object.keys(known).join(', ')}.`,
  });
}

const SHAPE = 'A method is an object { name, summary, settings, keeps, learn }; see defineMethod().';
/** What options of learners are called beside their settings. */
const OPTIONS = ['method', 'resize'];

/**
 * @param where names what gave the method.
 * @throws {ConfigError} for what is no method, and for a setting that is none or is called as one of every learner's.
 */
export function checkMethod(method: unknown, where = 'method'): asserts method is AnyMethod {
  const refuse = (message: string, fix = SHAPE): ConfigError => new ConfigError({ where, message, fix });
  if (typeof method !== 'object' || method === null)
    throw refuse(`${received(method)} was given, which is not a method.`);
  const { name, summary, settings, keeps, learn, ...others } = method as Record<keyof AnyMethod, unknown>;
  if (typeof name !== 'string' || name === '')
    throw refuse('a method of your own has no name, by which its runs could be distinguished from others.');
  if (!isName(name))
    throw refuse(
      `"${clipped(name)}" is not a name for a method.`,
      'Use letters and digits, and ".", "_", "+" and "-" between them.',
    );
  const label = `the method "${clipped(name)}"`;
  if (typeof summary !== 'string') throw refuse(`${label} has no summary.`, 'summary: one line on what it does.');
  if (typeof learn !== 'function') throw refuse(`${label} has no function learn().`);
  const unfit = (['model', 'check', 'stores', 'predictor'] as const).find(
    (part) => others[part] !== undefined && typeof others[part] !== 'function',
  );
  if (unfit) throw refuse(`${unfit} of ${label} is ${received(others[unfit])}, not a function.`);
  if (others.network !== undefined) checkNetwork(others.network);
  if (!['nothing', 'exemplars', 'everything'].includes(keeps as string))
    throw refuse(
      `${label} does not say what it keeps of a task's images.`,
      "keeps: 'nothing', 'exemplars' or 'everything'.",
    );
  if (others.selection !== undefined && !(SELECTIONS as readonly unknown[]).includes(others.selection))
    throw refuse(
      `the selection of ${label} is ${received(others.selection)}.`,
      `selection: '${SELECTIONS.join("', '")}', or leave it out.`,
    );
  if (typeof settings !== 'object' || settings === null)
    throw refuse(`${label} declares no settings.`, 'settings: {} where it has none.');
  for (const [key, setting] of Object.entries(settings)) {
    const of = `${label} declares the setting "${clipped(key)}"`;
    if (key in learnerSettings || OPTIONS.includes(key))
      throw refuse(`${of}, which every learner has.`, 'Give it another name.');
    // A switch that is off is `--no-…` on command lines.
    if (!/^[a-z][a-zA-Z0-9]*$/.test(key) || /^no[A-Z]/.test(key))
      throw refuse(
        `${of}, whose name does not make a flag.`,
        'Use camel case, such as kdWeight, and no "no" before it.',
      );
    if (!isSetting(setting))
      throw refuse(
        `${of} as ${received(setting)}, which is no declaration.`,
        "Declare it by numberSetting(2, { above: 0 }, 'what it means') or another …Setting().",
      );
  }
}

function isSetting(value: unknown): value is Setting {
  if (typeof value !== 'object' || value === null) return false;
  const { schema, type, text, value: called } = value as Partial<Setting>;
  return (
    [schema, type].every((one) => one?.kind === 'schema') && [text, called].every((one) => typeof one === 'string')
  );
}
