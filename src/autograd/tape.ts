/**
 * Reverse mode. An operation is its value plus one local backward; the tape is the chain of nodes behind a tensor,
 * walked from the newest to the oldest, so that a gradient is complete before it is passed on.
 */

import { AutogradError, DTypeError, ShapeError } from '../errors.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { refuseAsync } from '../gpu/synchronous.ts';
import { ones } from '../tensor/create.ts';
import { sameShape, show } from '../tensor/shape.ts';
import { watchOf } from '../tensor/step-watch.ts';
import { type GradNode, newestId, Tensor } from '../tensor/tensor.ts';

/** A local gradient made of recorded operations, so that it has a gradient itself. */
export type RecordedBackward = (gradient: Tensor) => readonly (Tensor | null)[];

/** A node that can say its gradient in recorded operations too; see `ops/recorded-gradients.ts`. */
export interface TapeNode extends GradNode {
  readonly recordedBackward?: RecordedBackward | undefined;
}

/** An operation as it was called, gradients or not: for whom {@link observed} tells. */
export interface Operation {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  /** What it was told beside its tensors; `operands` where others than its inputs, or numbers, stand among them. */
  readonly options: object;
}

const observers = new WeakMap<Runtime, (operation: Operation) => void>();

/** Tells `observer` of each operation that `fn` calls, in order; those that others are made of come before them. */
export function observed<T>(engine: Runtime, observer: (operation: Operation) => void, fn: () => T): T {
  observers.set(engine, observer);
  try {
    return fn();
  } finally {
    observers.delete(engine);
  }
}

/** What {@link record} does for an operation without a gradient: tells of it. Returns `output`. */
export function announce(
  output: Tensor,
  name: string,
  inputs: readonly Tensor[],
  options: Operation['options'] = {},
): Tensor {
  observers.get(output.engine)?.({ name, inputs, output, options });
  return output;
}

/**
 * Records how `output` was made, where gradients are recorded and some input requires one. Returns `output`.
 * @param recordedBackward the same as `backward` in recorded operations, for gradients of gradients.
 * @param options what the operation was told beside its tensors, for observers.
 */
export function record(
  output: Tensor,
  name: string,
  inputs: readonly Tensor[],
  backward: GradNode['backward'],
  recordedBackward?: RecordedBackward,
  options?: Operation['options'],
): Tensor {
  announce(output, name, inputs, options);
  if (output.engine.gradEnabled && inputs.some((t) => t.requiresGrad)) {
    const node: TapeNode = { name, inputs, backward, recordedBackward };
    output.node = node;
  }
  return output;
}

/** The tensor, or a view of one that was there before: that keeps its own history. @param before {@link newestId} then. */
export const madeSince = (before: number, tensor: Tensor, name: string): Tensor =>
  tensor.id > before ? tensor : Tensor.view(tensor, tensor.shape, name);

function withGrad<T>(engine: Runtime, enabled: boolean, fn: () => T): T {
  const before = engine.gradEnabled;
  engine.gradEnabled = enabled;
  try {
    const result = fn();
    refuseAsync(enabled ? 'enableGrad' : 'noGrad', result);
    return result;
  } finally {
    engine.gradEnabled = before;
  }
}

/**
 * Runs `fn` without recording: nothing made inside has a gradient.
 * @throws {ArgumentError} when `fn` is asynchronous.
 */
export const noGrad = <T>(engine: Runtime, fn: () => T): T => withGrad(engine, false, fn);

/**
 * Runs `fn` with recording, also inside {@link noGrad} or a backward pass.
 * @throws {ArgumentError} when `fn` is asynchronous.
 */
export const enableGrad = <T>(engine: Runtime, fn: () => T): T => withGrad(engine, true, fn);

/** Adds two gradients; set by `ops`, which owns the kernels. */
let addGradients: (a: Tensor, b: Tensor) => Tensor = () => {
  throw new AutogradError({ where: 'backward', message: 'the operations were not loaded.' });
};
export function useAddition(add: typeof addGradients): void {
  addGradients = add;
}

