/** Seeded random tensors. The same seed and stream give the same numbers on every adapter and launch. */
import source from '../../shaders/random/random.wgsl';
import { ArgumentError } from '../errors.ts';
import { plane } from '../gpu/plane.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { stateOfDraw } from './draws.ts';
import { splitWords } from './philox.ts';
import { Random } from './random.ts';
import { checkShape, type Shape } from './shape.ts';
import { Tensor } from './tensor.ts';

/** Which numbers: a seed and one of its streams. */
export interface RandomSource {
  /** Whole number below 2^53. */
  seed: number;
  /** Whole number below 2^32: one stream for every independent use. */
  stream?: number;
}

/** What is drawn from when no source is named: every draw takes the next stream, every layer the next of its own. */
export interface Streams {
  readonly seed: number;
  stream: number;
  layers: number;
}

/** A seed's streams from the first one on. */
export const streamsOf = (seed: number): Streams => ({ seed, stream: 0, layers: 0 });

const defaults = new WeakMap<Runtime, Streams>();

function defaultsOf(engine: Runtime): Streams {
  const state = defaults.get(engine) ?? streamsOf(0);
  defaults.set(engine, state);
  return state;
}

/** Runs `fn`, whose draws without a named source go on with these streams; the engine's own stay where they are. */
export function drawingFrom<T>(engine: Runtime, streams: Streams, fn: () => T): T {
  const own = defaultsOf(engine);
  defaults.set(engine, streams);
  try {
    return fn();
  } finally {
    defaults.set(engine, own);
  }
}

function take(engine: Runtime, from: RandomSource | undefined): Required<RandomSource> {
  if (from) return { seed: from.seed, stream: from.stream ?? 0 };
  const state = defaultsOf(engine);
  const { seed, stream } = state;
  state.stream = (stream + 1) >>> 0;
  return { seed, stream };
}

/** What the next layer starts from: a stream of the engine's seed of its own, whatever tensors were drawn meanwhile. */
export function layerRandom(engine: Runtime): Random {
  const state = defaultsOf(engine);
  return Random.of(state.seed, 'layer', state.layers++);
}

/** Launches an entry of `random/random.wgsl` on a state as {@link drawState} makes it. */
export function draw(
  engine: Runtime,
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
    params: { size: output.size, row: x * 64, a, b },
    workgroups: [x, y],
  });
}

/** Seed and stream on the device, u32 [3]; a captured step that names no source takes another stream in every replay. */
export function drawState(engine: Runtime, from: RandomSource | undefined, where: string): Tensor {
  return from ? newState(engine, from, where) : stateOfDraw(engine, () => newState(engine, from, where));
}

function newState(engine: Runtime, from: RandomSource | undefined, where: string): Tensor {
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

/**
 * Seeds what {@link uniform}, {@link normal} and dropout draw when no source is named, and the weights of layers made without
 * a `random`. 0 for an engine that was not seeded. Starts over: what follows is what followed before.
 */
export function seed(engine: Runtime, value: number): void {
  splitWords(value, 'seed');
  defaults.set(engine, streamsOf(value));
}

function fill(
  engine: Runtime,
  entry: 'uniform_' | 'normal',
  shape: Shape,
  a: number,
  b: number,
  from?: RandomSource,
): Tensor {
  const where = entry === 'normal' ? 'normal' : 'uniform';
  checkShape(shape, where);
  const state = drawState(engine, from, where);
  const output = Tensor.empty(engine, shape, 'f32', where);
  draw(engine, entry, state, [], output, a, b);
  state.dispose();
  return output;
}

/** The range, 0 to 1 by default, and the numbers. */
export interface UniformOptions {
  low?: number;
  high?: number;
  /** Which numbers; by default the next stream of the engine's seed. */
  from?: RandomSource;
}

/** Uniform numbers in [low, high), f32. */
export function uniform(engine: Runtime, shape: Shape, { low = 0, high = 1, from }: UniformOptions = {}): Tensor {
  return fill(engine, 'uniform_', shape, low, high, from);
}

/** Mean and standard deviation, 0 and 1 by default, and the numbers. */
export interface NormalOptions {
  mean?: number;
  std?: number;
  /** Which numbers; by default the next stream of the engine's seed. */
  from?: RandomSource;
}

/** Normal numbers (Box–Muller), f32. */
export function normal(engine: Runtime, shape: Shape, { mean = 0, std = 1, from }: NormalOptions = {}): Tensor {
  return fill(engine, 'normal', shape, mean, std, from);
}
