/** Seeded random tensors and dropout. The same seed and stream give the same numbers on every adapter and launch. */
import source from '../../shaders/random/random.wgsl';
import { record } from '../autograd/tape.ts';
import { ArgumentError } from '../errors.ts';
import { Engine, floatBits } from '../gpu/engine.ts';
import { commonFloat } from '../tensor/dtype.ts';
import { splitWords } from '../tensor/philox.ts';
import { Random } from '../tensor/random.ts';
import { checkShape, type Shape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { plane } from './reduce.ts';

/** Which numbers: a seed and one of its streams. */
export interface RandomSource {
  /** Whole number below 2^53. */
  seed: number;
  /** Whole number below 2^32: one stream for every independent use. */
  stream?: number;
}

/** What an engine draws from when no source is named: every draw takes the next stream, every layer the next of its own. */
interface Defaults {
  readonly seed: number;
  stream: number;
  layers: number;
}

const defaults = new WeakMap<Engine, Defaults>();

function defaultsOf(engine: Engine): Defaults {
  const state = defaults.get(engine) ?? { seed: 0, stream: 0, layers: 0 };
  defaults.set(engine, state);
  return state;
}

function take(engine: Engine, from: RandomSource | undefined): Required<RandomSource> {
  if (from) return { seed: from.seed, stream: from.stream ?? 0 };
  const state = defaultsOf(engine);
  const { seed, stream } = state;
  state.stream = (stream + 1) >>> 0;
  return { seed, stream };
}

/** What the next layer starts from: a stream of the engine's seed of its own, whatever tensors were drawn meanwhile. */
export function layerRandom(engine: Engine): Random {
  const state = defaultsOf(engine);
  return Random.of(state.seed, 'layer', state.layers++);
}

function run(
  engine: Engine,
  entry: string,
  state: Tensor,
  inputs: readonly Tensor[],
  output: Tensor,
  a: number,
  b: number,
): void {
  const [x, y] = plane(engine, Math.ceil(output.size / 256));
  engine.dispatch({
    kernel: { name: 'random', source, entry },
    constants: { S: output.dtype },
    buffers: [state.storage, output.storage, ...inputs.map((t) => t.storage)],
    params: [output.size, x * 64, floatBits(a), floatBits(b)],
    workgroups: [x, y],
  });
}

/** Seed and stream on the device, u32 [3]; a captured step that names no source takes another stream in every replay. */
function stateOf(engine: Engine, from: RandomSource | undefined, where: string): Tensor {
  const state = Tensor.empty(engine, [3], 'u32', where);
  engine.feed(state.storage, () => {
    const { seed, stream } = take(engine, from);
    const [low, high] = splitWords(seed, `${where}: seed`);
    const [word, beyond] = splitWords(stream, `${where}: stream`);
    if (beyond > 0) throw new ArgumentError({ where, message: `stream ${stream} is not below 2^32.` });
    return new Uint32Array([low, high, word]);
  });
  return state;
}

declare module '../gpu/engine.ts' {
  interface Engine {
    /**
     * Seeds what {@link Engine.uniform}, {@link Engine.normal} and dropout draw when no source is named, and the weights of layers
     * made without a `random`. 0 for an engine that was not seeded. Starts over: what follows is what followed before.
     */
    seed(seed: number): void;
    /** Uniform numbers in [low, high). */
    uniform(shape: Shape, options?: { low?: number; high?: number; from?: RandomSource }): Tensor;
    /** Normal numbers (Box–Muller). */
    normal(shape: Shape, options?: { mean?: number; std?: number; from?: RandomSource }): Tensor;
  }
}

Engine.prototype.seed = function (seed) {
  splitWords(seed, 'seed');
  defaults.set(this, { seed, stream: 0, layers: 0 });
};

function fill(
  engine: Engine,
  entry: 'uniform_' | 'normal',
  shape: Shape,
  a: number,
  b: number,
  from?: RandomSource,
): Tensor {
  const where = entry === 'normal' ? 'normal' : 'uniform';
  checkShape(shape, where);
  const state = stateOf(engine, from, where);
  const output = Tensor.empty(engine, shape, 'f32', where);
  run(engine, entry, state, [], output, a, b);
  state.dispose();
  return output;
}

Engine.prototype.uniform = function (shape, { low = 0, high = 1, from } = {}) {
  return fill(this, 'uniform_', shape, low, high, from);
};

Engine.prototype.normal = function (shape, { mean = 0, std = 1, from } = {}) {
  return fill(this, 'normal', shape, mean, std, from);
};

/** @throws ArgumentError unless 0 ≤ p < 1. */
export function checkProbability(where: string, p: number): void {
  if (!(p >= 0 && p < 1)) throw new ArgumentError({ where, message: `the probability must be in [0, 1), not ${p}.` });
}

/**
 * Sets each element to 0 with probability `p` and scales the rest by 1 / (1 − p), so that the expectation stays. In f32 or f16.
 * @throws ArgumentError unless 0 ≤ p < 1; DTypeError.
 */
export function dropout(
  x: Tensor,
  p: number,
  { training = true, from }: { training?: boolean; from?: RandomSource } = {},
): Tensor {
  checkProbability('dropout', p);
  const dtype = commonFloat('dropout', [x]);
  if (!training || p === 0) return x;
  const { engine } = x;
  const state = stateOf(engine, from, 'dropout');
  const mask = (input: Tensor) => {
    const output = Tensor.empty(engine, x.shape, dtype, 'dropout');
    run(engine, 'dropout', state, [input], output, p, 1 / (1 - p));
    return output;
  };
  return record(mask(x), 'dropout', [x], (dy) => [mask(dy)]);
}
