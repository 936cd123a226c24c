/**
 * What a run recorded as TensorBoard's events. Of an epoch: its loss and terms, learning rate and speed, at the training steps done
 * by then. Of a finished task: accuracies, forgetting, memory, time, and the matrices as pictures, at the tasks done.
 */
import { version } from '../../../package.json';
import type { Summary } from '../../continual/benchmark/metrics/summary.ts';
import { type LossRecord, type RunRecord, summaryOf, type TaskRecord } from '../../continual/benchmark/run-record.ts';
import { classConfusion } from '../class-figures.ts';
import { heatPicture } from '../heat-picture.ts';
import { originFacts, settingsOf } from '../run-facts.ts';
import { markdownTable } from '../statistics-text.ts';
import { type EventValue, encodeEvent, encodeFirstEvent } from './event.ts';
import { recordFrame } from './record-frame.ts';

/** By which files of ours are known again, whatever the version. */
export const WRITER = 'engram';

const scalars = (values: Readonly<Record<string, number | null | undefined>>): EventValue[] =>
  Object.entries(values).flatMap(([tag, scalar]) => (typeof scalar === 'number' ? [{ tag, scalar }] : []));

const percent = (rows: readonly (readonly number[])[]) => rows.map((row) => row.map((value) => value / 100));

/** A run as far as it was after some tasks. */
function after(record: RunRecord, tasks: number): RunRecord {
  const { matrix, tests, zeroShots } = record;
  return {
    ...record,
    matrix: matrix.slice(0, tasks),
    ...(tests ? { tests: tests.slice(0, tasks) } : {}),
    ...(zeroShots ? { zeroShots: zeroShots.slice(0, tasks - 1) } : {}),
  };
}

function accuracies(
  record: RunRecord,
  { counted, curve, average, forgetting, backwardTransfer }: Summary,
): EventValue[] {
  const row = record.matrix.at(-1) ?? [];
  const digits = `${record.classesPerTask.length}`.length;
  const split = counted?.split.at(-1);
  return scalars({
    'accuracy/all classes seen': curve.at(-1),
    'accuracy/average incremental': average,
    'accuracy/old classes': split?.old,
    'accuracy/new classes': split?.new,
    'accuracy/task told': counted?.taskIncremental.last,
    ...Object.fromEntries(row.map((value, task) => [`accuracy by task/${`${task + 1}`.padStart(digits, '0')}`, value])),
    ...(row.length > 1
      ? { 'forgetting/best to last': forgetting, 'forgetting/backward transfer': backwardTransfer }
      : {}),
    'calibration/expected error': counted?.calibrationErrors.at(-1),
  });
}

function costs({ exemplars, exemplarBytes, peakBytes, seconds, notes }: TaskRecord): EventValue[] {
  return scalars({
    'memory/exemplars': exemplars,
    'memory/bytes of exemplars': exemplarBytes,
    'memory/bytes on the device at most': peakBytes,
    'time/seconds of the task': seconds,
    ...Object.fromEntries(Object.entries(notes).map(([name, value]) => [`notes of the method/${name}`, value])),
  });
}

function pictures(record: RunRecord, { counted }: Summary): EventValue[] {
  const classes = classConfusion(record);
  const tasks = counted?.taskConfusion ?? [];
  return [
    { tag: 'accuracy after each task (rows) on each task (columns)', picture: heatPicture(percent(record.matrix)) },
    ...(tasks.length > 1
      ? [{ tag: 'confusion/task (rows) taken for task (columns)', picture: heatPicture(percent(tasks)) }]
      : []),
    ...(classes
      ? [{ tag: 'confusion/class (rows) taken for class (columns)', picture: heatPicture(percent(classes.shares)) }]
      : []),
  ];
}

/** Writes the events of one run, in order. */
export class RunEvents {
  private steps = 0;
  private time: number;

  /** @param record of which what does not change is taken: name, method, configuration and the time of its beginning. */
  constructor(private readonly record: RunRecord) {
    this.time = Date.parse(record.date);
  }

  /** What a file begins with. */
  begin(): Uint8Array[] {
    const { record, time } = this;
    const text = markdownTable(['setting', 'value'], [...originFacts(record), ...settingsOf(record.config)]);
    return [
      recordFrame(encodeFirstEvent(time, `${WRITER} ${version}`)),
      recordFrame(encodeEvent({ time, step: 0, values: [{ tag: 'configuration', text }] })),
    ];
  }

  /** An epoch that is done. */
  epoch({ loss, terms = {}, lr, imagesPerSecond, steps, seconds = 0, date }: LossRecord): Uint8Array {
    this.steps += steps ?? this.stepsOf((imagesPerSecond ?? 0) * seconds);
    // Older runs do not say when; their epochs follow each other.
    this.time = date === undefined ? this.time + 1000 * seconds : Date.parse(date);
    const values = scalars({
      'loss/total': loss,
      ...Object.fromEntries(Object.entries(terms).map(([name, value]) => [`loss/${name}`, value])),
      'training/learning rate': lr,
      'training/images per second': imagesPerSecond,
    });
    return recordFrame(encodeEvent({ time: this.time, step: this.steps, values }));
  }

  /**
   * A finished task.
   * @param record with as many rows as tasks are finished, or more.
   * @param tasks how many are.
   */
  task(record: RunRecord, tasks: number): Uint8Array {
    const so = after(record, tasks);
    const summary = summaryOf(so);
    const own = record.tasks?.[tasks - 1];
    this.time = own?.date === undefined ? this.time : Date.parse(own.date);
    const values = [...accuracies(so, summary), ...(own ? costs(own) : []), ...pictures(so, summary)];
    return recordFrame(encodeEvent({ time: this.time, step: tasks, values }));
  }

  /** Of so many images, by the batch of the run. */
  private stepsOf(images: number): number {
    const { batch } = this.record.config;
    return Math.max(1, Math.ceil(Math.round(images) / (typeof batch === 'number' ? batch : 1)));
  }
}

/** The event file of a run as far as it is, and the events that go on from there. */
export function eventFile(record: RunRecord): { readonly bytes: Uint8Array<ArrayBuffer>; readonly events: RunEvents } {
  const events = new RunEvents(record);
  const frames = events.begin();
  const done = record.matrix.length;
  for (let task = 0; task <= done; task++) {
    for (const loss of record.losses) if (Math.min(loss.task, done) === task) frames.push(events.epoch(loss));
    if (task < done) frames.push(events.task(record, task + 1));
  }
  const bytes = new Uint8Array(frames.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame, at);
    at += frame.length;
  }
  return { bytes, events };
}
