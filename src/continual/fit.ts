/** The training loop of one phase of a task. */

import { backward } from '../autograd/tape.ts';
import type { Augmentation } from '../data/augment.ts';
import type { Batch } from '../data/loader.ts';
import { tune } from '../ops/tune.ts';
import { clipGradNorm } from '../optim/clipping.ts';
import type { GradScaler } from '../optim/grad-scaler.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import { capture } from '../tensor/capture.ts';
import type { Engine } from '../tensor/engine.ts';
import { Random } from '../tensor/random.ts';
import { drawingFrom, type Streams, streamsOf } from '../tensor/random-tensors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type BatchParts, LazyBatch } from './batch.ts';
import type { Disposables } from './disposables.ts';
import { diverged, weightsAreFinite } from './divergence.ts';
import { epochBatches } from './epoch-batches.ts';
import type { EpochEvent, StepEvent } from './events.ts';
import type { LearnerSettings, Recipe } from './learner-settings.ts';
import { LossQueue } from './loss-queue.ts';
import { type LossTerms, termsOf } from './loss-terms.ts';
import type { Drawn, IncrementalModel, Phase } from './method.ts';
import { lossOf } from './method-checks.ts';
import { makeOptimizer, makeSchedule } from './recipe.ts';
import { type PhaseParts, type PhaseSnapshot, restoreSnapshot, takeSnapshot } from './snapshot.ts';
import type { BatchPixels, TaskImages } from './task-images.ts';
import { trainOnly } from './train-only.ts';
import { augmentationOf } from './training-checks.ts';

/** Everything one phase is trained with. */
export interface Fit {
  readonly engine: Engine;
  readonly training: LearnerSettings;
  readonly recipe: Recipe;
  /** From 0. */
  readonly task: number;
  readonly phaseIndex: number;
  /** What is trained, in errors; the task and the phase by default. */
  readonly name?: string;
  readonly phase: Phase;
  readonly model: IncrementalModel;
  /** The old model, which stays as it is. */
  readonly old: IncrementalModel | null;
  /** For f16. */
  readonly scaler: GradScaler | null;
  readonly images: TaskImages;
  /** Which images to learn on. */
  readonly indices: readonly number[];
  /** Takes in what training needs on the device; to be freed when it ends, however it does. */
  readonly held: Disposables;
  /** A snapshot is taken after so many epochs, and after the last; 0 for none. */
  readonly saveEvery: number;
  /** Where to go on. */
  readonly resume: { readonly snapshot: PhaseSnapshot; readonly where: string } | null;
}

export interface SnapshotEvent {
  readonly type: 'snapshot';
  readonly snapshot: PhaseSnapshot;
}

/** Steps to be under way while a loss is waited for: the GPU is kept busy, and never runs away from JavaScript. */
const IN_FLIGHT = 3;

/** Milliseconds for measuring kernels whose shapes are new: little beside a task. */
const TUNING_MS = 3000;

/** What a step gives: f32 scalars. */
interface StepResult {
  readonly loss: Tensor;
  readonly terms: LossTerms;
}

/** A step that was recorded. */
type Recorded = Omit<StepEvent, 'type' | 'loss' | 'terms' | 'task' | 'phase' | 'phaseName' | 'epochs'>;

/**
 * A batch as it is handed to a step: indices u32 [n], their matrices f32 [n, 2, 3] and right logits i32 [n], factors f32 [n]
 * where its augmentation changes the brightness, and pixels where they are streamed.
 */
type StepInput = [indices: Tensor, transforms: Tensor, targets: Tensor, ...others: Tensor[]];

type StepParts = BatchParts<IncrementalModel>;

const brightens = ({ brightness = 0 }: Augmentation): boolean => brightness > 0;

/** One step on the device: the batch and those that are drawn beside it, each by its tensors, to the loss and its terms. */
function stepOf(fit: Fit, optimizer: Optimizer) {
  const { recipe, phase, model, old, scaler, images } = fit;
  const names = Object.keys(phase.drawn ?? {});
  const values = phase.values ?? {};
  const looks = [phase, ...Object.values(phase.drawn ?? {})].map((lot) => augmentationFor(fit, lot));
  return (...inputs: Tensor[]): StepResult => {
    const left = [...inputs];
    const [own, ...others] = looks.map((how) => {
      const [indices, transforms, targets] = left.splice(0, 3) as StepInput;
      const brightness = brightens(how) ? left.shift() : undefined;
      const pixels = images.areStreamed ? left.shift() : undefined;
      const x = images.augmented({ indices, transforms, brightness, pixels }, how);
      return { model, old, images: x, targets, indices, values };
    }) as [StepParts, ...StepParts[]];
    const drawn = Object.fromEntries(names.map((name, i) => [name, new LazyBatch(others[i] as StepParts)]));
    const value = lossOf(phase, new LazyBatch({ ...own, drawn }), nameOf(fit));
    backward(scaler ? scaler.scale(value) : value);
    scaler?.unscale(optimizer);
    if (recipe.clip > 0) clipGradNorm(model.parameters(), recipe.clip);
    if (scaler) scaler.step(optimizer);
    else optimizer.step();
    phase.afterStep?.();
    scaler?.update();
    optimizer.zeroGrad();
    return { loss: value, terms: termsOf(value) };
  };
}

