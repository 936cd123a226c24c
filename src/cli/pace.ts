/** How fast a run goes, and how long it still takes. */
import type { TaskStream } from '../continual/benchmark/task-stream.ts';
import type { LearnerSettings } from '../continual/learner-settings.ts';
import type { ReadonlyExemplarMemory } from '../continual/memory.ts';
import { type Keeping, keepsOf } from '../continual/memory-use.ts';
import type { AnyMethod } from '../continual/method.ts';
import { epochsOf } from '../continual/recipe.ts';
import type { AnyDataset } from '../data/dataset.ts';

/** Seconds the rate is taken over: long enough to include the tests between tasks, short enough to follow a change. */
const WINDOW = 15;

export class Pace {
  private readonly marks: { at: number; images: number }[] = [];

  add(images: number): void {
    const at = performance.now() / 1000;
    this.marks.push({ at, images });
    while (this.marks.length > 2 && at - (this.marks[0]?.at ?? at) > WINDOW) this.marks.shift();
  }

  /** Images a second; 0 while unknown. */
  get rate(): number {
    const [first, last] = [this.marks[0], this.marks.at(-1)];
    if (!first || !last || last.at === first.at) return 0;
    return (last.images - first.images) / (last.at - first.at);
  }

  /** The rate in words; empty while unknown. */
  get speed(): string {
    const { rate } = this;
    return rate > 0 ? `${rate.toFixed(rate < 10 ? 1 : 0)} images/s` : '';
  }

  /** How long so many images still take, in words; empty while unknown. */
  left(images: number): string {
    const { rate } = this;
    return rate > 0 ? `${remaining(Math.max(0, images) / rate)} left` : '';
  }
}

/** What is learnt how often: by a learner, or what one would be made of. */
export interface Plan {
  readonly stream: TaskStream<AnyDataset>;
  readonly method: AnyMethod;
  readonly memory: Pick<ReadonlyExemplarMemory, 'options' | 'quota' | 'room'>;
  readonly training: Keeping['training'] & Pick<LearnerSettings, 'epochs' | 'baseEpochs'>;
}

/** Images that each task learns on, over all its epochs: those that it brings, and the exemplars of before. */
export function plannedImages({ stream, method, memory, training }: Plan): number[] {
  const keeps = keepsOf({ method, training });
  const isReservoir = keeps === 'exemplars' && training.selection === 'reservoir';
  const { perClass = 0 } = memory.options;
  const format = stream.split.train;
  const seen = new Map<number, number>();
  let kept = 0;
  return Array.from({ length: stream.length }, (_, task) => {
    const fresh = [...stream.trainIndices(task)];
    const images = fresh.reduce((total, [, { length }]) => total + length, kept);
    for (const [label, { length }] of fresh) seen.set(label, (seen.get(label) ?? 0) + length);
    if (keeps !== 'nothing') {
      const most =
        keeps === 'everything'
          ? Number.POSITIVE_INFINITY
          : isReservoir
            ? perClass || Number.POSITIVE_INFINITY
            : memory.quota(seen.size, format);
      kept = [...seen.values()].reduce((total, count) => total + Math.min(count, most), 0);
      if (isReservoir && perClass === 0) kept = Math.min(kept, memory.room(format));
    }
    return epochsOf(training, task) * images;
  });
}

/** A time for people: `42 s`, `3:05`, `1:02:03`. */
export function remaining(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  return hours > 0
    ? `${hours}:${two((whole % 3600) / 60)}:${two(whole % 60)}`
    : `${Math.floor(whole / 60)}:${two(whole % 60)}`;
}
