/**
 * Several learners on one stream of tasks, side by side: the one that is the least far in its task takes the next step, and none
 * begins a task before all have finished the one before.
 */
import { GroupDraw, type ImageBytes, type PoolKind, TaskPool, toImageBytes } from 'engram';
import type { Benchmark, BenchmarkEvent, TestedTaskEvent } from 'engram/benchmark';
import { type DistillationOptions, drawSeed, sizesOf } from 'engram/continual';
import type { Begun, Held, LearnerTold, Stage, Stepped, Views } from './protocol.ts';
import { namesOf, poolOf } from './runs.ts';

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
  /** Draws what its steps draw, where they do. */
  draw: GroupDraw | null;
}

/** Where on its way a step is, over all phases of a task so far as they are known. */
const progressOf = ({ epoch, epochs, step, steps }: Extract<BenchmarkEvent, { type: 'step' }>): number =>
  (epoch + (step + 1) / steps) / epochs;

export class Lockstep {
  private readonly runners: readonly Runner[];

  /** @param benchmarks on one stream of tasks; they belong to the caller. */
  constructor(readonly benchmarks: readonly Benchmark[]) {
    this.runners = benchmarks.map((benchmark, learner) => ({
      learner,
      benchmark,
      pool: poolOf(benchmark.method.name),
      events: null,
      done: 0,
      draw: null,
    }));
  }

  private get first(): Benchmark {
    return this.benchmarks[0] as Benchmark;
  }

  /** Tasks that all have finished. */
  get tasksDone(): number {
    return Math.min(...this.benchmarks.map(({ tasksDone }) => tasksDone));
  }

  /** @param again whether it goes on with what was told before. */
  async begun(again: boolean): Promise<Begun> {
    const { stream, scenario, engine } = this.first;
    const byClass = scenario.tasks.flatMap((_, task) => [...stream.test(task)]);
    const lots = byClass.map(([, images]) => images);
    const labels = lots.flatMap(({ count }, label) => new Array<number>(count).fill(label));
    const names = namesOf(this.benchmarks);
    return {
      type: 'begun',
      adapter: engine.adapterDescription,
      learners: this.runners.map(({ benchmark, pool }, at): LearnerTold => {
        const { temperature = 1 } = benchmark.config;
        return { method: names[at] as string, pool, temperature: Number(temperature) };
      }),
      classes: byClass.map(([name]) => name),
      taskSizes: scenario.taskSizes,
      pictures: await toImageBytes(engine, lots, { where: 'test pictures' }),
      labels: Uint16Array.from(labels),
      again,
    };
  }

  /** What runs that were opened have behind them: of all tasks but the last one the accuracies alone are left. */
  async *past(begun: Begun): AsyncGenerator<Held | Stage> {
    for (const { benchmark, learner, pool } of this.runners) {
      if (benchmark.tasksDone === 0) continue;
      const { curve } = benchmark.summary;
      for (const [task, accuracies] of benchmark.matrix.entries()) {
        const isLast = task === benchmark.tasksDone - 1;
        const views = isLast ? await viewsOf(benchmark, task, begun) : null;
        const groups = groupsOf(heldTo(benchmark, pool), benchmark.scenario.taskSizes.slice(0, task));
        yield { type: 'held', learner, task, groups };
        yield { type: 'stage', learner, task, accuracy: curve[task] as number, accuracies, views };
      }
    }
  }

