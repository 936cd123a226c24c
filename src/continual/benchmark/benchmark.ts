/**
 * A stream of tasks cut from a data set, learnt one after the other, with a test on all classes seen after each: what
 * methods are compared by. It feeds a {@link ContinualLearner}, which knows nothing of it, and keeps the records.
 */
import { type AnyDataset, channelMoments, type DatasetSplit } from '../../data/dataset.ts';
import { ArgumentError } from '../../errors.ts';
import { readSafetensors } from '../../nn/safetensors.ts';
import type { Engine } from '../../tensor/engine.ts';
import type { EpochEvent, LearnerEvent, TaskEvent } from '../events.ts';
import { ContinualLearner } from '../learner.ts';
import { type ExecutionSettings, learnerSettings } from '../learner-settings.ts';
import type { AnyMethod } from '../method.ts';
import { buildModel } from '../model.ts';
import { readProgress } from '../task-progress.ts';
import {
  type BenchmarkState,
  checkAgreement,
  checkTasks,
  countedStages,
  dataState,
  type Identity,
  type MetricsLine,
  metricsLineOf,
  readBenchmarkState,
  writeBenchmarkState,
} from './benchmark-state.ts';
import { type Config, methodOf, parseConfig, settingsFor } from './config.ts';
import { imagesOf, rightOf, type TestedPart } from './metrics/counts.ts';
import { type Summary, summarize } from './metrics/summary.ts';
import type { ZeroShot } from './metrics/transfer.ts';
import { checkPlan } from './plan.ts';
import type { Scenario } from './scenario.ts';
import { type ImagesByClass, TaskStream } from './task-stream.ts';
import { type TestedPartLine, testedPartOf } from './tested-part.ts';
import { zeroShot } from './zero-shot.ts';

/** A task with what its test gave. */
export interface TestedTaskEvent extends Omit<TaskEvent, 'evaluation' | 'evaluations'> {
  /** Accuracy in percent on each task so far. */
  readonly accuracies: readonly number[];
  /** Accuracy in percent over all classes seen. */
  readonly accuracy: number;
  /** What the test of each task so far gave. */
  readonly tests: readonly TestedPart[];
  /** The task before it was learnt; not of the first. */
  readonly zeroShot?: ZeroShot;
}

/** What a run yields: its learner's events, each task with what its test gave. */
export type BenchmarkEvent = Exclude<LearnerEvent, TaskEvent> | TestedTaskEvent;

/** How a run goes on. */
export interface RunTaskOptions {
  /** Ends the task under way with the signal's reason; the run is as it was before it. */
  readonly signal?: AbortSignal;
  /** Yields a `progress` event after so many epochs; 0, the default, for none. */
  readonly saveEvery?: number;
}

/** Where a run goes on; see {@link Benchmark.resume}. */
export interface SavedRun {
  /** What {@link Benchmark.save} gave after the last finished task; none where no task was finished. */
  readonly checkpoint?: { readonly bytes: Uint8Array; readonly where: string } | null;
  /** The last `progress` of the task that was under way. */
  readonly progress?: { readonly bytes: Uint8Array; readonly where: string } | null;
}

/**
 * A stream of tasks cut from a data set, learnt one after the other, with a test on all classes seen after each.
 * @example
 * const benchmark = new Benchmark(engine, await loadDataset('glyphs'), parseConfig({ method: 'fdkd', data: 'glyphs', tasks: 5 }));
 * for await (const event of benchmark.run()) if (event.type === 'task') console.log(event.accuracy);
 * console.log(benchmark.summary.average);
 */
export class Benchmark {
  /** Complete, as it is recorded: what was left open is decided by the device. */
  readonly config: Config;
  /** What comes when. */
  readonly scenario: Scenario;
  /** What learns. */
  readonly method: AnyMethod;
  /** Accuracies in percent, a row for each task learnt; see {@link AccuracyMatrix}. */
  readonly matrix: number[][] = [];
  /** One line for every epoch and every task, in order. */
  readonly lines: MetricsLine[] = [];
  /** What does the learning; another object once a run is resumed. */
  learner: ContinualLearner;
  /** What the run was learnt on, in order, this engine's adapter included: on several, results may differ in their last digits. */
  adapters: readonly string[];
  /** When the run began, ISO 8601. */
  began = new Date().toISOString();
  private readonly notices: readonly string[];
  /** What each task is learnt and tested on. */
  readonly stream: TaskStream<AnyDataset>;
  private readonly split: DatasetSplit<AnyDataset>;
  private readonly data: Pick<Identity, 'train' | 'test'>;
  /** A task that was begun before. */
  private begun: SavedRun['progress'] = null;
  private isRunning = false;
  private isDisposed = false;

