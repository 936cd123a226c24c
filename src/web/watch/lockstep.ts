/**
 * Several learners on one stream of tasks, side by side: the one that is the least far in its task takes the next step, and none
 * begins a task before all have finished the one before.
 */
import { type DatasetSplit, type Engine, type ImageBytes, type PoolKind, TaskPool } from 'engram';
import {
  Benchmark,
  type BenchmarkEvent,
  type ConfigInput,
  parseConfig,
  settingsFor,
  type TestedTaskEvent,
} from 'engram/benchmark';
import { type Experiment, WATCHED, type Watched } from './experiment.ts';
import type { Begun, Stage, Stepped } from './protocol.ts';

/** The run of one learner, as a command line would have it. */
export function configOf({ learners: _, ...settings }: Experiment, method: Watched) {
  const common = { ...settings, model: 'resnet8', clip: 1, crop: 1, align: false };
  return parseConfig(settingsFor(method, common as ConfigInput), 'settings');
}

type Events = AsyncGenerator<BenchmarkEvent>;

/** One learner on its way through a task. */
interface Runner {
  readonly learner: number;
  readonly benchmark: Benchmark;
  /** Which groups it is held to; `null` where it distils nothing. */
  readonly pool: PoolKind | null;
  events: Events | null;
  /** Of the task, from 0 to 1. */
  done: number;
  groups: readonly (readonly number[])[];
}

/** Where on its way a step is, over all phases of a task so far as they are known. */
const progressOf = ({ epoch, epochs, step, steps }: Extract<BenchmarkEvent, { type: 'step' }>): number =>
  (epoch + (step + 1) / steps) / epochs;

export class Lockstep {
  private readonly runners: readonly Runner[];

  /** @throws {ConfigError | DataError} when a run is known to fail. */
  constructor(
    readonly engine: Engine,
    split: DatasetSplit,
    readonly experiment: Experiment,
  ) {
    this.runners = experiment.learners.map((method, learner) => ({
      learner,
      benchmark: new Benchmark(engine, split, configOf(experiment, method)),
      pool: WATCHED[method].pool,
      events: null,
      done: 0,
      groups: [],
    }));
  }

  get benchmarks(): readonly Benchmark[] {
    return this.runners.map(({ benchmark }) => benchmark);
  }

  /** Tasks that all have finished. */
  get tasksDone(): number {
    return Math.min(...this.runners.map(({ benchmark }) => benchmark.tasksDone));
  }

  get begun(): Begun {
    const { stream, scenario } = (this.runners[0] as Runner).benchmark;
    const byTask = scenario.tasks.map((_, task) => [...stream.test(task)]);
    const classes = byTask.flat().map(([name]) => name);
    const lots = byTask.flat().map(([, images]) => images);
    const labels = lots.flatMap(({ count }, label) => new Array<number>(count).fill(label));
    return {
      type: 'begun',
      adapter: this.engine.adapterDescription,
      classes,
      taskSizes: scenario.taskSizes,
      pictures: joined(lots),
      labels: Uint16Array.from(labels),
    };
  }

  /**
   * Learns all tasks that are left, a step of one learner at a time.
   * @param pictures all test pictures, as `begun` has them.
   */
  async *run({ pictures, labels, classes }: Begun): AsyncGenerator<Stepped | Stage> {
    const { tasks } = (this.runners[0] as Runner).benchmark.scenario;
    while (this.tasksDone < tasks.length) {
      const task = this.tasksDone;
      const learning = this.runners.filter(({ benchmark }) => benchmark.tasksDone === task);
      for (const runner of learning) begin(runner);
      while (learning.length > 0) {
        const runner = learning.reduce((least, one) => (one.done < least.done ? one : least));
        const told = await nextOf(runner);
        if (told.type === 'task') {
          learning.splice(learning.indexOf(runner), 1);
          const seen = labels.findIndex((label) => label >= runner.benchmark.scenario.classesAfter(task));
          const shown = first(pictures, seen < 0 ? labels.length : seen);
          yield await stageOf(runner, told, shown, classes);
        } else {
          yield { type: 'stepped', learner: runner.learner, task, done: runner.done, loss: told.loss };
        }
      }
    }
  }

  /** Leaves the tasks under way, and frees everything. */
  async dispose(): Promise<void> {
    for (const { events, benchmark } of this.runners) {
      await events?.return(undefined).catch(() => {});
      benchmark.dispose();
    }
  }
}

function begin(runner: Runner): void {
  const { benchmark, pool } = runner;
  const { tasksDone, taskSizes } = benchmark.learner;
  runner.groups = [];
  if (pool && tasksDone > 0) {
    const held = TaskPool.of(pool, taskSizes);
    runner.groups = Array.from({ length: held.size }, (_, group) => held.tasksOf(group));
  }
  runner.done = 0;
  runner.events = benchmark.runTask();
}

/** Its next step, or the end of its task. */
async function nextOf(runner: Runner): Promise<Extract<BenchmarkEvent, { type: 'step' }> | TestedTaskEvent> {
  for (;;) {
    const { value, done } = await (runner.events as Events).next();
    if (done) throw new Error('a task ended without its event');
    if (value.type === 'task') {
      // To its end: the benchmark takes it for left otherwise.
      await (runner.events as Events).next();
      runner.events = null;
      runner.done = 1;
      return value;
    }
    if (value.type !== 'step') continue;
    // What comes after the last step (a second phase, the test) is done when it is done.
    runner.done = Math.min(0.999, Math.max(runner.done, progressOf(value)));
    return value;
  }
}

async function stageOf(
  { learner, benchmark, groups }: Runner,
  { task, accuracy, accuracies, seconds }: TestedTaskEvent,
  pictures: ImageBytes,
  classes: readonly string[],
): Promise<Stage> {
  const place = new Map(classes.map((name, at) => [name, at]));
  const known = benchmark.learner.classes.length;
  const probabilities = new Float32Array(pictures.count * known);
  const all = await benchmark.learner.predictMany(pictures);
  for (const [picture, predictions] of all.entries()) {
    for (const { label, probability } of predictions) {
      probabilities[picture * known + (place.get(label) as number)] = probability;
    }
  }
  const { exemplars } = benchmark.learner;
  const size = exemplars[0]?.pixels.length ?? 0;
  const kept = new Uint8Array(size * exemplars.length);
  for (const [at, { pixels }] of exemplars.entries()) kept.set(pixels, at * size);
  const keptLabels = Uint16Array.from(exemplars, ({ label }) => place.get(label) as number);
  return {
    type: 'stage',
    learner,
    task,
    accuracy,
    accuracies,
    known,
    probabilities,
    kept,
    keptLabels,
    groups,
    seconds,
  };
}

const first = (images: ImageBytes, count: number): ImageBytes => ({
  ...images,
  count,
  data: images.data.subarray(0, count * images.height * images.width * images.channels),
});

function joined(lots: readonly ImageBytes[]): ImageBytes {
  const [any] = lots as [ImageBytes];
  const data = new Uint8Array(lots.reduce((total, { data }) => total + data.length, 0));
  let at = 0;
  for (const lot of lots) {
    data.set(lot.data, at);
    at += lot.data.length;
  }
  return { ...any, data, count: lots.reduce((total, { count }) => total + count, 0) };
}
