/**
 * A step that is recorded once and then replayed: the same kernels on the same buffers, without running its JavaScript.
 * Recording every step anew costs tens of microseconds a kernel, which a fast GPU is done with sooner.
 */

import { ArgumentError } from '../errors.ts';
import { memoryOf, type RecordedMemory, type Recording } from '../gpu/recording/recording.ts';
import { recordingMeans } from '../gpu/recording/recordings.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { refuseAsync } from '../gpu/synchronous.ts';
import { DISPOSE } from './dispose.ts';
import { hostWatch, keyOf } from './embedding/host-inputs.ts';
import { StepWatch } from './step-watch.ts';
import { Tensor } from './tensor.ts';

/** What a captured step keeps. */
export interface CaptureOptions {
  /**
   * Recordings kept, 8 by default: one more displaces the one that was replayed longest ago, whose input shapes are recorded
   * anew when they have come twice again.
   */
  readonly maxRecordings?: number;
}

/** A function of tensors that is replayed; see {@link capture}. */
export interface CapturedStep<A extends readonly Tensor[], T> {
  /** Runs, records or replays the step for these inputs. */
  (...inputs: A): T;
  /** Recordings held: one for each combination of input shapes that was called at least twice, up to `maxRecordings`. */
  readonly recordings: number;
  /** What the recordings hold, their inputs included; buffers that they share are counted once. */
  readonly memory: RecordedMemory;
  /**
   * Replays the recording for these inputs, or the latest one without inputs, in another way: what {@link encode} builds on.
   * @param replay is given the recording, and what copies the inputs to where it reads them.
   * @throws {ArgumentError} when there is no recording for them.
   * @internal
   */
  replayBy(replay: (engine: Runtime, recording: Recording, before: () => void) => void, ...inputs: A | readonly []): T;
  /** Frees the buffers that are held for replaying. The step may be called again, and is recorded anew. */
  dispose(): void;
  /** {@link dispose}, for `using`. */
  [Symbol.dispose](): void;
}

const MAX_RECORDINGS = 8;
/** Inputs remembered for each recording kept. */
const SEEN = 16;

interface Held<T> {
  readonly recording: Recording;
  readonly inputs: readonly Tensor[];
  readonly result: T;
  /** What the result is made of, kept for as long as it can be replayed. */
  readonly outputs: readonly Tensor[];
  /** Leaves whose gradients the step sets, each with what it has at its end: kept likewise, `null` for none. */
  readonly gradients: ReadonlyMap<Tensor, Tensor | null>;
}

/** The same value with every tensor in it replaced. */
function replaceTensors<T>(value: T, by: (tensor: Tensor) => Tensor): T {
  const walk = (part: unknown): unknown => {
    if (part instanceof Tensor) return by(part);
    if (Array.isArray(part)) return part.map(walk);
    if (part instanceof Map) return new Map([...part].map(([key, inner]) => [key, walk(inner)]));
    if (typeof part === 'object' && part !== null && Object.getPrototypeOf(part) === Object.prototype) {
      return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, walk(inner)]));
    }
    return part;
  };
  return walk(value) as T;
}

const look = (tensor: Tensor): Tensor => Tensor.view(tensor, tensor.shape, 'capture');

/** A view of the gradient that each leaf has now, but for those made within the step. */
const gradientsOf = (leaves: Iterable<Tensor>): Map<Tensor, Tensor | null> =>
  new Map(
    [...leaves]
      .filter(({ isFreed }) => !isFreed)
      .map((leaf) => [leaf, leaf.grad && !leaf.grad.isFreed ? look(leaf.grad).moveTo(null) : null]),
  );

/** The leaves have the gradients that the step left them: what its JavaScript did to them. */
function restoreGradients(gradients: Held<unknown>['gradients']): void {
  for (const [leaf, gradient] of gradients) {
    const { grad } = leaf;
    if (leaf.isFreed || (grad === null && gradient === null)) continue;
    if (grad && gradient && !grad.isFreed && grad.storage === gradient.storage) continue;
    grad?.dispose();
    leaf.grad = gradient && look(gradient).moveBeside(leaf);
  }
}

