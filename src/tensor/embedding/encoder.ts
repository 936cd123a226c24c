/** Work of the engine's in the command encoder of the app around it, which submits it with its own. */

import { checkTarget } from '../../gpu/embedding/host-buffer.ts';
import { checkCompiled, putInto } from '../../gpu/embedding/host-encoder.ts';
import { refusal } from '../../gpu/embedding/refusal.ts';
import type { Runtime } from '../../gpu/runtime.ts';
import type { CapturedStep } from '../capture.ts';
import type { Tensor } from '../tensor.ts';

/**
 * Runs `fn`, and puts what it does on the device into the app's command encoder instead of the queue, in passes of their own.
 * Nothing is submitted or read; the app submits, and calls {@link submitted}. Frees what `fn` makes, but for what it returns, as
 * `engine.scope` does.
 *
 * The order is that of the calls. What was recorded before the first piece in an encoder is in the queue by then, ahead of the
 * app's submission; what is recorded between two pieces goes into the encoder with the second; what comes after the last
 * waits for {@link submitted}.
 * @param encoder open, and with no pass open.
 * @throws {ArgumentError} while a kernel still compiles (run `fn` once outside, and `await engine.flush()`), while another
 * encoder holds work that has not been submitted, inside a captured step, or when `fn` is asynchronous.
 * @throws what `fn` throws. What it did until then goes to the queue without the encoder.
 * @example
 * const y = recordInto(engine, encoder, () => x.mul(2).relu());
 * device.queue.submit([encoder.finish()]);
 * submitted(engine);
 */
export function recordInto<T>(engine: Runtime, encoder: GPUCommandEncoder, fn: () => T): T {
  // The outer scope frees the result of what the encoder does not take: nobody else has it.
  return engine.scope(() => putInto(engine.embedding('recordInto'), encoder, 'recordInto', () => engine.scope(fn)));
}

/**
 * Puts a captured step into the app's command encoder as {@link recordInto} does, at the cost of a replay. It must have
 * been recorded: called twice with such inputs. One that wraps a buffer of the app's is not copied.
 * @param inputs none: the latest ones once more, where they lie.
 * @returns what the step returns.
 * @throws {ArgumentError} when it is not recorded for such inputs, its kernels still compile (`await engine.flush()`), or as
 * {@link recordInto} does. Nothing is done then.
 */
export function encode<A extends readonly Tensor[], T>(
  step: CapturedStep<A, T>,
  encoder: GPUCommandEncoder,
  ...inputs: A | readonly []
): T {
  if (typeof (step as Partial<CapturedStep<A, T>> | undefined)?.replayBy !== 'function') {
    throw refusal(
      'encode',
      `takes a captured step; ${typeof step === 'function' ? 'a function that was not captured' : 'something else'} was given.`,
      'Make one of it, once: `const step = capture(engine, fn)`; or use recordInto().',
    );
  }
  return step.replayBy(
    (engine, recording, before) => {
      const ground = engine.embedding('encode');
      if (!recording.isCompiled) checkCompiled(recording.commands, 'encode');
      putInto(ground, encoder, 'encode', () => {
        before();
        engine.replay(recording);
      });
    },
    ...inputs,
  );
}

/**
 * Copies the elements as they are at this point into a buffer of the app's, in its command encoder, as {@link recordInto} does.
 * In whole words: an odd number of f16 elements takes two bytes more.
 * @param offset in bytes, a multiple of 4.
 * @throws {ArgumentError} when it does not fit there, the buffer was made without COPY_DST, or as {@link recordInto} does.
 */
export function copyTo(tensor: Tensor, encoder: GPUCommandEncoder, buffer: GPUBuffer, offset = 0): void {
  tensor.assertLive('copyTo', 'this tensor');
  const { engine, storage } = tensor;
  const ground = engine.embedding('copyTo');
  checkTarget(storage, buffer, offset);
  putInto(ground, encoder, 'copyTo', () => ground.recorder.copy(storage, buffer, storage.bytes, offset));
}

/**
 * The app has submitted the encoder that {@link recordInto}, {@link encode} or {@link copyTo} was given, or has given it up:
 * what was recorded since goes to the queue, and results can be read again. Does nothing where there is none.
 */
export function submitted(engine: Runtime): void {
  const { recorder, errors } = engine.embedding('submitted');
  // A read that was under way when the encoder was begun may have ended since.
  errors.isEmbedded ||= recorder.host !== null;
  recorder.hostSubmitted();
}
