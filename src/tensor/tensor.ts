/**
 * A tensor is an immutable, dense, row-major array on one engine's device. Several tensors may be views of one buffer
 * (reshape); the buffer goes back to the pool with the last of them. Operations live in `ops/`, which also makes them methods.
 */

import { ArgumentError, AutogradError, EngineMismatchError, FreedTensorError, ShapeError } from '../errors.ts';
import type { DeviceBuffer } from '../gpu/device-buffer.ts';
import { clipped } from '../gpu/printable.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { letUsingDispose } from './dispose.ts';
import { bytesOf, checkSupported, type DType, fromStored, isFloat, type TypedArray } from './dtype.ts';
import type { NestedArray } from './elements.ts';
import { letInspectTell } from './inspect.ts';
import { type Shape, show, sizeOf } from './shape.ts';
import { watchOf } from './step-watch.ts';

/** How a tensor was made: what reverse mode needs. Written by `autograd/tape`. */
export interface GradNode {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  /**
   * From the gradient of the output to those of the inputs; `null` for an input without one. `present`: what each input has
   * been sent already, where nothing else looks at it; an operation may add to it in place, and return it.
   */
  readonly backward: (gradient: Tensor, present?: readonly (Tensor | null)[]) => readonly (Tensor | null)[];
}

interface Holding {
  engine: WeakRef<Runtime>;
  storage: DeviceBuffer;
  description: string;
}

const dropped = new FinalizationRegistry<Holding>(({ engine, storage, description }) => {
  const owner = engine.deref();
  if (!owner) return;
  owner.release(storage);
  if (owner.debug)
    owner.onLeak(`${description} was dropped without being freed: make it inside engine.scope() or call dispose().`);
});

const FREED_FIX =
  'Keep it until then: dispose of it later, return it from the scope that made it, or call engine.keep() on it there.';

let nextId = 1;

/** The newest tensor's number: what is made from now on has a larger one. */
export const newestId = (): number => nextId - 1;

/**
 * An immutable, dense, row-major array on an engine's device. Made by an engine (`engine.tensor([1, 2])`) or by operations, which
 * are methods here and functions of `engram`; where elementwise ones speak of `a` and `b`, `a` is the tensor itself. Freed at the
 * end of its scope, by `using`, or by {@link dispose}; reading it after that throws.
 */
export class Tensor {
  /** Grows with every tensor made: the order of the tape. */
  readonly id = nextId++;
  /** Number of elements. */
  readonly size: number;
  /**
   * How it was made, where gradients are recorded.
   * @internal
   */
  node: GradNode | null = null;
  private held: DeviceBuffer | null;
  private scope: Set<{ dispose(): void }> | null;
  private wantsGrad = false;
  private gradient: Tensor | null = null;

  private constructor(
    readonly engine: Runtime,
    readonly shape: Shape,
    readonly dtype: DType,
    storage: DeviceBuffer,
    private readonly origin: string,
  ) {
    this.size = sizeOf(shape);
    this.held = storage;
    this.scope = engine.scopes.at(-1) ?? null;
    this.scope?.add(this);
    dropped.register(this, { engine: new WeakRef(engine), storage, description: `${origin} ${show(shape)}` }, this);
  }

  /**
   * A new tensor with undefined contents; `origin` names the operation in errors and leak reports.
   * @throws {DTypeError} for f16 on a device without it.
   * @throws {OutOfMemoryError} beyond the device's limits.
   */
  static empty(engine: Runtime, shape: Shape, dtype: DType, origin: string): Tensor {
    checkSupported(engine, dtype, origin);
    const bytes = bytesOf(dtype, sizeOf(shape));
    return Tensor.on(engine, engine.allocate(bytes, origin), shape, dtype, origin);
  }

  /** The same elements in another shape of the same size; shares the buffer. */
  static view(of: Tensor, shape: Shape, origin: string): Tensor {
    of.assertLive(origin);
    const storage = of.storage;
    storage.refs++;
    return Tensor.on(of.engine, storage, shape, of.dtype, origin);
  }

  /** A tensor on a buffer, whose reference it takes over. */
  static on(engine: Runtime, storage: DeviceBuffer, shape: Shape, dtype: DType, origin: string): Tensor {
    return new Tensor(engine, Object.freeze([...shape]), dtype, storage, origin);
  }

  /** Number of dimensions. */
  get rank(): number {
    return this.shape.length;
  }

  /**
   * The buffer.
   * @throws {FreedTensorError} when the tensor was freed.
   */
  get storage(): DeviceBuffer {
    if (!this.held) {
      throw new FreedTensorError({
        where: this.origin,
        message: `this tensor of shape ${show(this.shape)} was freed.`,
        fix: FREED_FIX,
      });
    }
    return this.held;
  }

  /**
   * Refuses a tensor that was freed, in the name of what would use it: before an operation makes anything, so that nothing is left
   * of one that is refused.
   * @param where the operation.
   * @param role what the tensor is to it.
   * @throws {FreedTensorError} when the tensor was freed.
   * @internal
   */
  assertLive(where: string, role = 'its operand'): void {
    if (this.held) return;
    throw new FreedTensorError({
      where,
      message: `${role}, ${this.origin} ${show(this.shape)}, was freed.`,
      fix: FREED_FIX,
    });
  }