  /**
   * Learns all tasks that are left, a step of one learner at a time.
   * @param withViews whether the models are asked about all test pictures after each task.
   */
  async *run(begun: Begun, withViews = true): AsyncGenerator<Held | Stepped | Stage> {
    while (this.tasksDone < this.first.scenario.tasks.length) {
      const task = this.tasksDone;
      const learning = this.runners.filter(({ benchmark }) => benchmark.tasksDone === task);
      for (const runner of learning) yield begin(runner);
      while (learning.length > 0) {
        const runner = learning.reduce((least, one) => (one.done < least.done ? one : least));
        const { benchmark, learner } = runner;
        const told = await nextOf(runner);
        if (told.type === 'task') {
          learning.splice(learning.indexOf(runner), 1);
          const { accuracy, accuracies } = told;
          const views = withViews ? await viewsOf(benchmark, task, begun) : null;
          yield { type: 'stage', learner, task, accuracy, accuracies, views };
        } else {
          const drawn = await drawnOf(runner);
          yield { type: 'stepped', learner, task, done: runner.done, loss: told.loss, ...(drawn ? { drawn } : {}) };
        }
      }
    }
  }
}

/** The groups that a run is held to: those of its method, where it chose no others. */
function heldTo({ config, method }: Benchmark, usual: PoolKind | null): DistillationOptions | null {
  if (!usual || !('pool' in method.settings)) return usual && { pool: usual };
  const { pool = usual, upTo, sizes } = config as Partial<DistillationOptions>;
  return { pool, upTo, sizes };
}

const pooled = ({ pool, upTo }: DistillationOptions, oldTasks: readonly number[]): TaskPool =>
  TaskPool.of(pool, oldTasks, { upTo });

/** The groups of a pool of old tasks: each the tasks' places. */
function groupsOf(options: DistillationOptions | null, oldTasks: readonly number[]): number[][] {
  if (!options || oldTasks.length === 0) return [];
  const held = pooled(options, oldTasks);
  return Array.from({ length: held.size }, (_, group) => held.tasksOf(group));
}

function begin(runner: Runner): Held {
  const { benchmark, learner, pool } = runner;
  const { taskSizes, tasksDone: task, training } = benchmark.learner;
  runner.done = 0;
  runner.events = benchmark.runTask();
  runner.draw?.dispose();
  const { groups, distill } = benchmark.config;
  const options = heldTo(benchmark, pool);
  const isDrawn = options && task > 0 && typeof groups === 'number' && distill === undefined;
  runner.draw = isDrawn
    ? new GroupDraw(benchmark.engine, pooled(options, taskSizes), {
        groups,
        seed: drawSeed(training.seed, task),
        sizes: sizesOf(options, taskSizes.length),
      })
    : null;
  return { type: 'held', learner, task, groups: groupsOf(options, taskSizes) };
}

/** The groups that its latest step drew, drawn once more. */
async function drawnOf({ draw, benchmark }: Runner): Promise<number[] | null> {
  if (!draw) return null;
  const chosen = benchmark.engine.scope(() => benchmark.engine.keep(draw.next(1).chosen));
  const places = await chosen.data();
  chosen.dispose();
  return [...places];
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

async function viewsOf({ learner, scenario }: Benchmark, task: number, begun: Begun): Promise<Views> {
  const { classes, labels } = begun;
  const beyond = labels.findIndex((label) => label >= scenario.classesAfter(task));
  const pictures = firstOf(begun.pictures, beyond < 0 ? labels.length : beyond);
  const place = new Map(classes.map((name, at) => [name, at]));
  const known = learner.classes.length;
  const probabilities = new Float32Array(pictures.count * known);
  for (const [picture, predictions] of (await learner.predictMany(pictures)).entries()) {
    for (const { label, probability } of predictions) {
      probabilities[picture * known + (place.get(label) as number)] = probability;
    }
  }
  const { exemplars } = learner;
  const size = exemplars[0]?.pixels.length ?? 0;
  const kept = new Uint8Array(size * exemplars.length);
  for (const [at, { pixels }] of exemplars.entries()) kept.set(pixels, at * size);
  const keptLabels = Uint16Array.from(exemplars, ({ label }) => place.get(label) as number);
  return { known, probabilities, kept, keptLabels };
}

const firstOf = (images: ImageBytes, count: number): ImageBytes => ({
  ...images,
  count,
  data: images.data.subarray(0, count * images.height * images.width * images.channels),
});
