/** `engram export`: a run's network for other programs. */
import { dirname, resolve } from 'node:path';
import { files } from '#files';
import { ContinualLearner } from '../continual/learner.ts';
import type { AnyMethod } from '../continual/method.ts';
import { type MethodName, methods } from '../continual/methods/index.ts';
import { networkFile } from '../continual/network-file.ts';
import { exportLearner } from '../continual/onnx-file.ts';
import { joinPath } from '../data/files.ts';
import { ConfigError } from '../errors.ts';
import { printable } from '../gpu/printable.ts';
import { methodFrom, methodOfRun } from './method-choice.ts';
import { checkpointIn, MODEL, ONNX } from './run-files.ts';
import { withEngine } from './with-engine.ts';
import { assertWritableFile } from './writable.ts';

export interface ExportOptions {
  /** The file; beside the checkpoint by default. */
  readonly safetensors?: string | true;
  /** Likewise. */
  readonly onnx?: string | true;
  /** The file of a method of one's own. */
  readonly method?: string;
}

/** Where the network is. */
interface Source {
  /** The file that holds it. */
  readonly path: string;
  /** The run's folder; `null` for a learner's file by itself. */
  readonly folder: string | null;
}

/** Where a file goes, which can be written there and is not what it is made from. */
async function target({ path }: Source, flag: string, given: string | true, name: string): Promise<string> {
  const to = given === true ? joinPath(dirname(path), name) : given;
  if (resolve(to) === resolve(path)) {
    throw new ConfigError({
      where: to,
      message: 'this is the file that the network is read from.',
      fix: `Give ${flag} another name: what the next task needs is in the old one alone.`,
    });
  }
  await assertWritableFile(to);
  return to;
}

async function writeWeights({ path }: Source, to: string): Promise<void> {
  const { bytes, classes, tensors, values, leftOut } = networkFile(await files.read(path), path);
  await files.write(to, bytes);
  console.log(`weights   ${printable(to)}: ${tensors} tensors, ${values.toLocaleString('en')} values`);
  console.log(`classes   ${classes.map(printable).join(', ')}`);
  if (leftOut.length > 0) {
    console.log(
      `left out  ${leftOut.map(printable).join(', ')}: the method's own, by which it corrects what the network says`,
    );
  }
}

const builtIn = (name: string): AnyMethod | undefined =>
  Object.hasOwn(methods, name) ? methods[name as MethodName] : undefined;

/** The method of one's own by which it was learnt, or else the built-in one of the name in its file. */
async function methodOf({ folder }: Source, given: string | undefined) {
  const own = await (folder === null ? given && methodFrom(given, '--method') : methodOfRun(folder, given));
  return own ? own.method : builtIn;
}

async function writeGraph(source: Source, to: string, given: string | undefined): Promise<void> {
  const { path } = source;
  const bytes = await files.read(path);
  const method = await methodOf(source, given);
  await withEngine(async (engine) => {
    const learner = await ContinualLearner.load(engine, bytes, { where: path, method });
    const graph = await exportLearner(learner);
    await files.write(to, graph);
    const { height, width, channels } = await learner.answering('export', async ({ format }) => format);
    console.log(`graph     ${printable(to)}: ${graph.length.toLocaleString('en')} bytes, opset 17`);
    console.log(`images    uint8 [batch, ${height}, ${width}, ${channels}] to scores, probabilities, labels`);
    console.log(`classes   ${learner.classes.map(printable).join(', ')}`);
  });
}

/**
 * @throws {ConfigError} when it is not said what is wanted, or that would be written over what it is made from.
 * @throws {DataError} when there are no weights, or nothing can be written.
 * @throws {CheckpointError} when they are damaged, or nothing was learnt yet.
 * @throws {ArgumentError} when a method of one's own calls what ONNX has no counterpart for.
 */
export async function exportNetwork(path: string, { safetensors, onnx, method }: ExportOptions): Promise<void> {
  if (safetensors === undefined && onnx === undefined) {
    throw new ConfigError({
      where: 'engram export',
      message: 'it is not said what is wanted.',
      fix: 'Add --safetensors [FILE], weights that PyTorch loads, --onnx [FILE], a graph that ONNX Runtime runs, or of its records --csv or --tensorboard.',
    });
  }
  const isFile = path.endsWith('.safetensors');
  const source: Source = {
    path: isFile
      ? path
      : await checkpointIn(path, "Give the folder of a run that has learnt at least one task, or a learner's file."),
    folder: isFile ? null : path,
  };
  const weights = safetensors === undefined ? null : await target(source, '--safetensors', safetensors, MODEL);
  const graph = onnx === undefined ? null : await target(source, '--onnx', onnx, ONNX);
  if (weights !== null) await writeWeights(source, weights);
  if (graph !== null) await writeGraph(source, graph, method);
}
