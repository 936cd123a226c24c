/** Where a training loop is, as the bytes of a safetensors file: to go on later as if it had never stopped. */
import { ArgumentError, CheckpointError } from '../errors.ts';
import { isCount, isListOf, isNumber, isRecord } from '../gpu/json-shape.ts';
import type { AnyModule, NamedTensor } from '../nn/module.ts';
import { readSafetensors, writeSafetensors } from '../nn/safetensors.ts';
import { readState, writeState } from '../nn/state-dict.ts';
import { entryOf, loadable } from '../nn/weights.ts';
import type { GradScaler, GradScalerState } from './grad-scaler.ts';
import type { MovingAverage } from './moving-average.ts';
import type { Optimizer, OptimizerCounters } from './optimizer.ts';

/** What a training loop goes on with. */
export interface TrainingParts {
  readonly model: AnyModule;
  readonly optimizer: Optimizer;
  readonly average?: MovingAverage | undefined;
  readonly scaler?: GradScaler | undefined;
}

/** The metadata's entry with what no tensor holds. */
const COUNTERS = 'engram.training';

interface Counters {
  readonly optimizer: OptimizerCounters;
  readonly scaler: GradScalerState | null;
}

const isScaler = (value: unknown): value is GradScalerState =>
  isRecord(value) && isNumber(value.scale) && isCount(value.goodSteps) && isCount(value.skippedSteps);

function isCounters(value: unknown): value is Counters {
  if (!isRecord(value) || !isRecord(value.optimizer)) return false;
  const { steps, taken = [], progress = [] } = value.optimizer;
  const isOptimizer = isCount(steps) && isListOf(isCount, taken) && isListOf(isNumber, progress);
  return isOptimizer && (value.scaler === null || isScaler(value.scaler));
}

/** What the metadata's entry says; nothing where it does not fit. */
function countersIn(text: string): Counters | null {
  try {
    const value: unknown = JSON.parse(text);
    return isCounters(value) ? value : null;
  } catch {
    return null;
  }
}

/** Tensors of all parts, each under its part's name. */
function namedTensors({ model, optimizer, average }: TrainingParts): NamedTensor[] {
  const under = (part: string, tensors: Iterable<NamedTensor>) =>
    [...tensors].map((one) => ({ ...one, name: `${part}.${one.name}` }));
  return [
    ...under('model', model.namedTensors()),
    ...under('optimizer', optimizer.state()),
    ...under('average', average?.state ?? []),
  ];
}

/**
 * The bytes of a safetensors file with the model's parameters and buffers, the optimizer's state, the averages, and as metadata what
 * they count. Everything is as of the call. What else a loop depends on is the caller's to keep: which epoch it is, for the order of
 * `loader.epoch(epoch)` and for `engine.seed(seed + epoch)`, by which dropout draws the same in an epoch wherever it was begun.
 * @param metadata what to add to the file's own; {@link loadTraining} gives it back.
 * @example await writeFile('training.safetensors', await saveTraining({ model, optimizer, average }, { epoch: `${epoch}` }));
 */
export async function saveTraining(
  parts: TrainingParts,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const [state, optimizer, scaler] = await Promise.all([
    readState(namedTensors(parts)),
    parts.optimizer.counters(),
    parts.scaler?.state() ?? null,
  ]);
  const tensors = [...state].map(([name, entry]) => [name, entryOf(entry)] as const);
  return writeSafetensors(tensors, { ...metadata, [COUNTERS]: JSON.stringify({ optimizer, scaler }) });
}

/**
 * Goes on from what {@link saveTraining} gave: the parts are made as they were made then, and what they hold is replaced, in place. Steps that
 * were captured go on with it. Nothing is loaded when it throws.
 * @param where names the file in errors.
 * @returns the metadata that were given to {@link saveTraining}.
 * @throws {CheckpointError} when the bytes are damaged, are of something else, or do not fit the parts.
 * @example const { epoch } = loadTraining({ model, optimizer, average }, await readFile('training.safetensors'));
 */
export function loadTraining(parts: TrainingParts, bytes: Uint8Array, where = 'loadTraining'): Record<string, string> {
  const { tensors, metadata } = readSafetensors(bytes, where);
  const { [COUNTERS]: text, ...others } = metadata;
  const counters = text === undefined ? null : countersIn(text);
  if (!counters) {
    throw new CheckpointError({
      where,
      message: `this is no training that saveTraining() wrote (its "${COUNTERS}" ${text === undefined ? 'is missing' : 'does not fit'}).`,
      fix: 'Weights alone are read by loadWeights().',
    });
  }
  const { optimizer, scaler } = counters;
  if ((scaler === null) !== (parts.scaler === undefined)) {
    throw new CheckpointError({
      where,
      message: scaler
        ? 'it was saved with a GradScaler, and none is given.'
        : 'it was saved without a GradScaler, and one is given.',
      fix: 'Make the parts as they were made when it was saved.',
    });
  }
  // Nothing is written before all of it is known to fit.
  try {
    parts.optimizer.checkCounters(optimizer);
    writeState(namedTensors(parts), loadable(tensors), where);
  } catch (error) {
    if (!(error instanceof ArgumentError || error instanceof CheckpointError)) throw error;
    const fix = 'Make the model, the optimizer and the average as they were made when it was saved.';
    throw new CheckpointError({ where, message: error.reason, fix, cause: error });
  }
  parts.optimizer.restore(optimizer);
  if (scaler) parts.scaler?.load(scaler);
  return others;
}
