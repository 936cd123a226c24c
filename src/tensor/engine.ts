/** The engine as users know it: a device of its own or a borrowed one, and the tensors that are made on it. */
import type { AdapterKind, AdapterOptions, SubgroupMatrix } from '../gpu/adapter/adapter.ts';
import { borrowDevice, openDevice } from '../gpu/adapter/open-device.ts';
import { Runtime, type RuntimeOptions } from '../gpu/runtime.ts';
import { type CapturedStep, type CaptureOptions, capture } from './capture.ts';
import { arange, full, ones, type TensorData, tensorFrom, zeros } from './create.ts';
import type { DType } from './dtype.ts';
import { type NormalOptions, normal, seed, type UniformOptions, uniform } from './random-tensors.ts';
import type { Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';

export interface EngineOptions extends AdapterOptions, RuntimeOptions {}

export interface GuestOptions extends RuntimeOptions {
  /** Whose rules for kernels hold; what the device says of its adapter by default. */
  kind?: AdapterKind;
  /** To use subgroup matrices, on a device that was made with the feature `chromium-experimental-subgroup-matrix`. */
  subgroupMatrix?: SubgroupMatrix | undefined;
}

export class Engine extends Runtime {
  /**
   * An engine on a device of its own: in Node a hardware adapter, else an installed software one, else the bundled
   * SwiftShader; in the browser `navigator.gpu`.
   * @throws {AdapterError} when there is no adapter; its message says what to install.
   */
  static async create(options: EngineOptions = {}): Promise<Engine> {
    return new Engine(await openDevice(options), options);
  }

  /**
   * An engine on a device that the caller owns; the engine never destroys it, only the buffers it made there.
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
   * A recording knows how long each tensor of the step is needed, and packs them into a few buffers, which recordings of
   * other shapes use in turn.
   * @param step synchronous; its inputs take no gradient. Returns tensors, in arrays, maps and plain objects, or nothing.
   * They come without their graph, and hold what they hold until the next call: read them before that.
   * @throws {ArgumentError} when `maxRecordings` is not a whole number above 0; and the function that it returns, for inputs that
   * are not tensors of this engine, and an asynchronous step.
   * @throws {AutogradError} the function that it returns, when the step would add to gradients that it did not make. It also
   * throws what `step` throws.
   * @example
   * const train = engine.capture((x, y) => {
   *   const loss = crossEntropy(model.forward(x), y);
   *   loss.backward();
   *   optimizer.step();
   *   optimizer.zeroGrad();
   *   return loss;
   * });
   * for (const [x, y] of batches) console.log(await train(x, y).item());
   */
  capture<A extends readonly Tensor[], T>(step: (...inputs: A) => T, options?: CaptureOptions): CapturedStep<A, T> {
    return capture(this, step, options);
  }
}
