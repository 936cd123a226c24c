/** `engram export`: a run's network for other programs. */
import { dirname, resolve } from 'node:path';
import { files } from '#files';
import { networkFile } from '../continual/network-file.ts';
import { joinPath } from '../data/files.ts';
import { ConfigError } from '../errors.ts';
import { printable } from '../gpu/printable.ts';
import { checkpointIn, MODEL } from './run-files.ts';
import { assertWritable } from './writable.ts';

export interface ExportOptions {
  /** The file; beside the checkpoint by default. */
  readonly safetensors?: string | true;
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
  // A learner's file itself, or the last weights of a run.
  const from = path.endsWith('.safetensors')
    ? path
    : await checkpointIn(path, "Give the folder of a run that has learnt at least one task, or a learner's file.");
  const to = safetensors === true ? joinPath(dirname(from), MODEL) : safetensors;
  if (resolve(to) === resolve(from)) {
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
