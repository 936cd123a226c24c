/** The engine as users know it: a device of its own or a borrowed one, and the tensors that are made on it. */
import type { AdapterKind, AdapterOptions, SubgroupMatrix } from '../gpu/adapter/adapter.ts';
import { borrowDevice, openDevice } from '../gpu/adapter/open-device.ts';
import { Runtime } from '../gpu/runtime.ts';
import type { RuntimeOptions } from '../gpu/runtime-options.ts';
import { arange, full, ones, type TensorData, tensorFrom, zeros } from './create.ts';
import { ASYNC_DISPOSE } from './dispose.ts';
import type { DType } from './dtype.ts';
import { type NormalOptions, normal, seed, type UniformOptions, uniform } from './random-tensors.ts';
import type { Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** Which adapter an engine asks for, and what it reports. */
export interface EngineOptions extends AdapterOptions, RuntimeOptions {}

/** What an engine on a device of an app's may be told. */
export interface GuestOptions extends RuntimeOptions {
  /** Whose rules for kernels hold; what the device says of its adapter by default. */
  kind?: AdapterKind;
  /** To use subgroup matrices, on a device that was made with the feature `chromium-experimental-subgroup-matrix`. */
  subgroupMatrix?: SubgroupMatrix | undefined;
}

/**
 * A device with the tensors on it: where everything begins. Made by {@link create}, or by {@link from} on a device that is there;
 * two on two devices live side by side.
 * @example
 * const engine = await Engine.create();
 * const x = engine.tensor([[1, 2], [3, 4]]);
 * console.log(await x.matmul(x).array()); // [[7, 10], [15, 22]]
 * await engine.destroy();
 */
export class Engine extends Runtime {
  /**
   * An engine on a device of its own: in Node a hardware adapter, else an installed software one, else SwiftShader
   * where the package `@sparticuz/chromium` is installed; in the browser `navigator.gpu`.
   * @throws {AdapterError} when there is no adapter; its message says what to install.
   */
  static async create(options: EngineOptions = {}): Promise<Engine> {
    return new Engine(await openDevice(options), options);
  }

  /**
   * An engine on a device that the caller owns, such as an app's: it never destroys the device, and `destroy()` leaves nothing of
   * its own there. Made with `deviceRequirements(adapter)` the device has all that the engine can use; `missing(device)` tells what
   * it was made without. Errors of the engine's own work go to whoever waits for it, all others to the device's listeners as
   * ever; those that a submission of the app's with work of the engine's meets go to both, as the loss of the device does.
   * To share buffers and encoders: `wrap`, `borrow`, `copyTo`, `recordInto`, `encode`, `submitted`.
   * @throws {ArgumentError} for what is not a device.
   */
  static from(device: GPUDevice, options: GuestOptions = {}): Engine {
    return new Engine(borrowDevice(device, options), options);
  }

  /**
   * A tensor from a number, nested arrays or a typed array. Typed arrays are flat and take their shape from `shape`
   * (one dimension by default).
   * @param dtype By default i32 for an Int32Array, u32 for a Uint32Array and f32 for all else. Floats round to nearest
   * (Float64Array, f16), and beyond the range become infinite; integers take whole numbers of their range only.
   * @throws {ShapeError} when the element count does not fit the shape, or nested arrays are ragged.
   * @throws {DTypeError} for elements that are not numbers (booleans, strings, bigints, holes), numbers that the integer dtype
   * cannot hold, or f16 on a device without it.
   * @throws {OutOfMemoryError} beyond the device's limits, before anything is converted.
   */
  tensor(data: TensorData, shape?: Shape, dtype?: DType): Tensor {
    return tensorFrom(this, data, shape, dtype);
  }

  /**
   * A tensor filled with one value; on the device, but for small ones.
   * @throws {ShapeError} when a dimension is not a whole number ≥ 1.
   * @throws {DTypeError} for a value that the dtype cannot hold, or f16 on a device without it.
   * @throws {OutOfMemoryError} beyond the device's limits.
   */
  full(shape: Shape, value: number, dtype?: DType): Tensor {
    return full(this, shape, value, dtype);
  }

  /** A tensor of zeros; see {@link full}. */
  zeros(shape: Shape, dtype?: DType): Tensor {
    return zeros(this, shape, dtype);
  }

  /** A tensor of ones; see {@link full}. */
  ones(shape: Shape, dtype?: DType): Tensor {
    return ones(this, shape, dtype);
  }

  /**
   * `[0, 1, …, n − 1]`.
   * @throws {ShapeError} unless `n` is a whole number ≥ 1.
   * @throws {DTypeError} when the dtype cannot hold all of them: f32 holds whole numbers up to 2²⁴, f16 up to 2¹¹.
   */
  arange(n: number, dtype?: DType): Tensor {
    return arange(this, n, dtype);
  }

  /** Uniform numbers in [low, high), f32. */
  uniform(shape: Shape, options?: UniformOptions): Tensor {
    return uniform(this, shape, options);
  }

  /** Normal numbers (Box–Muller), f32. */
  normal(shape: Shape, options?: NormalOptions): Tensor {
    return normal(this, shape, options);
  }

  /**
   * Seeds what {@link uniform}, {@link normal} and dropout draw when no source is named, and the weights of layers made without
   * a `random`. 0 for an engine that was not seeded. Starts over: what follows is what followed before.
   */
  seed(value: number): void {
    seed(this, value);
  }

  /** `destroy()`, for `await using`. */
  declare [Symbol.asyncDispose]: () => Promise<void>;
}

Object.defineProperty(Engine.prototype, ASYNC_DISPOSE, {
  value(this: Engine): Promise<void> {
    return this.destroy();
  },
  configurable: true,
  writable: true,
});
