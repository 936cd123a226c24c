/** What a student is and how it is trained. */
import {
  executionSettings,
  imageSettings,
  type LearnerSettings,
  learnerSettings,
  networkSettings,
  recipeSettings,
  trainingSettings,
} from '../learner-settings.ts';
import { type GivenValues, numberSetting, readSettings, type ValuesOf } from '../setting.ts';
import { checkTraining } from '../training-checks.ts';

/**
 * What a student can be trained by. `dense`: cross entropy and the distillation of every union of the classes' groups; `kd`: of one
 * softmax over all classes (Hinton et al. 2015); `decoupled`: of right and wrong classes apart (Zhao et al. 2022); `scratch`: cross
 * entropy alone.
 */
export const COMPRESSION_LOSSES = ['dense', 'kd', 'decoupled', 'scratch'] as const;
/**
 * One of {@link COMPRESSION_LOSSES}.
 * @useDeclaredType
 */
export type CompressionLoss = (typeof COMPRESSION_LOSSES)[number];

/** The distillation beside the cross entropy. */
export const offlineSettings = {
  temperature: numberSetting(4, { above: 0 }, 'temperature of the distillation', 'T'),
  kdWeight: numberSetting(
    1,
    { least: 0 },
    'weight λ of the distillation, with the factor T², beside the cross entropy',
    'λ',
  ),
  alpha: numberSetting(1, { least: 0 }, "weight α of the decoupled distillation's right class", 'α'),
  beta: numberSetting(8, { least: 0 }, "weight β of the decoupled distillation's wrong classes", 'β'),
};

const { mean: _, std: __, ...augmentation } = imageSettings;
const { labelSmoothing, precision } = trainingSettings;

/** What a student is trained by beside its loss and its seed. */
export const compressionSettings = {
  ...networkSettings,
  ...recipeSettings,
  labelSmoothing,
  precision,
  ...augmentation,
  ...executionSettings,
  ...offlineSettings,
};

/**
 * The same, defaults filled in.
 * @interface
 */
export type CompressionSettings = ValuesOf<typeof compressionSettings>;
/**
 * The same as they are given: each may be left out.
 * @interface
 */
export type CompressionSettingsInput = GivenValues<typeof compressionSettings>;

/**
 * Fills in the defaults, and checks every value.
 * @throws {ConfigError} naming the first that is unknown or does not fit, or that training would never come to.
 */
export function readCompressionSettings(given: CompressionSettingsInput, where: string): CompressionSettings {
  const settings = readSettings(compressionSettings, given, where, 'a compression');
  checkTraining(learnerSettingsFrom(settings, 0), [settings.epochs]);
  return settings;
}

/** As a learner has them: what a student that is saved goes on by. */
export function learnerSettingsFrom(settings: CompressionSettings, seed: number): LearnerSettings {
  const own = Object.entries(settings).filter(([key]) => !(key in offlineSettings));
  return readSettings(learnerSettings, { ...Object.fromEntries(own), seed }, 'compression', 'a learner');
}
