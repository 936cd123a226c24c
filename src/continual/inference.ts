/** What a model makes of images that it does not learn from: features, prototypes, scores. Batch by batch, unrecorded. */
import { noGrad } from '../autograd/tape.ts';
import { Prototypes } from '../distill/weighting.ts';
import type { Module } from '../nn/module.ts';
import { where } from '../ops/elementwise/elementwise.ts';
import '../ops/methods.ts';
import { argmax, min } from '../ops/reduce.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { IncrementalModel } from './method.ts';
import type { TaskImages } from './task-images.ts';

const BATCH = 128;

/** `of` every batch of images as they are, by the model as it is outside of training. */
function* batches(
  model: Module,
  images: TaskImages,
  indices: readonly number[],
  of: (x: Tensor) => Tensor,
): Generator<{ batch: readonly number[]; result: Tensor }> {
  const { engine } = model;
  const wasTraining = model.training;
  model.eval();
  try {
    for (let start = 0; start < indices.length; start += BATCH) {
      const batch = indices.slice(start, start + BATCH);
      const result = noGrad(engine, () => engine.scope(() => of(images.raw(batch))));
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

/** Features, read back: [n, featureSize] row-major. */
export async function featuresOf(
  model: IncrementalModel,
  images: TaskImages,
  indices: readonly number[],
): Promise<Float32Array<ArrayBuffer>> {
  const out = new Float32Array(indices.length * model.featureSize);
  let offset = 0;
  for (const { batch, result } of batches(model, images, indices, (x) => model.features(x))) {
    out.set((await result.data()) as Float32Array, offset);
    offset += batch.length * model.featureSize;
  }
  return out;
}

/** Mean normalised features by logit, f32 [classes, featureSize]; zeros for a class without images. Belongs to the caller. */
export function prototypesOf(
  model: IncrementalModel,
  images: TaskImages,
  indices: readonly number[],
  classes: number,
): Tensor {
  const { engine, featureSize } = model;
  const running = new Prototypes(engine, classes, featureSize);
  try {
    for (const { batch, result } of batches(model, images, indices, (x) => model.features(x))) {
      engine.scope(() => running.update(result, images.targets(batch)));
    }
    return engine.keep(running.means());
  } finally {
    running.dispose();
  }
}

/** Scores, read back batch by batch: f32 [n, classes] row-major. */
export async function scoresOf(
  model: Module,
  images: TaskImages,
  indices: readonly number[],
  of: (x: Tensor) => Tensor,
): Promise<Float32Array<ArrayBuffer>> {
  const parts: Float32Array[] = [];
  for (const { result } of batches(model, images, indices, of)) parts.push((await result.data()) as Float32Array);
  const out = new Float32Array(parts.reduce((total, { length }) => total + length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** The largest score of each image, read back; −1 where some score is not a finite number. */
export async function predictionsOf(
  model: Module,
  images: TaskImages,
  indices: readonly number[],
  of: (x: Tensor) => Tensor,
): Promise<Int32Array<ArrayBuffer>> {
  const predicted = new Int32Array(indices.length);
  const largest = (x: Tensor) => {
    const scores = of(x);
    return where(min(scores.isFinite(), 1), argmax(scores), -1);
  };
  let offset = 0;
  for (const { batch, result } of batches(model, images, indices, largest)) {
    predicted.set((await result.data()) as Int32Array, offset);
    offset += batch.length;
  }
  return predicted;
}
