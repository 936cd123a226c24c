/** The files of a run's folder by name, and what killed processes leave beside them. */
import { files } from '#files';
import { CHECKPOINT, CONFIG, METRICS, RECORD } from '../continual/benchmark/run-files.ts';
import { joinPath } from '../data/files.ts';
import { DataError } from '../errors.ts';
import { isLock } from './run-lock.ts';
import { isSweepFolder, runsOfSweep } from './sweep-runs.ts';

/** The state of the task under way. */
export const PROGRESS = 'progress.safetensors';
export const REPORT = 'report.html';
/** What `engram analyse` measured, and shows. */
export const ANALYSIS = 'analysis.json';
export const ANALYSIS_PAGE = 'analysis.html';

/** The folder of TensorBoard's events, where no other one is named; see `engram export`. */
export const EVENTS = 'tensorboard';

/** The folder of tables, where no other one is named; see `engram export`. */
export const CSV = 'csv';

/** The network alone, for other programs; see `engram export`. */
export const MODEL = 'model.safetensors';
/** The same with all that it predicts by. */
export const ONNX = 'model.onnx';

const ALL: readonly string[] = [
  CHECKPOINT,
  PROGRESS,
  CONFIG,
  METRICS,
  RECORD,
  REPORT,
  ANALYSIS,
  ANALYSIS_PAGE,
  MODEL,
  ONNX,
];

/** Where the last weights in a run's folder are. @param fix of their missing. @throws {DataError} where there are none. */
export async function checkpointIn(folder: string, fix: string): Promise<string> {
  const path = joinPath(folder, CHECKPOINT);
  if (await files.exists(path)) return path;
  const mend = (await isSweepFolder(folder)) ? runsOfSweep(folder) : fix;
  throw new DataError({ where: folder, message: `there are no weights of a run here (no ${CHECKPOINT}).`, fix: mend });
}

/** The model after `task` tasks, its weights alone; see `--keep-stages`. */
export const stageFile = (task: number): string => `stage-${task}.safetensors`;

/** Tasks after which a file's weights are those of the model; `null` for another file. */
export function stageOf(name: string): number | null {
  const number = /^stage-([1-9]\d*)\.safetensors$/.exec(name)?.[1];
  return number === undefined ? null : Number(number);
}

/** A file that was written beside the one it is to replace; see `files.write`. */
const BESIDE = /^(.+)\.\d+-\d+\.tmp$/;

/** Whether it is a file of a run that was half written. */
export function isHalfWritten(name: string): boolean {
  const whole = BESIDE.exec(name)?.[1] ?? '';
  return ALL.includes(whole) || stageOf(whole) !== null;
}

/** Whether it is nothing but what a process leaves that is killed before it wrote down what its run is. */
export const isLeftover = (name: string): boolean => isHalfWritten(name) || isLock(name);
