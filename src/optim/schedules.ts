/** Learning rate schedules: plain functions of the epoch (or step), to be set on an optimizer's `lr`. */
import { ArgumentError } from '../errors.ts';

/** The learning rate at time t, counted from 0 in whatever unit the schedule was made for. */
export type Schedule = (t: number) => number;

/** The same rate at all times. */
export const constantSchedule =
  (lr: number): Schedule =>
  () =>
    lr;

/** lr · gamma^(milestones passed). */
export function stepSchedule(lr: number, milestones: readonly number[], gamma = 0.1): Schedule {
  return (t) => lr * gamma ** milestones.filter((milestone) => t >= milestone).length;
}

/**
 * Half a cosine from `lr` at 0 to `lowest` at `total` (Loshchilov & Hutter 2017, eq. 5).
 * @throws {ArgumentError} when `total` is not above 0.
 */
export function cosineSchedule(lr: number, total: number, lowest = 0): Schedule {
  if (!(total > 0))
    throw new ArgumentError({ where: 'cosineSchedule', message: `the length must be above 0, not ${total}.` });
  return (t) => lowest + ((lr - lowest) * (1 + Math.cos((Math.PI * Math.min(t, total)) / total))) / 2;
}

/** Rises linearly to the schedule's first rate over `steps`, then follows it (Goyal et al. 2017). */
export function warmUp(schedule: Schedule, steps: number): Schedule {
  return (t) => (t < steps ? (schedule(0) * (t + 1)) / (steps + 1) : schedule(t - steps));
}
