/**
 * The batches of a phase's epochs. A last batch of one image has one value a channel where the network's maps have come down to one
 * pixel, and a batch norm that trains has nothing to normalise by: there, and only there, the image joins the batch before.
 */
import { noGrad } from '../autograd/tape.ts';
import { type Batch, DataLoader, type LoaderOptions } from '../data/loader.ts';
import { ConfigError } from '../errors.ts';
import { watchCalls } from '../nn/calls.ts';
import { BatchNorm2d } from '../nn/layers.ts';
import { zeros } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { IncrementalModel } from './method.ts';
import { named } from './setting-name.ts';
import type { TaskImages } from './task-images.ts';

export interface EpochBatchesOptions extends Pick<LoaderOptions, 'batch' | 'seed'> {
  readonly indices: readonly number[];
  /** In the mode in which it trains. */
  readonly model: IncrementalModel;
  readonly images: TaskImages;
  /** Whether further batches are drawn beside each, which its loss may join with it. */
  readonly isAlone: boolean;
  /** Names what is trained in errors. */
  readonly where: string;
}

export interface EpochBatches {
  /** Batches an epoch. */
  readonly steps: number;
  /** Those of one epoch, in its order. */
  epoch(epoch: number): Iterable<Batch>;
}

/**
 * What a phase walks over.
 * @throws {ArgumentError} for no images.
 * @throws {ConfigError} when all batches are of one image, and the network cannot train on one.
 */
export function epochBatches(options: EpochBatchesOptions): EpochBatches {
  const { indices, batch, seed, model, images, isAlone, where } = options;
  const loader = new DataLoader(indices, { batch, seed });
  const { length } = indices;
  const endsInOne = length % batch === 1 || batch === 1;
  if (!endsInOne || takesOne(model, images)) return loader;
  if (length > 1 && batch > 1) {
    const steps = loader.steps - 1;
    return { steps, epoch: (epoch) => lastTwoJoined(loader.epoch(epoch), steps) };
  }
  // Joined with what is drawn beside it, an image is not by itself.
  if (!isAlone) return loader;
  throw new ConfigError({
    where,
    message: `${length === 1 ? 'there is one image' : 'batches are of one image'}, and this network's maps of such images end in one pixel: its batch norm has one value a channel, and nothing to normalise by.`,
    fix:
      length === 1
        ? 'Give two images at least, or larger ones.'
        : `Use a ${named('batch')} of 2 or more, or larger images.`,
  });
}

/** Whether no batch norm that trains would have one value a channel, seen in inference: nothing of the model changes. */
function takesOne(model: IncrementalModel, images: TaskImages): boolean {
  const { engine } = model;
  const modules = [...model.namedModules()].map(([, module]) => module);
  const trains = new Set(modules.filter((module) => module instanceof BatchNorm2d && module.training));
  if (trains.size === 0) return true;
  let isTaken = true;
  const leave = (module: unknown, [x]: readonly unknown[]): void => {
    if (trains.has(module as BatchNorm2d) && (x as Tensor).size === (module as BatchNorm2d).channels) isTaken = false;
  };
  noGrad(engine, () =>
    engine.scope(() => {
      watchCalls(modules, { leave }, () => model.outputs(zeros(engine, [1, ...images.shape])));
    }),
  );
  return isTaken;
}

/** An epoch's batches, the last one behind the images of the one before. @param steps how many there are then. */
function* lastTwoJoined(batches: Iterable<Batch>, steps: number): Generator<Batch> {
  let before: Batch | undefined;
  for (const batch of batches) {
    if (before) yield { ...before, indices: Uint32Array.of(...before.indices, ...batch.indices) };
    else if (batch.step < steps - 1) yield batch;
    else before = batch;
  }
}
