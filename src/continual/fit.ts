/** The training loop of one task. */

import { backward, noGrad } from '../autograd/tape.ts';
import { DataLoader } from '../data/loader.ts';
import type { ResNet } from '../nn/resnet.ts';
import { tune } from '../ops/tune.ts';
import { clipGradNorm } from '../optim/clipping.ts';
import type { GradScaler } from '../optim/grad-scaler.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import { capture } from '../tensor/capture.ts';
import type { Engine } from '../tensor/engine.ts';
import { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { RunConfig } from './config.ts';
import type { Disposables } from './disposables.ts';
import { diverged } from './divergence.ts';
import type { EpochEvent, StepEvent } from './events.ts';
import { augmentationOf, type LearnerImages } from './images.ts';
import { LossQueue } from './loss-queue.ts';
import type { TaskLoss } from './method.ts';
import { epochsOf, makeOptimizer, makeSchedule } from './recipe.ts';
import type { Scenario } from './scenario.ts';

/** Everything one task is trained with. */
export interface Fit {
  readonly engine: Engine;
  readonly config: RunConfig;
  readonly scenario: Scenario;
  /** From 0. */
  readonly task: number;
  readonly model: ResNet;
  /** The old model, which stays as it is. */
  readonly teacher: ResNet | null;
  readonly loss: TaskLoss;
  /** For f16. */
  readonly scaler: GradScaler | null;
  readonly images: LearnerImages;
  /** Which images to learn on. */
  readonly indices: readonly number[];
  /** Takes in what training needs on the device; to be freed when it ends, however it does. */
  readonly held: Disposables;
}

/** Steps to be under way while a loss is waited for: the GPU is kept busy, and never runs away from JavaScript. */
const IN_FLIGHT = 3;

/** Milliseconds for measuring kernels whose shapes are new: little beside a task. */
const TUNING_MS = 3000;

/** A step that was recorded. */
type Recorded = Omit<StepEvent, 'type' | 'loss' | 'task' | 'epochs'>;

/** One step on the device: indices u32 [n], their matrices f32 [n, 2, 3] and right logits i32 [n] to the loss. */
function stepOf({ engine, config, model, teacher, loss, scaler, images }: Fit, optimizer: Optimizer) {
  const augmentation = augmentationOf(config);
  return (indices: Tensor, transforms: Tensor, targets: Tensor): Tensor => {
    const x = images.augmented(indices, transforms, augmentation);
    const oldLogits = teacher ? noGrad(engine, () => teacher.forward(x)) : null;
    const value = loss.loss({ logits: model.forward(x), targets, oldLogits });
    backward(scaler ? scaler.scale(value) : value);
    scaler?.unscale(optimizer);
    if (config.clip > 0) clipGradNorm(model.parameters(), config.clip);
    if (scaler) scaler.step(optimizer);
    else optimizer.step();
    scaler?.update();
    optimizer.zeroGrad();
    return value;
  };
}

/**
 * Trains the model on one task; yields every step and every epoch. The caller frees `held` when it ends, fails or is left.
 * @throws {ConfigError} when training diverges.
 */
export async function* fitTask(fit: Fit): AsyncGenerator<StepEvent | EpochEvent> {
  const { engine, config, task, model, images, scenario, held } = fit;
  const epochs = epochsOf(config, task);
  const optimizer = held.add(makeOptimizer(model, config));
  const schedule = makeSchedule(config, epochs);
  // A seed for each task: no two may see the same orders.
  const loader = new DataLoader(fit.indices, {
    batch: config.batch,
    seed: Random.of(config.seed, 'loader', task).word(),
  });
  model.train();
  const step = stepOf(fit, optimizer);
  const captured = config.capture && fit.loss.replayable !== false ? held.add(capture(engine, step)) : null;
  // All are read at an epoch's end: more than its steps are never waited for.
  const together = Math.min(config.lossEvery, loader.steps);
  const losses = held.add(new LossQueue<Recorded>(engine, together));
  const record = (at: Recorded, indices: Uint32Array<ArrayBuffer>, random: Random): void =>
    engine.scope(() => {
      const transforms = images.transforms(indices.length, augmentationOf(config), random);
      const targets = images.targets(indices, scenario.logitOf);
      losses.add(at, (captured ?? step)(engine.tensor(indices), transforms, targets));
    });
  let started = performance.now();
  let total = 0;
  /** Tells of steps, and of the epochs that end with one, until no more than `left` reads are under way. */
  const report = async function* (left: number): AsyncGenerator<StepEvent | EpochEvent> {
    for await (const { step: at, loss } of losses.settle(left)) {
      const { epoch, images } = at;
      checkLoss(loss, task, epoch, at.step, config.lr);
      total += loss * images;
      yield { type: 'step', task, epochs, ...at, loss };
      if (at.step + 1 < at.steps) continue;
      const seconds = (performance.now() - started) / 1000;
      const { length } = loader;
      yield { type: 'epoch', task, epoch, loss: total / length, lr: schedule(epoch), images: length, seconds };
      started = performance.now();
      total = 0;
    }
  };
  const most = Math.ceil(IN_FLIGHT / together);
  // On software adapters the rule is what measuring would find, and compiling every form takes seconds.
  const tunes = config.tune ?? engine.adapterKind === 'hardware';
  /** Numbers of images whose kernels the tuner has seen: it looks at a first step, before one is recorded. */
  const seen = new Set<number>();
  for (let epoch = 0; epoch < epochs; epoch++) {
    optimizer.lr = schedule(epoch);
    const random = Random.of(config.seed, 'augment', task, epoch);
    for (const { step: number, indices } of loader.epoch(epoch)) {
      const isNew = tunes && !seen.has(indices.length);
      seen.add(indices.length);
      const at = { epoch, step: number, steps: loader.steps, images: indices.length };
      if (isNew) await tune(engine, () => record(at, indices, random), { budget: TUNING_MS });
      else record(at, indices, random);
      yield* report(most);
    }
    // An epoch is reported when its last step is done; the next one begins meanwhile.
    losses.read();
  }
  yield* report(0);
}

/** Logits that are NaN or infinite reach the loss. */
function checkLoss(loss: number, task: number, epoch: number, step: number, lr: number): void {
  if (!Number.isFinite(loss))
    throw diverged(`task ${task + 1}, epoch ${epoch + 1}, step ${step + 1}`, 'the loss is', lr);
}