/** How images are augmented: those of a phase, or of what it draws. */
const augmentationFor = ({ training }: Fit, { augment }: Pick<Phase | Drawn, 'augment'>): Augmentation =>
  augment === false ? {} : augmentationOf(training);

/** Streams of random numbers by what they are for; those of first phases have the names they had before there were others. */
const purpose = (name: string, { task, phaseIndex }: Fit): (string | number)[] =>
  phaseIndex === 0 ? [name, task] : [name, task, `phase ${phaseIndex}`];

/** A batch whose images are chosen. */
interface Chosen {
  readonly indices: Uint32Array<ArrayBuffer>;
  readonly augmentation: Augmentation;
  /** Of the augmentation. */
  readonly random: Random;
}

/** A batch that is drawn in every step, in one epoch. */
interface Draw extends Omit<Chosen, 'indices'> {
  /** Which images, another choice at each call. */
  next(): Uint32Array<ArrayBuffer>;
}

const drawsOf = (fit: Fit, epoch: number): Draw[] =>
  Object.entries(fit.phase.drawn ?? {}).map(([name, drawn]) => {
    const random = (what: string) => Random.of(fit.training.seed, ...purpose(`${what} ${name}`, fit), epoch);
    const [choices, augments] = [random('draw'), random('augment')];
    const count = Math.min(drawn.batch ?? fit.recipe.batch, drawn.images.length);
    return {
      next: () => Uint32Array.from(choices.choice(drawn.images, count)),
      augmentation: augmentationFor(fit, drawn),
      random: augments,
    };
  });

/**
 * Trains the model in one phase; yields every step, every epoch and the snapshots. The caller frees `held` when it ends,
 * fails or is left.
 * @throws {ConfigError} when training diverges, and for images one by one that the network cannot train on.
 * @throws {CheckpointError} when what is to be resumed does not fit.
 */
