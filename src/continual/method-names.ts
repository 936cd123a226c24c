/** From a name to a method. */
import { CheckpointError, ConfigError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { learnerSettings } from './learner-settings.ts';
import type { AnyMethod } from './method.ts';
import { fdkd } from './methods/fdkd.ts';
import { finetune } from './methods/finetune.ts';
import { joint } from './methods/joint.ts';
import { kd } from './methods/kd.ts';
import { rdkd } from './methods/rdkd.ts';
import { replay } from './methods/replay.ts';
import { tkd } from './methods/tkd.ts';

/** Those that a learner knows by name: DKD, what it is compared with, and the bounds. */
const NAMED = { finetune, joint, replay, kd, tkd, fdkd, rdkd };
export type NamedMethod = keyof typeof NAMED;

/**
 * The method of a name, or the one given.
 * @throws {ConfigError} for a name that no learner knows.
 */
export function resolveMethod(method: string | AnyMethod): AnyMethod {
  if (typeof method !== 'string') return method;
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

/** @throws {ConfigError} for what is no method, or has a setting of a learner's. */
export function checkMethod(method: AnyMethod): void {
  const refuse = (message: string, fix: string): ConfigError => new ConfigError({ where: 'method', message, fix });
  const shape = 'A method is an object { name, summary, settings, keeps, learn }; see defineMethod().';
  if (typeof method !== 'object' || method === null) throw refuse('this is not a method.', shape);
  const { name, settings, keeps, learn } = method;
  if (typeof name !== 'string' || name === '')
    throw refuse('a method of your own has no name, by which its runs could be distinguished from others.', shape);
  const label = `the method "${clipped(name)}"`;
  if (typeof learn !== 'function') throw refuse(`${label} has no function learn().`, shape);
  if (!['nothing', 'exemplars', 'everything'].includes(keeps))
    throw refuse(
      `${label} does not say what it keeps of a task's images.`,
      "keeps: 'nothing', 'exemplars' or 'everything'.",
    );
  if (typeof settings !== 'object' || settings === null)
    throw refuse(`${label} declares no settings.`, 'settings: {} where it has none.');
  const clash = Object.keys(settings).find((key) => key in learnerSettings);
  if (clash !== undefined)
    throw refuse(`${label} declares the setting "${clash}", which every learner has.`, 'Give it another name.');
}