function recordStep<A extends readonly Tensor[], T>(
  engine: Runtime,
  step: (...inputs: A) => T,
  inputs: A,
  leaves: () => Iterable<Tensor>,
): Held<T> {
  const held: Tensor[] = [];
  const outputs: Tensor[] = [];
  try {
    for (const input of inputs) {
      if (input.storage.isHosts) {
        held.push(engine.keep(look(input)));
        continue;
      }
      const copy = engine.keep(Tensor.empty(engine, input.shape, input.dtype, 'capture'));
      held.push(copy);
      copyTo(copy, input);
    }
    const { result, recording } = engine.makeRecording(
      () =>
        engine.scope(() =>
          replaceTensors(step(...(held as readonly Tensor[] as A)), (tensor) => {
            const kept = engine.keep(look(tensor));
            outputs.push(kept);
            return kept;
          }),
        ),
      recordingMeans,
    );
    return { recording, inputs: held, result, outputs, gradients: gradientsOf(leaves()) };
  } catch (error) {
    for (const tensor of [...held, ...outputs]) tensor.dispose();
    throw error;
  }
}

/** Warns once for each captured step. */
const readWarning = (engine: Runtime): (() => void) => {
  let isSaid = false;
  return () => {
    if (isSaid) return;
    isSaid = true;
    engine.warn(
      'engram: a captured step reads a tensor while it runs, which no replay does again. Return the tensor, and read it outside.',
    );
  };
};

function copyTo(held: Tensor, input: Tensor): void {
  if (held.storage !== input.storage) held.engine.copy(input.storage, held.storage, held.storage.bytes);
}

/**
 * Makes a function that records what `step` does and from then on only replays it. The first call with inputs of some
 * shapes runs as usual, so that what is made once is made; the second is recorded; every later one copies its
 * inputs to where the recording reads them and submits it. Results are the same to the last bit.
 *
 * Replayed is what happened on the device. What may differ from call to call has to come in through `inputs`, but for
 * what the engine feeds itself: the rates and the step count of optimizers, unnamed random numbers, drawn groups. Numbers
 * uploaded inside (`engine.tensor([...])`) stay what they were, JavaScript inside does not run again, and
 * gradients must start from nothing in every step (`zeroGrad` inside, at its beginning or at its end). What is read inside
 * is read in the first two calls only, with a warning: no replay does it again.
 *
 * When the step throws, gradients are again what they were before the call, but for those it had freed by itself. What
 * it did on the device before is not taken back: parameters that an optimizer had updated, its count of steps, and the
 * random numbers drawn.
 *
 * An input that wraps a buffer of the app around the engine (see {@link wrap}) is not copied: the recording reads it,
 * and what the step writes to it goes there. So each such buffer has a recording of its own: two that take turns are two.
 *
 * A recording knows how long each tensor of the step is needed, and packs them into a few buffers, which recordings of
 * other shapes use in turn.
 * @param step synchronous; its inputs take no gradient. Returns tensors, in arrays, maps and plain objects, or nothing.
 * They come without their graph, and hold what they hold until the next call: read them before that.
 * @throws {ArgumentError} when `maxRecordings` is not a whole number above 0; and the function that it returns, for inputs that
 * are not tensors of this engine, and an asynchronous step.
 * @throws {AutogradError} the function that it returns, when the step would add to gradients that it did not make. It also
 * throws what `step` throws.
 * @example
 * const train = capture(engine, (x, y) => {
 *   const loss = crossEntropy(model.forward(x), y);
 *   loss.backward();
 *   optimizer.step();
 *   optimizer.zeroGrad();
 *   return loss;
 * });
 * for (const [x, y] of batches) console.log(await train(x, y).item());
 */