  /**
   * @param given checked by `parseConfig`; settings that the method has not are left out.
   * @param method one of your own, or the configured one.
   * @throws {ConfigError | DataError | ArgumentError} when something is known to fail, in the last task too.
   */
  constructor(
    readonly engine: Engine,
    split: DatasetSplit<AnyDataset>,
    given: Config,
    method?: AnyMethod,
  ) {
    this.method = methodOf(given.method, method);
    // Of another method's settings nothing is recorded, and none of its own is left open.
    const config = parseConfig(settingsFor(this.method, given), 'Benchmark', this.method);
    this.stream = TaskStream.of(config, split);
    this.scenario = this.stream.scenario;
    this.split = this.stream.split;
    this.learner = this.makeLearner(config);
    const { precision } = this.learner.training;
    this.config = { ...config, tasks: this.stream.length, precision };
    this.adapters = [engine.adapterDescription];
    this.data = dataState(this.split);
    const planned = checkPlan(this.learner, this.stream);
    this.notices = [...this.learner.notices, ...planned];
  }

  /** Tasks learnt and tested so far. */
  get tasksDone(): number {
    return this.matrix.length;
  }

  /** {@link lines} without those of a task that is under way. */
  get finishedLines(): MetricsLine[] {
    return this.lines.slice(0, this.lines.findLastIndex(({ type }) => type === 'task') + 1);
  }

  /**
   * Every figure of the tasks learnt so far.
   * @throws {ArgumentError} before the first.
   */
  get summary(): Summary {
    const { matrix, stages, zeroShots } = this;
    return summarize({ matrix, stages, zeroShots, weights: this.testCounts() });
  }

  /** What was counted after each task: what all figures are derived from; `null` in runs that an older version began. */
  get stages(): (TestedPartLine[] | null)[] {
    return countedStages(this.lines);
  }

  /** Each task but the first before it was learnt; `null` in runs that an older version began. */
  get zeroShots(): (ZeroShot | null)[] {
    const tasks = this.lines.flatMap((line) => (line.type === 'task' ? [line.zeroShot ?? null] : []));
    return tasks.slice(1);
  }

  /**
   * Learns every task that is left, telling what happens; may be left at any time, and gone on with later from the last
   * finished task on.
   * @throws as {@link runTask}.
   */
  async *run(options: RunTaskOptions = {}): AsyncGenerator<BenchmarkEvent> {
    for (const message of this.notices) yield { type: 'notice', message };
    while (this.tasksDone < this.scenario.tasks.length) yield* this.runTask(options);
  }

  /**
   * Learns and tests the next task. When it fails, or is left before its last event, the run is as it was before: called
   * again, it does what it would have done.
   * @throws {ConfigError} when training diverges.
   * @throws {ArgumentError} when another task is under way, none is left, or after `dispose`.
   */
  async *runTask(options: RunTaskOptions = {}): AsyncGenerator<BenchmarkEvent> {
    this.assertReady();
    const lines = this.lines.length;
    let isDone = false;
    this.isRunning = true;
    try {
      for await (const event of this.learn(options)) {
        if (event.type === 'notice') continue;
        if (event.type === 'epoch') this.writeDown(event);
        if (event.type !== 'task') {
          yield event;
          continue;
        }
        this.begun = null;
        isDone = true;
        this.isRunning = false;
        yield event;
      }
    } finally {
      // Left before its end: its epochs are learnt again.
      if (!isDone) {
        this.lines.length = lines;
        this.isRunning = false;
      }
    }
  }

  /**
   * Everything that the rest of the run depends on but the data, as one file: a learner's, which `ContinualLearner.load` reads
   * too. In the middle of a task it is the state after the last finished one.
   * @throws {ArgumentError} after `dispose`.
   */
  async save(): Promise<Uint8Array<ArrayBuffer>> {
    return this.learner.save(writeBenchmarkState(this.state(this.finishedLines)));
  }

  /**
   * Goes on with a run: what happens next is what would have happened without the stop.
   * @throws {CheckpointError} when a file is damaged, or is of another method, configuration or data. Nothing is changed then.
   * @throws {ArgumentError} in the middle of a task, or after `dispose`.
   */
  async resume({ checkpoint, progress }: SavedRun): Promise<void> {
    this.assertReady(false);
    const identity = { ...this.data, config: this.config, classOrder: [...this.scenario.classOrder] };
    let state: BenchmarkState | null = null;
    let learner: ContinualLearner | null = null;
    let begun: SavedRun['progress'] = null;
    if (checkpoint) {
      const { bytes, where } = checkpoint;
      state = readBenchmarkState(readSafetensors(bytes, where).metadata, where);
      checkAgreement(state, identity, where);
      learner = await ContinualLearner.load(this.engine, bytes, {
        method: this.method,
        settings: this.execution,
        where,
      });
    }
    try {
      const { tasksDone, taskSizes } = learner ?? this.learner;
      if (checkpoint && state) checkTasks(state, { tasksDone, taskSizes }, this.scenario, checkpoint.where);
      if (progress) {
        const { bytes, where } = progress;
        const { metadata, task } = readProgress(bytes, where);
        // One of a task that was finished since is of no use any more.
        if (task >= tasksDone) {
          state = readBenchmarkState(metadata, where);
          checkAgreement(state, identity, where);
          checkTasks(state, { tasksDone, taskSizes, begun: task }, this.scenario, where);
          begun = progress;
        }
      }
      // What happened since it was called.
      this.assertReady(false);
    } catch (error) {
      learner?.dispose();
      throw error;
    }
    if (learner) {
      this.learner.dispose();
      this.learner = learner;
    }
    if (!state) return;
    this.begun = begun;
    this.adapters = [...new Set([...state.adapters, this.engine.adapterDescription])];
    this.began = state.began;
    this.matrix.splice(0, this.matrix.length, ...state.matrix);
    this.lines.splice(0, this.lines.length, ...state.lines);
  }

