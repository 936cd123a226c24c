/** `engram export`: a run's network for other programs. */
import { dirname } from 'node:path';
import { files } from '#files';
import { CHECKPOINT } from '../continual/benchmark/run-files.ts';
import { networkFile } from '../continual/network-file.ts';
import { joinPath } from '../data/files.ts';
import { ConfigError, DataError } from '../errors.ts';
import { printable } from '../gpu/printable.ts';
import { assertWritable } from './writable.ts';

export interface ExportOptions {
  /** The file; beside the checkpoint by default. */
  readonly safetensors?: string | true;
}

const MODEL = 'model.safetensors';

/** The file of a learner: given itself, or the last weights in a run's folder. @throws {DataError} where there is none. */
async function learnerFile(path: string): Promise<string> {
  if (path.endsWith('.safetensors')) return path;
  const checkpoint = joinPath(path, CHECKPOINT);
  if (await files.exists(checkpoint)) return checkpoint;
  throw new DataError({
    where: path,
    message: `there are no weights of a run here (no ${CHECKPOINT}).`,
    fix: "Give the folder of a run that has learnt at least one task, or a learner's file.",
  });
}

/**
 * @throws {ConfigError} when it is not said what is wanted, or that would be written over what it is made from.
 * @throws {DataError} when there are no weights, or nothing can be written.
 * @throws {CheckpointError} when they are damaged, or nothing was learnt yet.
 */
export async function exportNetwork(path: string, { safetensors }: ExportOptions): Promise<void> {
  if (safetensors === undefined) {
    throw new ConfigError({
      where: 'engram export',
      message: 'it is not said what is wanted.',
      fix: 'Add --safetensors [FILE]: weights that PyTorch loads.',
    });
  }
  const from = await learnerFile(path);
  const to = safetensors === true ? joinPath(dirname(from), MODEL) : safetensors;
  if (to === from) {
    throw new ConfigError({
      where: to,
      message: 'this is the file that the network is read from.',
      fix: 'Give --safetensors another name: what the next task needs is in the old one alone.',
    });
  }
  await assertWritable(dirname(to));
  const { bytes, classes, tensors, values, leftOut } = networkFile(await files.read(from), from);
  await files.write(to, bytes);
  console.log(`weights   ${printable(to)}: ${tensors} tensors, ${values.toLocaleString('en')} values`);
  console.log(`classes   ${classes.map(printable).join(', ')}`);
  if (leftOut.length > 0) {
    console.log(
      `left out  ${leftOut.map(printable).join(', ')}: the method's own, by which it corrects what the network says`,
    );
  }
}