/** Gradients on their way, with their number of owners: one may be handed to several inputs. */
class Pending {
  private readonly gradients = new Map<Tensor, Tensor>();
  private readonly owners = new Map<Tensor, number>();

  /** `mine`: tensors made after this id belong to the walk and are freed by it. */
  constructor(private readonly mine: number) {}

  add(of: Tensor, gradient: Tensor): void {
    const present = this.gradients.get(of);
    const total = present ? addGradients(present, gradient) : gradient;
    this.gradients.set(of, total);
    this.owners.set(total, (this.owners.get(total) ?? 0) + 1);
    if (present) {
      this.drop(present);
      if (!this.owners.has(gradient)) this.free(gradient);
    }
  }

  take(of: Tensor): Tensor | undefined {
    const gradient = this.gradients.get(of);
    this.gradients.delete(of);
    return gradient;
  }

  drop(gradient: Tensor): void {
    const left = (this.owners.get(gradient) ?? 1) - 1;
    if (left > 0) {
      this.owners.set(gradient, left);
    } else {
      this.owners.delete(gradient);
      this.free(gradient);
    }
  }

  /** What an input has been sent so far, if it may be written over: nothing else looks into its buffer. */
  ownOf(of: Tensor): Tensor | null {
    const gradient = this.gradients.get(of);
    if (!gradient || !this.isMine(gradient) || this.isShared(gradient)) return null;
    return gradient.storage.refs === 1 ? gradient : null;
  }

  isShared(gradient: Tensor): boolean {
    return (this.owners.get(gradient) ?? 0) > 1;
  }

  isMine(gradient: Tensor): boolean {
    return gradient.id > this.mine;
  }

  private free(gradient: Tensor): void {
    if (this.isMine(gradient)) gradient.dispose();
  }
}

/** The tensors behind `root`, newest first: every one comes after all that were made from it. */
export function tapeOf(root: Tensor): Tensor[] {
  const seen = new Set<Tensor>([root]);
  const stack = [root];
  for (let t = stack.pop(); t; t = stack.pop()) {
    for (const input of t.node?.inputs ?? []) {
      if (input.requiresGrad && !seen.has(input)) {
        seen.add(input);
        stack.push(input);
      }
    }
  }
  return [...seen].sort((a, b) => b.id - a.id);
}

/** Keeps a finished gradient on its leaf, added to what is there. The leaf owns a tensor of its own. */
function deposit(leaf: Tensor, gradient: Tensor, pending: Pending): void {
  const before = leaf.grad;
  if (before) {
    if (leaf.engine.isRecording && watchOf(leaf.engine)?.hasSet(leaf) === false) {
      throw new AutogradError({
        where: 'backward',
        message:
          `a leaf of shape ${show(leaf.shape)} has a gradient from before this captured step was recorded; ` +
          'a replay would add to it once more, and not to that of the call before.',
        fix: 'Call zeroGrad() inside the step, at its beginning or at its end.',
      });
    }
    leaf.grad = addGradients(before, gradient);
    before.dispose();
    pending.drop(gradient);
  } else if (pending.isMine(gradient) && !pending.isShared(gradient)) {
    leaf.grad = gradient;
  } else {
    leaf.grad = Tensor.view(gradient, gradient.shape, 'grad'); // shared and immutable: a view is enough
    pending.drop(gradient);
  }
  leaf.grad.moveBeside(leaf);
}

/**
 * Gradients of `root` with respect to every leaf that requires one, added to its `grad`.
 * @param seed gradient of the root, of its shape and dtype; 1 by default for a scalar.
 * @throws {AutogradError} when nothing behind `root` requires a gradient, it is not a scalar and no seed is given, or a captured
 * step that is being recorded would add to a gradient that it did not make.
 * @throws {ShapeError} when the seed, or what an operation's backward returns, has another shape than its tensor.
 * @throws {DTypeError} when one of these has another dtype than its tensor.
 */
