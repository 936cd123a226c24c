/** What a model makes of images that it does not learn from: features, prototypes, scores. Batch by batch, unrecorded. */
import { noGrad } from '../autograd/tape.ts';
import { Prototypes } from '../distill/prototypes.ts';
import type { Module } from '../nn/module.ts';
import { where } from '../ops/elementwise/elementwise.ts';
import '../ops/methods.ts';
import { argmax, min } from '../ops/reduce.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { IncrementalModel } from './method.ts';
import type { BatchPixels, TaskImages } from './task-images.ts';

const BATCH = 128;

/** Indices, a batch at a time. */
function* inBatches(indices: readonly number[]): Generator<readonly number[]> {
  for (let start = 0; start < indices.length; start += BATCH) yield indices.slice(start, start + BATCH);
}

/** What is made of a batch, by its images f32 [n, h, w, c]. */
type Made = (x: Tensor, batch: readonly number[]) => Tensor;

/** `of` one batch of images as they are, unrecorded. @param pixels of it, where they had to be read. */
const made = (model: Module, images: TaskImages, batch: readonly number[], of: Made, pixels?: BatchPixels): Tensor =>
  noGrad(model.engine, () => model.engine.scope(() => of(images.raw(batch, pixels), batch)));

/** `of` every batch of images as they are, by the model as it is outside of training. */
async function* batches(
  model: Module,
  images: TaskImages,
  indices: readonly number[],
  of: Made,
): AsyncGenerator<{ batch: readonly number[]; result: Tensor }, void, undefined> {
  const wasTraining = model.training;
  model.eval();
  try {
    for await (const { item: batch, pixels } of images.ahead(inBatches(indices), (batch) => [batch])) {
      const result = made(model, images, batch, of, pixels[0]);
      try {
        yield { batch, result };
      } finally {
        result.dispose();
      }
    }
  } finally {
    model.train(wasTraining);
  }
}

/**
 * What `of` gives for every image, read back: row by row, in the images' order.
 * @param Elements the array that elements of its dtype are read into.
 */
export async function readOf<T extends Float32Array | Int32Array>(
  Elements: new (length: number) => T,
  model: Module,
  images: TaskImages,
  indices: readonly number[],
  of: Made,
): Promise<T> {
  const parts: T[] = [];
  for await (const { result } of batches(model, images, indices, of)) parts.push((await result.data()) as T);
  const out = new Elements(parts.reduce((total, { length }) => total + length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** Mean normalised features by logit, f32 [classes, featureSize]; zeros for a class without images. Belongs to the caller. */
export async function prototypesOf(
  model: IncrementalModel,
  images: TaskImages,
  indices: readonly number[],
  classes: number,
): Promise<Tensor> {
  const { engine, featureSize } = model;
  const running = new Prototypes(engine, classes, featureSize);
  try {
    for await (const { batch, result } of batches(model, images, indices, (x) => model.features(x))) {
      engine.scope(() => running.update(result, images.targets(batch)));
    }
    return engine.keep(running.means());
  } finally {
    running.dispose();
  }
}

/** {@link prototypesOf} of images that are all on the device: at once. */
export function prototypesOnDevice(model: IncrementalModel, images: TaskImages, classes: number): Tensor {
  const { engine, featureSize } = model;
  const running = new Prototypes(engine, classes, featureSize);
  const wasTraining = model.training;
  model.eval();
  try {
    for (const batch of inBatches([...images.labels.keys()])) {
      engine.scope(() => {
        const features = made(model, images, batch, (x) => model.features(x));
        running.update(features, images.targets(batch));
      });
    }
    return engine.keep(running.means());
  } finally {
    model.train(wasTraining);
    running.dispose();
  }
}

/** The largest score of each image, i32 [n]; −1 where some score is not a finite number. */
export function largest(scores: Tensor): Tensor {
  return where(min(scores.isFinite(), 1), argmax(scores), -1);
}
