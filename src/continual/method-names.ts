/** From a name to a method; the built-in ones are loaded only where one is named. */
import { ConfigError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { learnerSettings } from './learner-settings.ts';
import type { AnyMethod } from './method.ts';
import type { MethodName } from './methods/index.ts';

/**
 * The method of a name, or the one given.
 * @throws {ConfigError} when no built-in method has the name.
 */
export async function resolveMethod(method: MethodName | AnyMethod): Promise<AnyMethod> {
  if (typeof method !== 'string') return method;
  const { methods } = await import('./methods/index.ts');
  const known: Readonly<Record<string, AnyMethod>> = methods;
  const found = Object.hasOwn(known, method) ? known[method] : undefined;
  if (found) return found;
  throw new ConfigError({
    where: 'method',
    message: `"${clipped(method)}" is not a built-in method.`,
    fix: `Built in are ${Object.keys(known).join(', ')}; hand over one of your own itself, not its name.`,
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
