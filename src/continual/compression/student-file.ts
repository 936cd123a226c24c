/** A student as a learner's file: it predicts by names, and can go on learning. */
import type { Normalization } from '../../data/dataset.ts';
import type { ImageFormat } from '../../data/image-bytes.ts';
import { stateDict } from '../../nn/state-dict.ts';
import { writeLearner } from '../learner-state.ts';
import type { LinearModel } from '../method.ts';
import { finetune } from '../methods/finetune.ts';
import { type CompressionSettings, learnerSettingsFrom } from './settings.ts';

/** What is saved with a student's weights. */
export interface StudentFileOptions {
  /** Names of the classes, in the order of the logits. */
  readonly names: readonly string[];
  /** Of the images it was trained on. */
  readonly format: ImageFormat & Normalization;
  /** What it was trained by. */
  readonly settings: CompressionSettings;
  readonly seed?: number;
  /** What to add to the file's own; `readSafetensors` gives it back. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A student as the bytes of a learner's safetensors file, which `ContinualLearner.load` reads: one task learnt by `finetune`, no
 * exemplars. Its tensors have PyTorch's names behind `model.`.
 * @example
 * const learner = await ContinualLearner.load(engine, await saveStudent(student, { names, format, settings }));
 * const [best] = await learner.predict(image);
 */
export async function saveStudent(
  student: LinearModel,
  { names, format, settings, seed = 0, metadata = {} }: StudentFileOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { height, width, channels, mean, std } = format;
  return writeLearner({
    state: {
      method: finetune.name,
      methodSettings: {},
      // Weights are f32 however activations were stored, and the scale of an f16 training is of no use any more.
      settings: { ...learnerSettingsFrom(settings, seed), precision: 'f32', mean: [...mean], std: [...std] },
      resize: true,
      classes: [...names],
      taskSizes: [names.length],
      tasksDone: 1,
      history: '',
      images: { height, width, channels, mean: [...mean], std: [...std] },
      offered: [],
      scaler: null,
    },
    weights: await stateDict(student),
    exemplars: [],
    metadata,
  });
}
