/** `engram distill`: a run's network compressed into a small one, by several losses and from several seeds. */
import { Compression } from '../../continual/compression/compression.ts';
import { isNetworkName, KNOWN_NETWORKS, type NetworkName } from '../../continual/networks.ts';
import { ConfigError } from '../../errors.ts';
import type { Engine } from '../../tensor/engine.ts';
import { withEngine } from '../with-engine.ts';
import { assertUsable, DistillFolder } from './folder.ts';
import { type Grouping, groupsFor, readGrouping } from './grouping.ts';
import type { DistillOptions } from './options.ts';
import { tellOutcome } from './outcome.ts';
import { aboutOf, plannedStudents, settingsOfTeacher } from './plan.ts';
import { trainStudents } from './students.ts';
import { loadTeacher, readTeacher, type SavedTeacher } from './teacher.ts';
import { checkWeights, chooseWeights } from './weights.ts';

/**
 * Trains what is not done yet, and tells how it compares.
 * @throws {ConfigError | DataError | CheckpointError} before anything is written, for what cannot be compressed.
 * @throws Interrupted after Ctrl-C.
 */
export async function distill(options: DistillOptions): Promise<void> {
  const { student } = options;
  if (!isNetworkName(student)) {
    throw new ConfigError({
      where: '--student',
      message: `"${student}" is not a known network.`,
      fix: `Choose ${KNOWN_NETWORKS}.`,
    });
  }
  checkWeights(options);
  await assertUsable(options.out);
  const grouping = await readGrouping(options.grouping, options.groups);
  const saved = await readTeacher(options.teacher, options.data);
  await withEngine((engine) => distillOn(engine, student, options, grouping, saved));
}

async function distillOn(
  engine: Engine,
  model: NetworkName,
  options: DistillOptions,
  grouping: Grouping,
  saved: SavedTeacher,
): Promise<void> {
  const teacher = await loadTeacher(engine, saved);
  let compression: Compression | null = null;
  try {
    const { train, format } = teacher;
    const settings = { ...settingsOfTeacher(teacher), ...options.settings, model };
    compression = new Compression(engine, { teacher: teacher.model, train, normalization: format, settings });
    const groups = options.loss.includes('dense') ? await groupsFor(grouping, { ...teacher, compression }) : null;
    const plan = { teacher, settings: compression.settings, groups };
    const folder = await DistillFolder.take(options.out, aboutOf(options, teacher, compression.settings, groups));
    try {
      const work = { engine, teacher, groups, folder };
      const weights = await chooseWeights(work, options, plan);
      const students = plannedStudents(options, plan, weights.best);
      const lot = { students, compression, tested: teacher.test, results: folder.results, isKept: true };
      await trainStudents(work, lot);
      await tellOutcome(work, lot, weights, options);
    } finally {
      await folder.close();
    }
  } finally {
    compression?.dispose();
    teacher.dispose();
  }
}
