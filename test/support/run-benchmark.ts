/** Runs for tests, and what they come to. */
import { Benchmark, type BenchmarkEvent } from '../../src/continual/benchmark/benchmark.ts';
import { type ConfigInput, parseConfig } from '../../src/continual/benchmark/config.ts';
import type { AnyMethod } from '../../src/continual/method.ts';
import { readSafetensors, writeSafetensors } from '../../src/nn/safetensors.ts';
import type { Engine } from '../../src/tensor/engine.ts';
import { engine } from './engine.ts';
import { fashion } from './small-run.ts';

/** A benchmark on Fashion-mini at 14×14 that has learnt nothing yet. */
export const makeBenchmark = (input: ConfigInput, method?: AnyMethod, on: Engine = engine): Benchmark =>
  new Benchmark(on, fashion, parseConfig(input, 'configuration', method), method);

/** All that happens. */
export async function finish<Event extends BenchmarkEvent>(events: AsyncIterable<Event>): Promise<Event[]> {
  const all: Event[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** The error that a promise is refused with. */
export const refusal = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (error: Error) => error,
  );

/** A saved run with the seconds it took set to nothing: two runs that did the same are the same to the last byte. */
export function timeless(bytes: Uint8Array): Uint8Array {
  const { tensors, metadata } = readSafetensors(bytes);
  const benchmark = JSON.parse(metadata.benchmark as string, (key, value) => (key === 'seconds' ? 0 : value));
  return writeSafetensors(tensors, { ...metadata, benchmark: JSON.stringify(benchmark) });
}

/** What a run has come to, but for the time it took. */
export const outcome = async (benchmark: Benchmark): Promise<Uint8Array> => timeless(await benchmark.save());
