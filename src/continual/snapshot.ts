/** Where a phase is after an epoch: all that its next epoch depends on, read back from the device. */
import type { Module, NamedTensor } from '../nn/module.ts';
import { readState, type StateDict, stateDict, writeState } from '../nn/state-dict.ts';
import type { GradScaler, GradScalerState } from '../optim/grad-scaler.ts';
import type { Optimizer, OptimizerCounters } from '../optim/optimizer.ts';
import type { Tensor } from '../tensor/tensor.ts';

export interface PhaseSnapshot {
  /** Epochs that are done. */
  readonly epochs: number;
  readonly model: StateDict;
  readonly optimizer: StateDict;
  readonly counters: OptimizerCounters;
  /** `Phase.state`. */
  readonly state: StateDict;
  readonly scaler: GradScalerState | null;
}

/** What is looked at, and written into. */
export interface PhaseParts {
  readonly model: Module;
  readonly optimizer: Optimizer;
  readonly scaler: GradScaler | null;
  readonly state: Readonly<Record<string, Tensor>>;
}

const named = (state: Readonly<Record<string, Tensor>>): NamedTensor[] =>
  Object.entries(state).map(([name, tensor]) => ({ name, tensor, layout: 'same' }));

/** Everything as it is when all that was recorded so far has run: recorded at the call, awaited later. */
export async function takeSnapshot(
  epochs: number,
  { model, optimizer, scaler, state }: PhaseParts,
): Promise<PhaseSnapshot> {
  const [weights, moments, counters, extra, scale] = await Promise.all([
    stateDict(model),
    readState(optimizer.state()),
    optimizer.counters(),
    readState(named(state)),
    scaler ? scaler.state() : null,
  ]);
  return { epochs, model: weights, optimizer: moments, counters, state: extra, scaler: scale };
}

/**
 * Goes back to a snapshot.
 * @param where names the file in errors.
 * @throws {CheckpointError} when something does not fit.
 */
export function restoreSnapshot(snapshot: PhaseSnapshot, parts: PhaseParts, where: string): void {
  writeState(parts.model.namedTensors(), snapshot.model, where);
  writeState(parts.optimizer.state(), snapshot.optimizer, where);
  writeState(named(parts.state), snapshot.state, where);
  parts.optimizer.restore(snapshot.counters);
  if (snapshot.scaler) parts.scaler?.load(snapshot.scaler);
}
