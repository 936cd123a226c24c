/** The files of a run's folder by name, and what killed processes leave beside them. */
import { CHECKPOINT, CONFIG, METRICS, RECORD } from '../continual/benchmark/run-files.ts';
import { isLock, isUnfinishedLock } from './run-lock.ts';

/** The state of the task under way. */
export const PROGRESS = 'progress.safetensors';
export const REPORT = 'report.html';

const ALL: readonly string[] = [CHECKPOINT, PROGRESS, CONFIG, METRICS, RECORD, REPORT];

/** A file that was written beside the one it is to replace; see `files.write`. */
const BESIDE = /^(.+)\.\d+-\d+\.tmp$/;

/** Whether it is something half written: a file of a run, or a lock. */
export const isHalfWritten = (name: string): boolean =>
  ALL.includes(BESIDE.exec(name)?.[1] ?? '') || isUnfinishedLock(name);

/** Whether it is nothing but what a process leaves that is killed before it wrote down what its run is. */
export const isLeftover = (name: string): boolean => isHalfWritten(name) || isLock(name);
