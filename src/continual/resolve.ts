/** What a configuration leaves open, decided once: by the method, the number of tasks and the device. */
import { MOST_DENSE_TASKS, MOST_TASKS } from '../distill/task-pool.ts';
import { ConfigError } from '../errors.ts';
import { supportsF16 } from '../tensor/dtype.ts';
import type { Engine } from '../tensor/engine.ts';
import { CONFIG_KEYS, type Config, METHOD_NAMES, type RunConfig } from './config.ts';
import type { Method } from './method.ts';
import { methods } from './methods.ts';

/**
 * The method to learn by: one of the user's own or the configured one.
 * @throws {ConfigError} for a name that tells nothing.
 */
export function resolveMethod(config: Config, own?: Method): Method {
  if (!own) return methods[config.method];
  const builtIn = METHOD_NAMES.find((name) => name === own.name);
  if (own.name && (!builtIn || methods[builtIn] === own)) return own;
  throw new ConfigError({
    where: 'method',
    message: own.name
      ? `a method of your own is called "${own.name}" as a built-in one is: its runs would pass for the other's.`
      : 'a method of your own has no name, by which its runs could be distinguished from others.',
    fix: `Give it a name that is none of ${METHOD_NAMES.join(', ')}.`,
  });
}

/** The configuration with everything decided, and what a user should hear about it. */
export function resolveConfig(
  engine: Engine,
  config: Config,
  method: Method,
): { config: RunConfig; notices: readonly string[] } {
  const notices: string[] = [];
  const oldTasks = config.tasks - 1;
  const most = method.name === 'rdkd' ? MOST_TASKS : MOST_DENSE_TASKS;
  const pool = config.pool ?? (oldTasks <= most ? 'dense' : 'runs');
  if (method.name === 'fdkd' && config.pool !== pool && pool === 'runs') {
    notices.push(
      `The dense pool is distilled for up to ${MOST_DENSE_TASKS} old tasks, and there will be ${oldTasks}: ` +
        "distilling every run of neighbouring tasks instead, which is the pool 'runs'.",
    );
  }
  const precision = supportsF16(engine) ? config.precision : 'f32';
  if (precision !== config.precision) {
    notices.push(`${engine.adapterDescription} has no shader-f16: training in f32 instead of f16.`);
  }
  const align = config.align ?? method.align ?? false;
  return { config: inOrder({ ...config, method: method.name, pool, precision, align }), notices };
}

/** The settings in the order of the schema: resumed runs and those that never stopped write the same file, byte for byte. */
const inOrder = (config: RunConfig): RunConfig =>
  Object.fromEntries(CONFIG_KEYS.filter((key) => key in config).map((key) => [key, config[key]])) as RunConfig;
