/** `engram distill`: a run's network compressed into a small one, by several losses and from several seeds. */
import picocolors from 'picocolors';
import { version } from '../../../package.json';
import {
  accuracyOf,
  Compression,
  type CompressionEvent,
  type StudentEvent,
} from '../../continual/compression/compression.ts';
import {
  type CompressionLoss,
  type CompressionSettings,
  type CompressionSettingsInput,
  compressionSettings,
  offlineSettings,
} from '../../continual/compression/settings.ts';
import { countWeights } from '../../continual/compression/size.ts';
import { imagesPerSecond } from '../../continual/compression/speed.ts';
import { saveStudent } from '../../continual/compression/student-file.ts';
import { executionSettings, networkSettings } from '../../continual/learner-settings.ts';
import type { IncrementalModel } from '../../continual/method.ts';
import type { ClassGroups } from '../../distill/class-groups.ts';
import { ConfigError } from '../../errors.ts';
import { printable } from '../../gpu/printable.ts';
import { flopsPerImage } from '../../nn/flops.ts';
import { createResNet, isResNetName, type ResNetName } from '../../nn/resnet.ts';
import { compressionPage } from '../../report/compression-page.ts';
import { type CompressionReport, lossTable, type NetworkCost, networkTable } from '../../report/compression-tables.ts';
import { compareLosses, type StudentResult } from '../../sweep/compression-results.ts';
import { runId } from '../../sweep/run-id.ts';
import type { Engine } from '../../tensor/engine.ts';
import { Interrupted } from '../exit.ts';
import { ownName } from '../own-name.ts';
import { StopSignal } from '../stop-signal.ts';
import { withEngine } from '../with-engine.ts';
import { assertUsable, DistillFolder, PAGE, STUDENT } from './folder.ts';
import { type Grouping, groupsFor, readGrouping } from './grouping.ts';
import type { DistillOptions } from './options.ts';
import { loadTeacher, readTeacher, type SavedTeacher, type Teacher } from './teacher.ts';
import { DistillView } from './view.ts';

/** A student that is to be trained. */
interface PlannedStudent {
  readonly run: string;
  readonly loss: CompressionLoss;
  readonly seed: number;
  readonly config: Readonly<Record<string, unknown>>;
}

/** All that students are trained with. */
interface Work {
  readonly engine: Engine;
  readonly teacher: Teacher;
  readonly compression: Compression;
  readonly groups: ClassGroups | null;
  readonly students: readonly PlannedStudent[];
  readonly folder: DistillFolder;
}

/**
 * Trains what is not done yet, and tells how it compares.
 * @throws {ConfigError | DataError | CheckpointError} before anything is written, for what cannot be compressed.
 * @throws Interrupted after Ctrl-C.
 */
export async function distill(options: DistillOptions): Promise<void> {
  const { student } = options;
  if (!isResNetName(student)) {
    throw new ConfigError({
      where: '--student',
      message: `"${student}" is not a known network.`,
      fix: 'Choose resnet8, resnet20, resnet32, … (depth 6n + 2), resnet18 or resnet34.',
    });
  }
  await assertUsable(options.out);
  const grouping = await readGrouping(options.grouping, options.groups);
  const saved = await readTeacher(options.teacher, options.data);
  await withEngine((engine) => distillOn(engine, student, options, grouping, saved));
}

async function distillOn(
  engine: Engine,
  model: ResNetName,
  options: DistillOptions,
  grouping: Grouping,
  saved: SavedTeacher,
): Promise<void> {
  const teacher = await loadTeacher(engine, saved);
  let compression: Compression | null = null;
  try {
    const { train, format } = teacher;
    const settings = { ...taken(teacher), ...options.settings, model };
    compression = new Compression(engine, { teacher: teacher.model, train, normalization: format, settings });
    const groups = options.loss.includes('dense') ? await groupsFor(grouping, { ...teacher, compression }) : null;
    const students = plan(options, teacher, compression.settings, groups);
    const folder = await DistillFolder.take(options.out);
    try {
      await folder.describe(aboutOf(options, teacher, compression.settings, groups));
      const work = { engine, teacher, compression, groups, students, folder };
      await trainAll(work);
      await report(work, options);
    } finally {
      await folder.close();
    }
  } finally {
    compression?.dispose();
    teacher.dispose();
  }
}

/** How the teacher was trained, as far as students are: not its network. */
function taken({ training }: Teacher): CompressionSettingsInput {
  const own = Object.keys(compressionSettings).filter(
    (key) => !(key in networkSettings) && !(key in executionSettings),
  );
  return Object.fromEntries(
    own.filter((key) => key in training).map((key) => [key, (training as object)[key as never]]),
  );
}

/** What the students of a loss are trained by, and so known by: not what other losses are. */
function plan(
  { loss: losses, seeds }: DistillOptions,
  { config, fingerprint }: Teacher,
  settings: CompressionSettings,
  groups: ClassGroups | null,
): PlannedStudent[] {
  const ownOf = (loss: CompressionLoss): readonly string[] =>
    ({
      dense: ['temperature', 'kdWeight'],
      kd: ['temperature', 'kdWeight'],
      decoupled: Object.keys(offlineSettings),
      scratch: [],
    })[loss];
  const all = Object.entries(settings).filter(([key]) => !(key in executionSettings));
  return losses.flatMap((loss) => {
    const own = ownOf(loss);
    const values = Object.fromEntries(all.filter(([key]) => !(key in offlineSettings) || own.includes(key)));
    return Array.from({ length: seeds }, (_, seed) => {
      const partition = loss === 'dense' && groups ? { order: groups.order, groupSizes: groups.sizes } : {};
      const recorded = { data: config.data, teacher: fingerprint, loss, seed, ...values, ...partition };
      return { run: runId(recorded), loss, seed, config: recorded };
    });
  });
}

