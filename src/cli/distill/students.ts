/** Trains the students that are not done yet, each a line in the folder's results. */
import picocolors from 'picocolors';
import { version } from '../../../package.json';
import {
  accuracyOf,
  type Compression,
  type CompressionEvent,
  type LabelledImages,
  type StudentEvent,
} from '../../continual/compression/compression.ts';
import { saveStudent } from '../../continual/compression/student-file.ts';
import type { ClassGroups } from '../../distill/class-groups.ts';
import { printable } from '../../gpu/printable.ts';
import type { StudentResult } from '../../report/compression-results.ts';
import { type ResultsFile, rounded } from '../../sweep/results.ts';
import type { Engine } from '../../tensor/engine.ts';
import { Interrupted } from '../exit.ts';
import { ownCommand } from '../own-name.ts';
import { StopSignal } from '../stop-signal.ts';
import type { DistillFolder } from './folder.ts';
import type { PlannedStudent } from './plan.ts';
import type { Teacher } from './teacher.ts';
import { DistillView } from './view.ts';

/** All that students are trained with. */
export interface Work {
  readonly engine: Engine;
  readonly teacher: Teacher;
  readonly groups: ClassGroups | null;
  readonly folder: DistillFolder;
}

/** Students that learn on the same images. */
export interface Lot {
  readonly students: readonly PlannedStudent[];
  /** What they learn on. */
  readonly compression: Compression;
  readonly tested: LabelledImages;
  /** Gets a line a student. */
  readonly results: ResultsFile<StudentResult>;
  /** Whether the best one's weights are kept. */
  readonly isKept: boolean;
}

/** @throws Interrupted after Ctrl-C, when what is done is written. */
export async function trainStudents(work: Work, lot: Lot): Promise<void> {
  const { compression, students, results, isKept } = lot;
  const left = students.filter(({ run }) => !results.has(run));
  const done = students.length - left.length;
  const said = `${students.length} students${isKept ? '' : ' to choose weights by'}${done > 0 ? `, ${done} of them done before` : ''}`;
  console.log(picocolors.dim(`folder    ${printable(work.folder.path)}: ${said}`));
  if (left.length === 0) return;
  const view = new DistillView(left.length, compression.imageCount * compression.settings.epochs);
  const abort = new AbortController();
  const signal = new StopSignal(() => abort.abort(new Interrupted(howToGoOn(), signal.code)));
  try {
    for (const student of left) {
      const { loss, seed, kdWeight } = student;
      view.begin(isKept ? `${loss}, seed ${seed}` : `${loss}, λ = ${kdWeight}`);
      view.ended(await trainOne(work, lot, student, view, abort.signal));
    }
  } finally {
    view.stop();
    signal.dispose();
  }
}

const howToGoOn = (): string => `Stopped, and the students that are done are saved. To go on: ${ownCommand()}`;

async function trainOne(
  { engine, teacher, groups, folder }: Work,
  { compression, tested, results, isKept }: Lot,
  { run, loss, seed, kdWeight, config }: PlannedStudent,
  view: DistillView,
  signal: AbortSignal,
): Promise<StudentResult> {
  const options = { loss, seed, signal, ...(groups ? { groups } : {}), ...(kdWeight === null ? {} : { kdWeight }) };
  const { student, seconds } = await lastOf(compression.learn(options), view);
  try {
    const { format, names } = teacher;
    const accuracy = rounded(await accuracyOf(student, tested, format));
    // Its weights first: a line that is there without them would never be made good.
    if (isKept && results.all.every((other) => accuracy > other.accuracy)) {
      const metadata = { compression: JSON.stringify({ loss, seed, accuracy, config }) };
      const { settings } = compression;
      await folder.saveStudent(await saveStudent(student, { names, format, settings, seed, metadata }));
    }
    const result: StudentResult = {
      run,
      loss,
      seed,
      accuracy,
      seconds: Math.round(10 * seconds) / 10,
      adapter: engine.adapterDescription,
      date: new Date().toISOString(),
      version,
      config: { ...config },
    };
    await results.add(result);
    return result;
  } finally {
    student.dispose();
  }
}

/** Follows a training to its end. */
async function lastOf(events: AsyncIterable<CompressionEvent>, view: DistillView): Promise<StudentEvent> {
  let student: StudentEvent | null = null;
  for await (const event of events) {
    if (event.type === 'step') view.step(event);
    else if (event.type === 'epoch') view.epoch(event);
    else student = event;
  }
  return student as StudentEvent;
}