  /**
   * Builds the model that the last task ends with, and frees it again.
   * @throws {OutOfMemoryError} when the device has no room for it.
   */
  async tryModel(): Promise<void> {
    const { engine, method, scenario, split } = this;
    const { training, methodSettings: settings, network } = this.learner;
    buildModel(method, { engine, training, settings, network, images: split.train }, scenario.newSizes).dispose();
    await engine.sync();
  }

  /** The images as configured. */
  get images(): DatasetSplit<AnyDataset> {
    return this.split;
  }

  /** Frees everything; a task that is under way fails then. */
  dispose(): void {
    this.isDisposed = true;
    this.learner.dispose();
  }

  private async *learn({ signal, saveEvery = 0 }: RunTaskOptions): AsyncGenerator<BenchmarkEvent> {
    const { stream, tasksDone: task } = this;
    signal?.throwIfAborted();
    const train = stream.train(task);
    const tests = Array.from({ length: task + 1 }, (_, one) => stream.test(one));
    const next = { brings: train.keys(), tests: tests[task] as ImagesByClass };
    const shot = task > 0 ? await zeroShot(this.learner, next) : undefined;
    const events = this.learner.learn(train, {
      ...(signal ? { signal } : {}),
      saveEvery,
      tests,
      ...(this.begun ? { resume: this.begun.bytes } : {}),
      annotate: () => writeBenchmarkState(this.state()),
    });
    for await (const event of events) yield event.type === 'task' ? this.tested(event, shot) : event;
  }

  /** Takes down a task that was learnt: a row of the matrix, and a line. */
  private tested({ evaluations = [], ...event }: TaskEvent, shot: ZeroShot | undefined): TestedTaskEvent {
    const accuracies = evaluations.map(({ accuracy }) => accuracy);
    const tests = evaluations.map(testedPartOf);
    const counts = tests.flatMap((part) => part.counts);
    const accuracy = (100 * rightOf(counts)) / imagesOf(counts);
    const tested = { ...event, accuracies, accuracy, tests, ...(shot ? { zeroShot: shot } : {}) };
    this.matrix.push(accuracies);
    this.writeDown(tested);
    return tested;
  }

  private writeDown(event: EpochEvent | TestedTaskEvent): void {
    this.lines.push(metricsLineOf(event, new Date().toISOString(), this.engine.memory().peakBytes));
  }

  /** How this run does its steps, whatever the saved one did. */
  private get execution(): ExecutionSettings {
    const { capture, tune, lossEvery, gradientCheckpointing } = this.config;
    return { capture, tune, lossEvery, gradientCheckpointing };
  }

  private state(lines: readonly MetricsLine[] = this.lines): BenchmarkState {
    return {
      config: { ...this.config },
      classOrder: [...this.scenario.classOrder],
      ...this.data,
      matrix: this.matrix,
      lines: [...lines],
      adapters: [...this.adapters],
      began: this.began,
    };
  }

  /** The learner of a configuration, normalising by the whole training set (stored: by a sample of it), the classes to come included. */
  private makeLearner(config: Config): ContinualLearner {
    const { train } = this.split;
    const measured = config.mean && config.std ? null : 'stored' in train ? train.moments : channelMoments(train);
    const { mean = measured?.mean, std = measured?.std } = config;
    const own = Object.keys({ ...learnerSettings, ...this.method.settings }).filter((key) => key in config);
    const settings = Object.fromEntries(own.map((key) => [key, config[key]]));
    return new ContinualLearner(this.engine, this.method, { ...settings, mean, std });
  }

  /** Test images of each task: what the mean over tasks is weighted by. */
  private testCounts(): number[] {
    return this.scenario.tasks.map((_, task) =>
      [...this.stream.testIndices(task).values()].reduce((total, { length }) => total + length, 0),
    );
  }

  private assertReady(needsTask = true): void {
    if (this.isDisposed) {
      throw new ArgumentError({
        where: 'Benchmark',
        message: 'this benchmark was disposed of.',
        fix: 'Make another one.',
      });
    }
    if (this.isRunning) {
      throw new ArgumentError({
        where: 'Benchmark',
        message: `task ${this.tasksDone + 1} is being learnt already.`,
        fix: 'Wait for its last event, or leave it: break out of its loop, or call return() on what runs it.',
      });
    }
    if (!needsTask || this.tasksDone < this.scenario.tasks.length) return;
    throw new ArgumentError({
      where: 'Benchmark',
      message: `all ${this.tasksDone} tasks are learnt.`,
      fix: 'Make a benchmark of more tasks.',
    });
  }
}
