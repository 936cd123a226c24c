/** The exemplars in a run's checkpoint, for its page. */
import { files } from '#files';
import { CHECKPOINT } from '../continual/benchmark/run-files.ts';
import { readLearner } from '../continual/learner-state.ts';
import { joinPath } from '../data/files.ts';
import { CheckpointError } from '../errors.ts';
import { type ExemplarSheet, exemplarSheet } from '../report/exemplar-sheet.ts';

/** @returns nothing where there is no checkpoint, and of a damaged one what is wrong: the records say all but the pictures. */
export async function exemplarsIn(folder: string): Promise<ExemplarSheet | string | undefined> {
  const path = joinPath(folder, CHECKPOINT);
  if (!(await files.exists(path))) return undefined;
  try {
    const { state, exemplars } = readLearner(await files.read(path), path);
    if (!state.images) return undefined;
    return exemplarSheet({ classes: state.classes, format: state.images, exemplars });
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return `The exemplars cannot be shown: ${error.where}: ${error.reason}`;
  }
}
