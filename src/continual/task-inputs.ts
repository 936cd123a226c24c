/** What a task is given, checked and in one piece. */
import type { Normalization } from '../data/dataset.ts';
import { fingerprint, textBytes } from '../data/fingerprint.ts';
import type { ImageFormat } from '../data/image-bytes.ts';
import { momentsOf } from '../data/moments.ts';
import { type Images, isStored, joinLots } from '../data/stored-images.ts';
import type { Engine } from '../tensor/engine.ts';
import { type ClassImages, labelsOf, readClassImages } from './class-images.ts';
import type { Knowledge, Setup } from './knowledge.ts';
import { executionSettings, type LearnerSettings } from './learner-settings.ts';
import { checkImageSettings } from './training-checks.ts';

export interface TaskInputs {
  /** Class by class, in the order given. */
  readonly images: Images;
  /** What tells them from others. */
  readonly identity: readonly Uint8Array[];
  /** The logit of each image. */
  readonly labels: Int32Array;
  /** Of all classes, those of before first. */
  readonly names: readonly string[];
  /** Of the new ones. */
  readonly added: readonly string[];
  readonly format: ImageFormat & Normalization;
}

export interface TaskInputsOptions {
  /** Names of the classes so far. */
  readonly known: readonly string[];
  /** What images have to be; `null` in the first task, which decides it. */
  readonly images: (ImageFormat & Normalization) | null;
  readonly resize: boolean;
  readonly training: LearnerSettings;
}

/** @throws as `ContinualLearner.learn` says of images. */
export async function readTask(
  engine: Engine,
  given: ClassImages,
  { known, images: fixed, resize, training }: TaskInputsOptions,
): Promise<TaskInputs> {
  const where = 'learn';
  const lots = await readClassImages(engine, given, { format: fixed, resize, where });
  const added = [...lots.keys()].filter((name) => !known.includes(name));
  const names = [...known, ...added];
  const joined = joinLots([...lots.values()], where);
  // The caller's own bytes where there is one class: they may change while it is learnt, and exemplars are cut from them after.
  // Not by `slice`, which copies nothing of Node's Buffer.
  const images = lots.size > 1 || isStored(joined) ? joined : { ...joined, data: new Uint8Array(joined.data) };
  const identity = isStored(images) ? [...lots.values()].map(identityOf) : [images.data];
  const format = fixed ?? (await normalized(images, training));
  checkImageSettings(training, format);
  return { images, identity, labels: labelsOf(lots, names), names, added, format };
}

const identityOf = (images: Images): Uint8Array => (isStored(images) ? textBytes(images.identity) : images.data);

/** The images' own format, and how they are normalised from now on. */
async function normalized(images: Images, { mean, std }: LearnerSettings): Promise<ImageFormat & Normalization> {
  const { height, width, channels } = images;
  const measured = mean && std ? null : await momentsOf(images);
  return { height, width, channels, mean: mean ?? measured?.mean ?? [], std: std ?? measured?.std ?? [] };
}

const decisiveParts = (
  { method, methodSettings, training }: Setup,
  { history }: Knowledge,
  { names, identity }: TaskInputs,
): Uint8Array[] => {
  const decisive = Object.entries(training).filter(([name]) => !(name in executionSettings));
  const text = JSON.stringify([history, method.name, methodSettings, decisive, names]);
  return [textBytes(text), ...identity];
};

/**
 * Everything that a task's outcome depends on, in short: what was learnt before, the settings, the images, and the class of each, which
 * the names of all classes leave open where some are known already.
 */
export function taskFingerprint(setup: Setup, known: Knowledge, inputs: TaskInputs): string {
  const { buffer, byteOffset, byteLength } = inputs.labels;
  return fingerprint([...decisiveParts(setup, known, inputs), new Uint8Array(buffer, byteOffset, byteLength)]);
}

/** As progress was marked before the classes of images were part of it: a task that was begun then can be gone on with. */
export const formerFingerprint = (setup: Setup, known: Knowledge, inputs: TaskInputs): string =>
  fingerprint(decisiveParts(setup, known, inputs));
