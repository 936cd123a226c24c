/** The files of a run's folder by name, and what killed processes leave beside them. */
import { isLock, isUnfinishedLock } from './run-lock.ts';

/** The state after the last finished task. */
export const CHECKPOINT = 'checkpoint.safetensors';
/** That of the task under way. */
export const PROGRESS = 'progress.safetensors';
export const CONFIG = 'config.json';
/** One line for every epoch and every task. */
export const METRICS = 'metrics.jsonl';
/** The run's record after its last finished task. */
export const RECORD = 'run.json';
export const REPORT = 'report.html';

const ALL: readonly string[] = [CHECKPOINT, PROGRESS, CONFIG, METRICS, RECORD, REPORT];

/** A file that was written beside the one it is to replace; see `files.write`. */
const BESIDE = /^(.+)\.\d+-\d+\.tmp$/;

/** Whether it is something half written: a file of a run, or a lock. */
export const isHalfWritten = (name: string): boolean =>
  ALL.includes(BESIDE.exec(name)?.[1] ?? '') || isUnfinishedLock(name);

/** Whether it is nothing but what a process leaves that is killed before it wrote down what its run is. */
export const isLeftover = (name: string): boolean => isHalfWritten(name) || isLock(name);