export function capture<A extends readonly Tensor[], T>(
  engine: Runtime,
  step: (...inputs: A) => T,
  { maxRecordings = MAX_RECORDINGS }: CaptureOptions = {},
): CapturedStep<A, T> {
  if (!(Number.isInteger(maxRecordings) && maxRecordings > 0)) {
    throw new ArgumentError({
      where: 'capture',
      message: `maxRecordings is ${maxRecordings}; it must be a whole number above 0.`,
    });
  }
  const onRead = readWarning(engine);
  const watchHosts = hostWatch(engine, maxRecordings);
  const call = (...inputs: A): T => {
    const result = step(...inputs);
    refuseAsync('capture', result);
    return result;
  };

  /** By the kinds of the inputs, the one that was called longest ago first. */
  const known = new Map<string, Held<T>>();
  /** Kinds that were called once, likewise: those that do not come back soon are not worth a recording. */
  const seen = new Set<string>();

  const free = ({ inputs, outputs, gradients, recording }: Held<T>): void => {
    for (const tensor of [...inputs, ...outputs, ...gradients.values()]) tensor?.dispose();
    engine.forget(recording);
  };

  const hold = (key: string, held: Held<T>): void => {
    known.set(key, held);
    const [oldest] = known;
    if (!oldest || known.size <= maxRecordings) return;
    known.delete(oldest[0]);
    free(oldest[1]);
  };

  const remember = (key: string): void => {
    seen.add(key);
    const [oldest] = seen;
    if (oldest !== undefined && seen.size > SEEN * maxRecordings) seen.delete(oldest);
  };

  const check = (inputs: readonly Tensor[]): string => {
    const strange = inputs.find((input) => !(input instanceof Tensor) || input.engine !== engine);
    if (strange !== undefined) {
      throw new ArgumentError({
        where: 'capture',
        message: `input ${inputs.indexOf(strange)} is ${strange instanceof Tensor ? 'a tensor of another engine' : 'not a tensor'}.`,
        fix: 'Hand in tensors of the engine that captures; other values are fixed when the step is recorded.',
      });
    }
    for (const [i, input] of inputs.entries()) input.assertLive('capture', `input ${i}`);
    return `${engine.gradEnabled} ${inputs.map(keyOf).join()}`;
  };

  /** What is done again with these inputs; it is the one that was called last then. */
  const prepare = (key: string, held: Held<T>, inputs: readonly Tensor[]): void => {
    known.delete(key);
    known.set(key, held);
    const places = held.inputs.map(({ storage }) => storage);
    engine.scope(() => {
      // A result that is an input lies where another input goes: it is taken from there before that comes.
      const sources = inputs.map((input, i) => {
        const place = places.indexOf(input.storage);
        if (place < 0 || place === i || input.storage.isHosts) return input;
        const copy = Tensor.empty(engine, input.shape, input.dtype, 'capture');
        copyTo(copy, input);
        return copy;
      });
      sources.forEach((source, i) => {
        copyTo(held.inputs[i] as Tensor, source);
      });
    });
  };

  const run = (...inputs: A): T => {
    const key = check(inputs);
    const held = known.get(key);
    if (engine.isRecording || !(held || seen.has(key))) {
      const result = new StepWatch(onRead).run(engine, () =>
        engine.scope(() => replaceTensors(call(...(inputs.map(look) as readonly Tensor[] as A)), look)),
      );
      if (!held) remember(key);
      watchHosts(inputs);
      return result;
    }
    if (!held) {
      const watch = new StepWatch(onRead);
      const leaves = () => watch.leaves as Set<Tensor>;
      const made = watch.run(engine, () => recordStep(engine, call, inputs, leaves));
      seen.delete(key);
      hold(key, made);
      return replaceTensors(made.result, look);
    }
    prepare(key, held, inputs);
    engine.replay(held.recording);
    restoreGradients(held.gradients);
    return replaceTensors(held.result, look);
  };

  const replayBy: CapturedStep<A, T>['replayBy'] = (replay, ...inputs) => {
    const given = check(inputs);
    const latest = inputs.length === 0 && !known.has(given) ? [...known.keys()].at(-1) : given;
    const held = known.get(latest ?? given);
    if (!held) {
      throw new ArgumentError({
        where: 'encode',
        message: `the step is not recorded for inputs (${inputs.map(keyOf).join()}).`,
        fix: 'Call it twice with them, then `await engine.flush()`.',
      });
    }
    replay(engine, held.recording, () => prepare(latest ?? given, held, inputs));
    restoreGradients(held.gradients);
    return replaceTensors(held.result, look);
  };

  const dispose = (): void => {
    for (const held of known.values()) free(held);
    known.clear();
    seen.clear();
  };
  return Object.defineProperties(run, {
    recordings: { get: () => known.size },
    memory: {
      get: () => {
        const all = [...known.values()];
        const inputs = all
          .flatMap((held) => held.inputs.map(({ storage }) => storage))
          .filter(({ isHosts }) => !isHosts);
        return memoryOf(
          all.map(({ recording }) => recording),
          inputs,
        );
      },
    },
    replayBy: { value: replayBy },
    dispose: { value: dispose },
    [DISPOSE]: { value: dispose },
  }) as CapturedStep<A, T>;
}