export function backward(root: Tensor, seed?: Tensor): void {
  const { engine } = root;
  if (!root.requiresGrad) {
    throw new AutogradError({
      where: 'backward',
      message: 'nothing that made this tensor requires a gradient.',
      fix: 'Set requiresGrad on a leaf, and compute outside noGrad().',
    });
  }
  if (!seed && root.size !== 1) {
    throw new AutogradError({
      where: 'backward',
      message: `a tensor of shape ${show(root.shape)} needs a seed gradient; only scalars start from 1.`,
      fix: 'Reduce it with sum() or mean(), or pass a seed.',
    });
  }
  if (seed && !sameShape(seed.shape, root.shape)) {
    throw new ShapeError({
      where: 'backward',
      message: `the seed has shape ${show(seed.shape)}, the tensor ${show(root.shape)}.`,
    });
  }
  if (seed && seed.dtype !== root.dtype) {
    throw new DTypeError({
      where: 'backward',
      message: `the seed is ${seed.dtype}, the tensor ${root.dtype}.`,
      fix: 'Convert it with cast().',
    });
  }
  noGrad(engine, () =>
    engine.scope(() => {
      const pending = new Pending(newestId());
      pending.add(root, seed ?? ones(engine, root.shape, root.dtype));
      for (const tensor of tapeOf(root)) {
        const gradient = pending.take(tensor);
        if (!gradient) continue;
        if (!tensor.node) {
          deposit(tensor, gradient, pending);
          continue;
        }
        const { name, inputs, backward: local } = tensor.node;
        const present = inputs.map((input) => (input.requiresGrad ? pending.ownOf(input) : null));
        const results = local(gradient, present);
        inputs.forEach((input, i) => {
          const result = results[i];
          if (!result || !input.requiresGrad || result === present[i]) return;
          if (!sameShape(result.shape, input.shape)) {
            throw new ShapeError({
              where: name,
              message: `its backward gave input ${i} a gradient of shape ${show(result.shape)}; the input has ${show(input.shape)}.`,
            });
          }
          if (result.dtype !== input.dtype) {
            throw new DTypeError({
              where: name,
              message: `its backward gave input ${i} a gradient of ${result.dtype}; the input is ${input.dtype}.`,
              fix: 'Convert it with cast().',
            });
          }
          pending.add(input, result);
        });
        pending.drop(gradient);
      }
    }),
  );
}

/** A differentiable operation of your own: see {@link customOp}. */
export interface CustomOp<Saved> {
  /** Names the operation in errors. */
  name: string;
  /** Computes the output; `saved` is passed on to `backward`. Runs without recording. */
  forward(...inputs: Tensor[]): { output: Tensor; saved: Saved };
  /** From the gradient of the output to those of the inputs, in order, each of its input's shape and dtype; `null` for none. */
  backward(gradient: Tensor, saved: Saved, inputs: readonly Tensor[]): readonly (Tensor | null)[];
}

/**
 * Makes an operation with its own gradient, on equal footing with the built-in ones.
 * @example
 * const cube = customOp({
 *   name: 'cube',
 *   forward: (x) => ({ output: x.mul(x).mul(x), saved: x }),
 *   backward: (dy, x) => [dy.mul(x.mul(x)).mul(3)],
 * });
 */
export function customOp<Saved>(op: CustomOp<Saved>): (...inputs: Tensor[]) => Tensor {
  return (...inputs) => {
    const engine = inputs[0]?.engine;
    if (!engine)
      throw new AutogradError({ where: op.name, message: 'a custom operation needs at least one input tensor.' });
    const before = newestId();
    const { output, saved } = noGrad(engine, () => op.forward(...inputs));
    return record(madeSince(before, output, op.name), op.name, inputs, (gradient) =>
      op.backward(gradient, saved, inputs),
    );
  };
}
