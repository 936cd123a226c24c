/** Which size of the demo fits an adapter: by its throughput on a few training steps. */
import { Benchmark } from '../../continual/benchmark/benchmark.ts';
import { type Config, methodOf } from '../../continual/benchmark/config.ts';
import { TaskStream } from '../../continual/benchmark/task-stream.ts';
import { ExemplarMemory } from '../../continual/memory.ts';
import { memoryOptions } from '../../continual/memory-use.ts';
import type { DatasetSplit } from '../../data/dataset.ts';
import type { Engine } from '../../tensor/engine.ts';
import { plannedImages } from '../pace.ts';

/** Steps that compile and record. */
const WARM_UP = 8;
/** Milliseconds of measuring. */
const MEASURING = 1000;
/** A forward pass takes about a third of a training step's time. */
const FORWARD = 1 / 3;

/** Images a second that a run of these settings learns, measured on its first steps; their kernels stay compiled. */
export async function trainingRate(engine: Engine, split: DatasetSplit, config: Config): Promise<number> {
  // Each step is reported by itself: of several reported together the first would end the measuring, and the others not count.
  const benchmark = new Benchmark(engine, split, { ...config, lossEvery: 1 });
  let [steps, images, started, rate] = [0, 0, 0, 0];
  try {
    for await (const event of benchmark.runTask()) {
      if (event.type !== 'step') continue;
      if (++steps <= WARM_UP) {
        started = performance.now();
        continue;
      }
      images += event.images;
      const elapsed = performance.now() - started;
      rate = (1000 * images) / elapsed;
      if (elapsed > MEASURING) break;
    }
    return rate;
  } finally {
    benchmark.dispose();
  }
}

/**
 * The work of a run in images learnt: a distilled image counts for its teacher's pass too, a tested one for a pass, and
 * a network of twice the width for four.
 * @param width the network's that one image's work is measured with.
 */
export function workOf(config: Config, split: DatasetSplit, width: number): number {
  const method = methodOf(config.method);
  const stream = TaskStream.of(config, split);
  const { scenario } = stream;
  const memory = new ExemplarMemory(memoryOptions({ method, training: config }));
  const learnt = plannedImages({ stream, method, memory, training: config });
  const perImage = (config.width / width) ** 2;
  const tested = scenario.tasks.reduce(
    (total, _, task) => total + scenario.classesAfter(task) * config.testPerClass,
    0,
  );
  const passes = learnt.map((images, task) => images * (1 + (task > 0 ? FORWARD * (method.extraPasses ?? 0) : 0)));
  return perImage * (passes.reduce((total, images) => total + images, 0) + tested * FORWARD);
}

export interface Estimate<Name extends string> {
  readonly name: Name;
  readonly seconds: number;
}

/** The last one that takes no longer than `most` seconds; the first if none does. @param estimates smallest first, one at least. */
export function chooseSize<Name extends string>(estimates: readonly Estimate<Name>[], most: number): Estimate<Name> {
  const [smallest] = estimates as [Estimate<Name>];
  return estimates.findLast(({ seconds }) => seconds <= most) ?? smallest;
}
