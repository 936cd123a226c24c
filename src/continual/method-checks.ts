/** What a method's own code gives back, checked where it is given: its mistakes are told in its name. */
import { ConfigError, EngramError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { Module } from '../nn/module.ts';
import { sameShape, show } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { received } from './expected.ts';
import type {
  AnyMethod,
  Batch,
  IncrementalModel,
  ModelContext,
  Phase,
  PredictionContext,
  Predictor,
  Task,
  TaskPlan,
} from './method.ts';

/** What the method threw, with its name; errors of the engine say where they are from already. */
function ofMethod(where: string, part: string, cause: unknown): EngramError {
  if (cause instanceof EngramError) return cause;
  const message = cause instanceof Error ? `${cause.name}: ${cause.message}` : received(cause);
  return new ConfigError({
    where,
    message: `${part} threw ${message.replace(/\.$/, '')}.`,
    fix: 'Correct the method; the cause of this error has the place, and --debug shows it on a command line.',
    cause,
  });
}

/**
 * What the method says of a plan.
 * @throws {ConfigError} what it refuses, and when it fails.
 */
export function noticesOf(
  method: AnyMethod,
  settings: Readonly<Record<string, unknown>>,
  plan: TaskPlan,
): readonly string[] {
  try {
    return method.check?.(settings, plan) ?? [];
  } catch (error) {
    throw ofMethod(`method "${method.name}"`, 'check()', error);
  }
}

/**
 * The model of a method that has one of its own.
 * @throws {ConfigError} when the method fails, and for what is no model of such classes.
 */
export function ownModel(method: AnyMethod, context: ModelContext): IncrementalModel | null {
  if (!method.model) return null;
  const where = `method "${method.name}"`;
  let model: unknown;
  try {
    model = method.model(context);
  } catch (error) {
    throw ofMethod(where, 'model()', error);
  }
  const refuse = (message: string, fix: string) => new ConfigError({ where, message, fix });
  if (!(model instanceof Module))
    throw refuse(`model() gave ${received(model)}, not a module.`, 'Return an object of a class that extends Module.');
  const found = model as Module & Partial<IncrementalModel>;
  const missing = (['forward', 'features', 'outputs', 'grow'] as const).find(
    (part) => typeof found[part] !== 'function',
  );
  if (missing) {
    model.dispose();
    throw refuse(`its model has no function ${missing}().`, 'See IncrementalModel for what models have.');
  }
  if (found.classes !== context.classes || !Number.isInteger(found.featureSize)) {
    const { classes, featureSize } = found;
    model.dispose();
    throw refuse(
      `its model says that it has ${received(classes)} classes and ${received(featureSize)} features; ${context.classes} classes were asked for.`,
      'Give it the fields classes and featureSize.',
    );
  }
  return model as IncrementalModel;
}

/**
 * How a method predicts, where it does not by its model's logits; its scores are checked as they are made.
 * @throws {ConfigError} when the method fails, and for what does not predict.
 */
export async function ownPredictor(method: AnyMethod, context: PredictionContext): Promise<Predictor | null> {
  if (!method.predictor) return null;
  const where = `method "${method.name}"`;
  let predictor: Predictor;
  try {
    predictor = await method.predictor(context);
  } catch (error) {
    throw ofMethod(where, 'predictor()', error);
  }
  if (typeof predictor?.scores !== 'function') {
    throw new ConfigError({
      where,
      message: `predictor() gave ${received(predictor)}, which has no function scores().`,
      fix: 'Return { scores: (images) => … }.',
    });
  }
  return {
    scores: (images) => checkedScores(predictor, images, context.model.classes, where),
    dispose: () => predictor.dispose?.(),
  };
}

function checkedScores(predictor: Predictor, images: Tensor, classes: number, where: string): Tensor {
  let scores: unknown;
  try {
    scores = predictor.scores(images);
  } catch (error) {
    throw ofMethod(where, 'scores()', error);
  }
  const [n = 0] = images.shape;
  if (scores instanceof Tensor && sameShape(scores.shape, [n, classes])) return scores;
  throw new ConfigError({
    where,
    message: `scores() gave ${scores instanceof Tensor ? show(scores.shape) : received(scores)} for ${n} images and ${classes} classes.`,
    fix: `Return a tensor ${show([n, classes])}.`,
  });
}

/**
 * What the method stores with each of these images.
 * @throws {ConfigError} when the method fails, and for what is not as many numbers as there are images.
 */
export async function storedBy(
  method: AnyMethod,
  task: Task,
  images: readonly number[],
): Promise<Readonly<Record<string, Float32Array>>[]> {
  const where = `method "${method.name}", task ${task.index + 1}`;
  let stored: unknown;
  try {
    stored = await method.stores?.(task, images);
  } catch (error) {
    throw ofMethod(where, 'stores()', error);
  }
  const refuse = (message: string) =>
    new ConfigError({ where, message, fix: `Return { name: [numbers of each of the ${images.length} images] }.` });
  if (typeof stored !== 'object' || stored === null) throw refuse(`stores() gave ${received(stored)}.`);
  const all: Record<string, Float32Array>[] = images.map(() => ({}));
  for (const [name, rows] of Object.entries(stored)) {
    if (!Array.isArray(rows) || rows.length !== images.length)
      throw refuse(`stores() gave ${Array.isArray(rows) ? `${rows.length} rows` : received(rows)} of "${name}".`);
    for (const [at, row] of rows.entries()) {
      if (!(row instanceof Float32Array) || !row.every(Number.isFinite))
        throw refuse(`stores() gave a row ${at} of "${name}" that is not a Float32Array of finite numbers.`);
      // A copy: a row may be a view of much more.
      (all[at] as Record<string, Float32Array>)[name] = row.slice();
    }
  }
  return all;
}

/**
 * The phases of a task as its method yields them.
 * @throws {ConfigError} when the method throws, and for what is no phase.
 */
export async function* phasesOf(method: AnyMethod, task: Task): AsyncGenerator<Phase> {
  const where = `method "${method.name}", task ${task.index + 1}`;
  try {
    const phases: unknown = method.learn(task);
    if (!isIterable(phases)) {
      throw new ConfigError({
        where,
        message: `learn() gave ${received(phases)}, not phases one after the other.`,
        fix: 'Make it a generator: async *learn(task) { yield { loss }; }.',
      });
    }
    for await (const phase of phases) {
      checkPhase(phase, where, task.labels.length);
      yield phase;
    }
  } catch (error) {
    throw ofMethod(where, 'learn()', error);
  }
}

const isIterable = (value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> =>
  typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);

function checkPhase(phase: unknown, where: string, imageCount: number): asserts phase is Phase {
  const refuse = (message: string, fix: string) => new ConfigError({ where, message, fix });
  const { name, loss, images, parameters, recipe, state, values, drawn } = (
    typeof phase === 'object' && phase !== null ? phase : {}
  ) as Partial<Phase>;
  if (typeof loss !== 'function') {
    const what = typeof phase === 'object' && phase !== null ? 'an object without a function loss()' : received(phase);
    throw refuse(
      `learn() yielded ${what}, not a phase.`,
      'Yield { loss: (batch) => … } and what else the phase needs.',
    );
  }
  if (name !== undefined && typeof name !== 'string')
    throw refuse(`a phase is called ${received(name)}.`, "Give a text, such as 'balance', or leave the name out.");
  const isImage = (i: unknown) => Number.isInteger(i) && (i as number) >= 0 && (i as number) < imageCount;
  const areImages = (list: unknown) => Array.isArray(list) && list.length > 0 && list.every(isImage);
  if (images !== undefined && !areImages(images))
    throw refuse(
      `a phase is to learn on the images ${received(images)}, of ${imageCount}.`,
      `Give a list of whole numbers from 0 to ${imageCount - 1}, such as task.fresh; one at least.`,
    );
  for (const [name, draw] of Object.entries(drawn ?? {})) {
    if (!areImages(draw?.images))
      throw refuse(
        `a phase is to draw "${clipped(name)}" from the images ${received(draw?.images)}, of ${imageCount}.`,
        `Give a list of whole numbers from 0 to ${imageCount - 1}, such as task.exemplars; one at least.`,
      );
    if (draw.batch !== undefined && !(Number.isInteger(draw.batch) && draw.batch > 0))
      throw refuse(
        `a phase is to draw batches of ${received(draw.batch)} images of "${clipped(name)}".`,
        'Give a whole number above 0, or leave it out for the batch of the recipe.',
      );
  }
  for (const [name, value] of Object.entries(values ?? {})) {
    if (value instanceof Tensor && value.shape[0] === imageCount) continue;
    throw refuse(
      `the values "${clipped(name)}" of a phase are ${value instanceof Tensor ? `a tensor ${show(value.shape)}` : received(value)}.`,
      `Give a tensor with a row for each of the task's ${imageCount} images.`,
    );
  }
  if (parameters !== undefined && !(parameters instanceof Module))
    throw refuse(
      `the parameters of a phase are ${received(parameters)}, not a module.`,
      'Give a part of the model, such as task.model.fc.',
    );
  if (recipe !== undefined && (typeof recipe !== 'object' || recipe === null))
    throw refuse(`the recipe of a phase is ${received(recipe)}.`, 'Give an object such as { epochs: 5, lr: 0.01 }.');
  const strange = Object.entries(state ?? {}).find(([, value]) => !(value instanceof Tensor));
  if (strange)
    throw refuse(
      `the state "${strange[0]}" of a phase is ${received(strange[1])}, not a tensor.`,
      'Keep what changes from step to step in a tensor.',
    );
}

/**
 * The loss of a batch.
 * @param where names the phase in errors.
 * @throws {ConfigError} when it throws, and for what is no scalar that training could follow.
 */
export function lossOf(phase: Phase, batch: Batch, where: string): Tensor {
  let loss: unknown;
  try {
    loss = phase.loss(batch);
  } catch (error) {
    throw ofMethod(where, 'loss()', error);
  }
  const refuse = (message: string, fix: string) => new ConfigError({ where, message, fix });
  if (!(loss instanceof Tensor))
    throw refuse(
      `loss() gave ${loss instanceof Promise ? 'a promise' : received(loss)}, not a tensor.`,
      'Return the loss as a scalar tensor, and nothing that has to be waited for.',
    );
  if (loss.size !== 1 || loss.dtype !== 'f32')
    throw refuse(
      `loss() gave ${loss.dtype}${show(loss.shape)}, where a scalar f32[] is expected.`,
      'Reduce it by mean() or sum(); cast() makes another dtype f32.',
    );
  if (!loss.requiresGrad)
    throw refuse(
      'loss() gave a number that depends on nothing that is trained.',
      'Make it from batch.logits or batch.outputs, outside noGrad() and without detach().',
    );
  return loss;
}
