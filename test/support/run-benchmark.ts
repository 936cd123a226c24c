/** Runs for tests, and what they come to. */
import { createHash } from 'node:crypto';
import { Benchmark } from '../../src/continual/benchmark/benchmark.ts';
import { type ConfigInput, parseConfig } from '../../src/continual/benchmark/config.ts';
import type { AnyMethod } from '../../src/continual/method.ts';
import { readSafetensors } from '../../src/nn/safetensors.ts';
import type { Engine } from '../../src/tensor/engine.ts';
import { engine } from './engine.ts';
import { fashion } from './small-run.ts';

const TIMES: ReadonlySet<string> = new Set(['seconds', 'began', 'date', 'peakBytes']);

/** A benchmark on Fashion-mini at 14×14 that has learnt nothing yet. */
export const makeBenchmark = (input: ConfigInput, method?: AnyMethod, on: Engine = engine): Benchmark =>
  new Benchmark(on, fashion, parseConfig(input, 'configuration', method), method);

/** All that happens. */
export async function finish<Event>(events: AsyncIterable<Event>): Promise<Event[]> {
  const all: Event[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** What a file of a run says, its tensors in short, and all times set to nothing. */
export interface Outcome {
  readonly learner: unknown;
  readonly benchmark: unknown;
  readonly tensors: Readonly<Record<string, string>>;
}

/** Two runs that did the same, to the last bit, have the same. */
export function read(bytes: Uint8Array): Outcome {
  const { tensors, metadata } = readSafetensors(bytes);
  const { learner, benchmark } = metadata as { learner: string; benchmark: string };
  const short = [...tensors].map(([name, { dtype, shape, data }]) => {
    const digest = createHash('sha256').update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return [name, `${dtype}[${shape.join(', ')}] ${digest.digest('base64')}`];
  });
  return {
    learner: JSON.parse(learner),
    benchmark: JSON.parse(benchmark, (key, value) => (TIMES.has(key) ? null : value)),
    tensors: Object.fromEntries(short),
  };
}

/** What a run has come to. */
export const outcome = async (benchmark: Benchmark): Promise<Outcome> => read(await benchmark.save());
