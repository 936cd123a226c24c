/** The training loop of one task. */
import { backward, noGrad } from '../autograd/tape.ts';
import { DataLoader } from '../data/loader.ts';
import type { Engine } from '../gpu/engine.ts';
import { ConfigError } from '../gpu/errors.ts';
import { tune } from '../gpu/tuner.ts';
import type { ResNet } from '../nn/resnet.ts';
import { clipGradNorm } from '../optim/clipping.ts';
import type { GradScaler } from '../optim/grad-scaler.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import '../tensor/capture.ts';
import { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Config } from './config.ts';
import type { EpochEvent, StepEvent } from './events.ts';
import { augmentationOf, type LearnerImages } from './images.ts';
import type { TaskLoss } from './method.ts';
import { makeOptimizer, makeSchedule } from './recipe.ts';
import type { Scenario } from './scenario.ts';

/** Everything one task is trained with. */
export interface Fit {
  readonly engine: Engine;
  readonly config: Config;
  readonly scenario: Scenario;
  /** From 0. */
  readonly task: number;
  readonly model: ResNet;
  /** The old model, frozen. */
  readonly teacher: ResNet | null;
  readonly loss: TaskLoss;
  /** For f16. */
  readonly scaler: GradScaler | null;
  readonly images: LearnerImages;
  /** Which images to learn on. */
  readonly indices: readonly number[];
}

/** Steps whose loss has not been read yet: the GPU is kept busy, and never runs away from JavaScript. */
const IN_FLIGHT = 3;

/** Milliseconds for measuring kernels whose shapes are new: little beside a task. */
const TUNING_MS = 3000;

/** One step on the device: indices u32 [n], their matrices f32 [n, 2, 3] and right logits i32 [n] to the loss. */
function stepOf({ engine, config, model, teacher, loss, scaler, images }: Fit, optimizer: Optimizer) {
  const augmentation = augmentationOf(config);
  return (indices: Tensor, moves: Tensor, targets: Tensor): Tensor => {
    const x = images.moved(indices, moves, augmentation);
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

/** Trains the model on one task; tells of every step and every epoch. @throws ConfigError when training diverges. */
export async function* fitTask(fit: Fit): AsyncGenerator<StepEvent | EpochEvent> {
  const { engine, config, task, model, images, scenario } = fit;
  const epochs = task === 0 && config.baseEpochs > 0 ? config.baseEpochs : config.epochs;
  const optimizer = makeOptimizer(model, config);
  const schedule = makeSchedule(config, epochs);
  // A seed for each task: no two may see the same orders.
  const loader = new DataLoader(fit.indices, {
    batch: config.batch,
    seed: Random.of(config.seed, 'loader', task).word(),
  });
  model.train();
  const step = stepOf(fit, optimizer);
  const captured = config.capture && fit.loss.replayable !== false ? engine.capture(step) : null;
  /** Records a step and returns its loss, still to be read. */
  const take = (indices: Uint32Array<ArrayBuffer>, random: Random): Promise<number> =>
    engine.scope(() => {
      const moves = images.moves(indices.length, augmentationOf(config), random);
      const targets = images.targets(indices, scenario.logitOf);
      return { read: (captured ?? step)(engine.tensor(indices), moves, targets).item() };
    }).read;
  // On software adapters the rule is what measuring would find, and compiling every form takes seconds.
  const tunes = config.tune ?? engine.adapterKind === 'hardware';
  /** Numbers of images whose kernels the tuner has seen: it looks at a first step, before one is recorded. */
  const seen = new Set<number>();
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const started = performance.now();
      optimizer.lr = schedule(epoch);
      const random = Random.of(config.seed, 'augment', task, epoch);
      const pending: { value: Promise<number>; event: Omit<StepEvent, 'loss'> }[] = [];
      let total = 0;
      const settle = async (left: number): Promise<StepEvent[]> => {
        const events: StepEvent[] = [];
        while (pending.length > left) {
          const { value, event } = pending.shift() as (typeof pending)[number];
          const loss = await value;
          checkLoss(loss, task, epoch, event.step, config.lr);
          total += loss * event.images;
          events.push({ ...event, loss });
        }
        return events;
      };
      for (const { step: number, indices } of loader.epoch(epoch)) {
        const isNew = tunes && !seen.has(indices.length);
        seen.add(indices.length);
        const value = isNew
          ? (await tune(engine, () => take(indices, random), { budget: TUNING_MS })).result
          : take(indices, random);
        pending.push({
          value,
          event: { type: 'step', task, epoch, epochs, step: number, steps: loader.steps, images: indices.length },
        });
        yield* await settle(IN_FLIGHT);
      }
      yield* await settle(0);
      const loss = total / loader.length;
      yield {
        type: 'epoch',
        task,
        epoch,
        loss,
        lr: optimizer.lr,
        images: loader.length,
        seconds: (performance.now() - started) / 1000,
      };
    }
  } finally {
    captured?.dispose();
    optimizer.dispose();
  }
}

/** Logits that are NaN or infinite reach the loss. Going on after a divergence would only spoil the checkpoint. */
function checkLoss(loss: number, task: number, epoch: number, step: number, lr: number): void {
  if (Number.isFinite(loss)) return;
  throw new ConfigError({
    where: `task ${task + 1}, epoch ${epoch + 1}, step ${step + 1}`,
    message: `the loss is no longer a number: training diverged at learning rate ${lr}.`,
    fix: 'Use a smaller --lr, --warmup or --clip; what was saved after earlier tasks is untouched.',
  });
}
