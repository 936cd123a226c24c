/** What a method's own code gives back, checked where it is given: its mistakes are told in its name. */
import { ConfigError, EngramError } from '../errors.ts';
import { Module } from '../nn/module.ts';
import { show } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { received } from './expected.ts';
import type { AnyMethod, Batch, Phase, Task } from './method.ts';

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
  const { loss, images, parameters, recipe, state } = (
    typeof phase === 'object' && phase !== null ? phase : {}
  ) as Partial<Phase>;
  if (typeof loss !== 'function') {
    const what = typeof phase === 'object' && phase !== null ? 'an object without a function loss()' : received(phase);
    throw refuse(
      `learn() yielded ${what}, not a phase.`,
      'Yield { loss: (batch) => … } and what else the phase needs.',
    );
  }
  if (images !== undefined) {
    const isImage = (i: unknown) => Number.isInteger(i) && (i as number) >= 0 && (i as number) < imageCount;
    if (!Array.isArray(images) || images.length === 0 || !images.every(isImage))
      throw refuse(
        `a phase is to learn on the images ${received(images)}, of ${imageCount}.`,
        `Give a list of whole numbers from 0 to ${imageCount - 1}, such as task.fresh; one at least.`,
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