export async function* fitPhase(fit: Fit): AsyncGenerator<StepEvent | EpochEvent | SnapshotEvent> {
  const { engine, training, recipe, task, phaseIndex, phase, model, images, held, saveEvery, resume } = fit;
  const { seed } = training;
  const augmentation = augmentationFor(fit, phase);
  const { epochs } = recipe;
  held.add(trainOnly(model, phase.parameters));
  const optimizer = held.add(makeOptimizer(phase.parameters ?? model, recipe));
  const schedule = makeSchedule(recipe);
  // A seed for each task: no two may see the same orders.
  const loader = epochBatches({
    indices: fit.indices,
    batch: recipe.batch,
    seed: Random.of(seed, ...purpose('loader', fit)).word(),
    model,
    images,
    isAlone: Object.keys(phase.drawn ?? {}).length === 0,
    where: nameOf(fit),
  });
  const parts: PhaseParts = { model, optimizer, scaler: fit.scaler, state: phase.state ?? {} };
  if (resume) restoreSnapshot(resume.snapshot, parts, resume.where);
  const step = stepOf(fit, optimizer);
  const captured = training.capture && phase.replayable !== false ? held.add(capture(engine, step)) : null;
  // All are read at an epoch's end: more than its steps are never waited for.
  const together = Math.min(training.lossEvery, loader.steps);
  const losses = held.add(new LossQueue<Recorded>(engine, together));
  const inputOf = ({ indices, augmentation: how, random }: Chosen, pixels: BatchPixels | undefined): StepInput => [
    engine.tensor(indices),
    images.transforms(indices.length, how, random),
    images.targets(indices),
    ...(brightens(how) ? [images.brightness(indices.length, how, random)] : []),
    ...(pixels ? [images.upload(pixels, indices.length)] : []),
  ];
  const record = (at: Recorded, chosen: readonly Chosen[], pixels: readonly BatchPixels[], streams: Streams): void =>
    engine.scope(() => {
      const inputs: Tensor[] = chosen.flatMap((one, i) => inputOf(one, pixels[i]));
      const { loss, terms } = drawingFrom(engine, streams, () => (captured ?? step)(...inputs));
      losses.add(at, loss, terms);
    });
  const snapshots = new Map<number, Promise<PhaseSnapshot>>();
  /** Seconds that each epoch waited for its images, where they are streamed. */
  const waits = new Map<number, number>();
  const which = { task, phase: phaseIndex, ...(phase.name === undefined ? {} : { phaseName: phase.name }) };
  let started = performance.now();
  const totals = new Totals();
  /** Tells of steps, and of the epochs that end with one, until no more than `left` reads are under way. */
  const report = async function* (left: number): AsyncGenerator<StepEvent | EpochEvent | SnapshotEvent> {
    for await (const { step: at, loss, terms } of losses.settle(left)) {
      const { epoch, images, steps } = at;
      checkLoss(loss, fit, epoch, at.step);
      totals.add({ loss, terms }, images);
      yield { type: 'step', ...which, epochs, ...at, loss, terms };
      if (at.step + 1 < at.steps) continue;
      const seconds = (performance.now() - started) / 1000;
      const lr = schedule(epoch);
      const waited = waits.get(epoch);
      const waiting = waited === undefined ? {} : { waited };
      yield { type: 'epoch', ...which, epoch, ...totals.take(), lr, steps, seconds, ...waiting };
      const snapshot = await snapshots.get(epoch);
      snapshots.delete(epoch);
      if (snapshot) yield { type: 'snapshot', snapshot };
      started = performance.now();
    }
  };
  const most = Math.ceil(IN_FLIGHT / together);
  // On software adapters the rule is what measuring would find, and compiling every form takes seconds.
  const tunes = training.tune ?? engine.adapterKind === 'hardware';
  /** Numbers of images whose kernels the tuner has seen: it looks at a first step, before one is recorded. */
  const seen = new Set<number>();
  for (let epoch = resume?.snapshot.epochs ?? 0; epoch < epochs; epoch++) {
    optimizer.lr = schedule(epoch);
    const random = Random.of(seed, ...purpose('augment', fit), epoch);
    const draws = drawsOf(fit, epoch);
    // What dropout draws is the epoch's own, whatever else is drawn on the engine.
    const streams = streamsOf(Random.of(seed, ...purpose('dropout', fit), epoch).word());
    const batches = batchesOf(loader.epoch(epoch), { augmentation, random }, draws);
    for await (const { item, pixels, waited } of images.ahead(batches, ({ chosen }) => chosen.map(indicesOf))) {
      const { number, indices, chosen } = item;
      if (images.areStreamed) waits.set(epoch, (waits.get(epoch) ?? 0) + waited / 1000);
      const isNew = tunes && !seen.has(indices.length);
      seen.add(indices.length);
      const at = { epoch, step: number, steps: loader.steps, images: indices.length };
      if (isNew) await tune(engine, () => record(at, chosen, pixels, streams), { budget: TUNING_MS });
      else record(at, chosen, pixels, streams);
      yield* report(most);
    }
    // An epoch is reported when its last step is done; the next one begins meanwhile.
    losses.read();
    if (saveEvery > 0 && ((epoch + 1) % saveEvery === 0 || epoch + 1 === epochs)) {
      const snapshot = takeSnapshot(epoch + 1, parts);
      // Thrown where it is awaited, unless something else was thrown before.
      snapshot.catch(() => {});
      snapshots.set(epoch, snapshot);
    }
  }
  yield* report(0);
  // Before the method goes on with them.
  if (!(await weightsAreFinite(model))) throw diverged(nameOf(fit), 'after its last step weights are', recipe.lr);
}

const indicesOf = ({ indices }: Chosen): Uint32Array<ArrayBuffer> => indices;

/** An epoch's batches, each with what is drawn beside it. */
function* batchesOf(
  batches: Iterable<Batch>,
  how: Omit<Chosen, 'indices'>,
  draws: readonly Draw[],
): Generator<Pick<Batch, 'indices'> & { readonly number: number; readonly chosen: readonly Chosen[] }> {
  for (const { step: number, indices } of batches) {
    const drawn = draws.map(({ next, ...others }) => ({ ...others, indices: next() }));
    yield { number, indices, chosen: [{ ...how, indices }, ...drawn] };
  }
}

/** Means over an epoch's images. */
class Totals {
  private images = 0;
  private loss = 0;
  private readonly terms = new Map<string, number>();

  add({ loss, terms }: Pick<StepEvent, 'loss' | 'terms'>, images: number): void {
    this.images += images;
    this.loss += loss * images;
    for (const [name, value] of Object.entries(terms))
      this.terms.set(name, (this.terms.get(name) ?? 0) + value * images);
  }

  /** The means, and from then on those of the next epoch. */
  take(): Pick<EpochEvent, 'loss' | 'terms' | 'images'> {
    const { images, loss } = this;
    const terms = Object.fromEntries([...this.terms].map(([name, value]) => [name, value / images]));
    this.images = 0;
    this.loss = 0;
    this.terms.clear();
    return { loss: loss / images, terms, images };
  }
}

const nameOf = ({ task, phaseIndex, phase, name }: Fit): string =>
  name ?? `task ${task + 1}${phaseIndex > 0 ? `, phase ${phase.name ?? phaseIndex + 1}` : ''}`;

/** Logits that are NaN or infinite reach the loss. */
function checkLoss(loss: number, fit: Fit, epoch: number, step: number): void {
  if (Number.isFinite(loss)) return;
  throw diverged(`${nameOf(fit)}, epoch ${epoch + 1}, step ${step + 1}`, 'the loss is', fit.recipe.lr);
}