function aboutOf(
  { teacher: folder, loss, seeds, grouping }: DistillOptions,
  { config, names, fingerprint }: Teacher,
  settings: CompressionSettings,
  groups: ClassGroups | null,
): Record<string, unknown> {
  let first = 0;
  const lists = groups?.sizes.map((size) => {
    first += size;
    return groups.order.slice(first - size, first).map((label) => names[label]);
  });
  const teacher = { run: folder, fingerprint, method: config.method, model: config.model, width: config.width };
  return { version, teacher, losses: loss, seeds, settings, grouping, ...(lists ? { groups: lists } : {}) };
}

const nameOf = ({ loss, seed }: PlannedStudent): string => `${loss}, seed ${seed}`;

/** @throws Interrupted */
async function trainAll(work: Work): Promise<void> {
  const { compression, students, folder } = work;
  const left = students.filter(({ run }) => !folder.results.has(run));
  const done = students.length - left.length;
  const said = `${students.length} students${done > 0 ? `, ${done} of them done before` : ''}`;
  console.log(picocolors.dim(`folder    ${printable(folder.path)}: ${said}`));
  if (left.length === 0) return;
  const view = new DistillView(left.length, compression.imageCount * compression.settings.epochs);
  const abort = new AbortController();
  const signal = new StopSignal(() => abort.abort(new Interrupted(howToGoOn(), signal.code)));
  try {
    for (const student of left) {
      view.begin(nameOf(student));
      view.ended(await trainOne(work, student, view, abort.signal));
    }
  } finally {
    view.stop();
    signal.dispose();
  }
}

const howToGoOn = (): string =>
  `Stopped, and the students that are done are saved. To go on: ${ownName()} ${process.argv.slice(2).join(' ')}`;

async function trainOne(
  { engine, teacher, compression, groups, students, folder }: Work,
  { run, loss, seed, config }: PlannedStudent,
  view: DistillView,
  signal: AbortSignal,
): Promise<StudentResult> {
  const options = { loss, seed, signal, ...(groups ? { groups } : {}) };
  const { student, seconds } = await last(compression.learn(options), view);
  try {
    const { test, format, names } = teacher;
    const accuracy = Math.round(100 * (await accuracyOf(student, test, format))) / 100;
    const known = ownResults(students, folder).map((result) => result.accuracy);
    if (accuracy > Math.max(-1, ...known)) {
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
    await folder.results.add(result);
    return result;
  } finally {
    student.dispose();
  }
}

async function last(events: AsyncIterable<CompressionEvent>, view: DistillView): Promise<StudentEvent> {
  let student: StudentEvent | null = null;
  for await (const event of events) {
    if (event.type === 'step') view.step(event);
    else if (event.type === 'epoch') view.epoch(event);
    else student = event;
  }
  return student as StudentEvent;
}

/** Of the students that were asked for: others may be in the folder. */
function ownResults(students: readonly PlannedStudent[], { results }: DistillFolder): StudentResult[] {
  return students.flatMap(({ run }) => results.get(run) ?? []);
}

async function report(work: Work, { teacher: run, markdown = false }: DistillOptions): Promise<void> {
  const { engine, teacher, compression, students, folder, groups } = work;
  const results = ownResults(students, folder);
  const { format, model, test } = teacher;
  const { settings } = compression;
  const small = createResNet(engine, settings.model as ResNetName, {
    ...(settings.width > 0 ? { width: settings.width } : {}),
    stem: settings.stem,
    precision: settings.precision,
    classes: model.classes,
    inChannels: format.channels,
  });
  try {
    const cost = async (name: string, network: IncrementalModel): Promise<NetworkCost> => ({
      name,
      ...countWeights(network),
      flops: flopsPerImage(network, format),
      imagesPerSecond: await imagesPerSecond(network, format),
    });
    const data: CompressionReport = {
      losses: compareLosses(results),
      teacher: await cost(`teacher (${teacher.config.model}, ${teacher.config.method})`, model),
      student: await cost(`student (${settings.model})`, small),
      teacherAccuracy: await accuracyOf(model, test, format),
      about: {
        teacher: run,
        data: teacher.config.data.replace(/\/+$/, '').split('/').at(-1) ?? '',
        classes: model.classes,
        train: teacher.train.images.count,
        test: test.images.count,
        groups: groups?.sizes ?? [],
        adapter: engine.adapterDescription,
        date: new Date().toISOString().slice(0, 10),
        settings,
      },
    };
    await folder.savePage(compressionPage(data));
    console.log(`\n${lossTable(data, { markdown })}\n\n${networkTable(data, { markdown })}\n`);
  } finally {
    small.dispose();
  }
  const best = results.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
  const isThere = await folder.hasStudent;
  console.log(
    `student   ${printable(folder.path)}/${STUDENT}${isThere ? `: ${best.loss}, seed ${best.seed}` : ' is missing'}`,
  );
  console.log(`report    ${printable(folder.path)}/${PAGE}`);
}
