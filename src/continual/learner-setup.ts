/** What a learner is made of: its settings, told apart from its method's. */

import { ConfigError } from '../errors.ts';
import { supportsF16 } from '../tensor/dtype.ts';
import type { Engine } from '../tensor/engine.ts';
import { received } from './expected.ts';
import { type LearnerSettings, learnerSettings, learnerSettingsOf } from './learner-settings.ts';
import { checkMemory } from './memory-use.ts';
import type { AnyMethod } from './method.ts';
import { checkMethod } from './method-names.ts';
import { checkNetwork, type Network } from './network.ts';
import { epochsOf } from './recipe.ts';
import { guarded, readSettings } from './setting.ts';
import { checkTraining } from './training-checks.ts';

type Given = Readonly<Record<string, unknown>>;

export interface DividedSettings {
  /** Activations are stored as asked for, where the device can. */
  readonly training: LearnerSettings;
  readonly methodSettings: Given;
  /** What a user should know. */
  readonly notices: readonly string[];
}

/**
 * @param network of the user's own, in the place of the setting `model`.
 * @throws {ConfigError} for a setting that is unknown or does not fit, and a method or a network that is none.
 */
export function divideSettings(
  engine: Engine,
  method: AnyMethod,
  settings: Given,
  network: Network | undefined,
): DividedSettings {
  const divided = divide(engine, method, settings);
  if (!network) return divided;
  checkNetwork(network);
  return { ...divided, training: { ...divided.training, model: network.name as LearnerSettings['model'] } };
}

function divide(engine: Engine, method: AnyMethod, settings: Given): DividedSettings {
  const where = 'ContinualLearner';
  checkMethod(method);
  const of = `a learner by "${method.name}"`;
  const pick = (isOwn: boolean): Given =>
    Object.fromEntries(Object.entries(settings).filter(([name]) => name in method.settings === isOwn));
  const [own, others] = [pick(true), pick(false)];
  // What neither knows is told with the names of both.
  if (Object.keys(others).some((name) => !(name in learnerSettings)))
    readSettings({ ...learnerSettings, ...method.settings }, settings, where, of);
  const values = readSettings(method.settings, own, where, of);
  const methodSettings = guarded(values, method.settings, `method "${method.name}"`);
  const training = readSettings(learnerSettingsOf(method), others, where, of);
  checkMemory({ method, training });
  checkTraining(training, [epochsOf(training, 0), epochsOf(training, 1)]);
  if (training.precision === 'f32' || supportsF16(engine)) return { training, methodSettings, notices: [] };
  return {
    training: { ...training, precision: 'f32' },
    methodSettings,
    notices: [`${engine.adapterDescription} has no shader-f16: training in f32 instead of f16.`],
  };
}

/** @throws {ConfigError} for anything but a switch. */
export function checkResize(resize: unknown): void {
  if (typeof resize === 'boolean') return;
  throw new ConfigError({
    where: 'ContinualLearner',
    message: `"resize" does not fit: expected true or false, received ${received(resize)}.`,
    fix: 'Correct the value or leave it out.',
  });
}
