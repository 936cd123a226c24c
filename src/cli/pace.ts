/** How fast a run goes, and how long it still takes. */
import type { Config } from '../continual/benchmark/config.ts';
import type { Scenario } from '../continual/benchmark/scenario.ts';
import type { ReadonlyExemplarMemory } from '../continual/memory.ts';
import type { AnyMethod } from '../continual/method.ts';
import { epochsOf } from '../continual/recipe.ts';
import { classIndices, type DatasetSplit } from '../data/dataset.ts';

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
}

/** What is learnt how often: a learner, or what one would be made of. */
export interface Plan {
  readonly scenario: Scenario;
  readonly method: AnyMethod;
  readonly memory: Pick<ReadonlyExemplarMemory, 'quota'>;
  readonly config: Pick<Config, 'trainPerClass' | 'epochs' | 'baseEpochs'>;
}

/** Images that each task learns on, over all its epochs. */
export function plannedImages({ scenario, method, memory, config }: Plan, split: DatasetSplit): number[] {
  const counts = classIndices(split.train).map(({ length }) => config.trainPerClass || length);
  const count = (classes: readonly number[], most = Number.POSITIVE_INFINITY) =>
    classes.reduce((total, label) => total + Math.min(counts[label] ?? 0, most), 0);
  return scenario.tasks.map((classes, task) => {
    const old = scenario.tasks.slice(0, task).flat();
    const kept =
      old.length === 0 || method.keeps === 'nothing'
        ? 0
        : count(old, method.keeps === 'exemplars' ? memory.quota(old.length, split.train) : undefined);
    return epochsOf(config, task) * (count(classes) + kept);
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