  /** Whether its buffer was given back. */
  get isFreed(): boolean {
    return this.held === null;
  }

  /** Whether a gradient is wanted: of leaves that are marked, and of what is made from them. */
  get requiresGrad(): boolean {
    return this.wantsGrad || this.node !== null;
  }

  /**
   * Marks a leaf whose gradient `backward()` shall keep.
   * @throws {AutogradError} for results of operations and for integers.
   */
  set requiresGrad(value: boolean) {
    if (this.node || !isFloat(this.dtype)) {
      throw new AutogradError({
        where: this.origin,
        message: this.node
          ? 'requiresGrad is set on leaves only; this is the result of an operation.'
          : `${this.dtype === 'u32' ? 'a' : 'an'} ${this.dtype} tensor has no gradient: whole numbers have none.`,
        fix: this.node
          ? 'Call detach() first, and set it on what that returns.'
          : "Make it of floats, or set it on the result of cast('f32').",
      });
    }
    this.wantsGrad = value;
  }

  /** Gradient of the last `backward()`, for leaves that require one. */
  get grad(): Tensor | null {
    return this.gradient;
  }

  /** Puts another in its place; the one that was there is not freed. */
  set grad(value: Tensor | null) {
    const before = this.gradient;
    watchOf(this.engine)?.willSet(this, () =>
      before && !before.isFreed ? Tensor.view(before, before.shape, 'grad').moveTo(null) : null,
    );
    this.gradient = value;
  }

  /** Whether `backward()` keeps a gradient here. */
  get isLeaf(): boolean {
    return this.node === null;
  }

  /** Frees the buffer now instead of at the end of the scope. Doing it twice is harmless. */
  dispose(): void {
    if (!this.held) return;
    this.scope?.delete(this);
    this.scope = null;
    dropped.unregister(this);
    this.engine.release(this.held);
    this.held = null;
  }

  /**
   * Moves the tensor to another scope, or to none: then it lives until it is disposed of.
   * @internal
   */
  moveTo(scope: Set<{ dispose(): void }> | null): this {
    this.scope?.delete(this);
    this.scope = scope;
    scope?.add(this);
    return this;
  }

  /**
   * Moves the tensor to the scope of another one, so that it lives as long as that one.
   * @internal
   */
  moveBeside(other: Tensor): this {
    return this.moveTo(other.scope);
  }

  /**
   * Waits for the GPU and reads the elements in row-major order; f16 as f32 numbers.
   * @throws {EngramError} the first error of the device since the last wait.
   */
  async data(): Promise<TypedArray> {
    this.assertLive('data', 'this tensor');
    watchOf(this.engine)?.onRead();
    return fromStored(this.dtype, await this.engine.read(this.storage, bytesOf(this.dtype, this.size)), this.size);
  }

  /**
   * Waits for the GPU and reads the only element.
   * @throws {ShapeError} when there are more.
   */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new ShapeError({
        where: 'item',
        message: `a tensor of shape ${show(this.shape)} has ${this.size} elements; item() reads exactly one.`,
      });
    }
    return (await this.data())[0] as number;
  }

  /** Waits for the GPU and reads nested arrays in this shape. */
  async array(): Promise<NestedArray> {
    const data = await this.data();
    const nest = (axis: number, offset: number, size: number): NestedArray => {
      if (axis === this.rank) return data[offset] as number;
      const n = this.shape[axis] as number;
      const step = size / n;
      return Array.from({ length: n }, (_, i) => nest(axis + 1, offset + i * step, step));
    };
    return nest(0, 0, this.size);
  }

  /** Dtype and shape for people: `Tensor(f32[2, 3])`. */
  toString(): string {
    return `Tensor(${this.dtype}${show(this.shape)}${this.held ? '' : ', freed'})`;
  }

  /** {@link dispose}, for `using`. */
  declare [Symbol.dispose]: () => void;
}

letUsingDispose(Tensor);
letInspectTell(Tensor);

/**
 * The engine of all of these. Operations ask for it before they make anything: what is refused leaves nothing behind.
 * @throws {EngineMismatchError} when they belong to several.
 * @throws {FreedTensorError} when one was freed.
 * @throws {ArgumentError} when there are none, or one is no tensor.
 */
export function commonEngine(where: string, tensors: readonly Tensor[]): Runtime {
  const first = tensors[0];
  if (tensors.length === 0) throw new ArgumentError({ where, message: 'needs at least one tensor.' });
  if (!(first instanceof Tensor)) throw noTensor(where, first);
  for (const t of tensors) {
    if (!(t instanceof Tensor)) throw noTensor(where, t);
    t.assertLive(where);
    if (t.engine !== first.engine) {
      throw new EngineMismatchError({
        where,
        message: `tensors of two engines were mixed (shapes ${tensors.map((x) => show(x.shape)).join(', ')}).`,
        fix: 'Read one with data() and upload it to the other engine.',
      });
    }
  }
  return first.engine;
}

/** For JavaScript, where numbers and arrays come in the place of tensors. */
function noTensor(where: string, given: unknown): ArgumentError {
  const isObject = typeof given === 'object' && given !== null;
  const shown = Array.isArray(given) ? 'an array' : isObject ? 'an object' : clipped(String(given));
  return new ArgumentError({
    where,
    message: `takes tensors; was given ${shown}.`,
    fix: 'Make one of it: engine.tensor(values).',
  });
}
