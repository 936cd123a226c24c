/** What each task of a benchmark is learnt on, and what is tested after it: the scenario's classes, cut from a data set. */
import type { DatasetSplit } from '../../data/dataset.ts';
import type { ImageBytes } from '../../data/image-bytes.ts';
import { imagesByClass } from '../../data/images-by-class.ts';
import type { Scenario } from './scenario.ts';

/** Images by the name of their class, in the order in which classes arrive. */
export type ImagesByClass = ReadonlyMap<string, ImageBytes>;

export class TaskStream {
  constructor(
    private readonly scenario: Scenario,
    private readonly split: DatasetSplit,
  ) {}

  /** Tasks in all. */
  get length(): number {
    return this.scenario.tasks.length;
  }

  /** What a task brings. */
  train(task: number): ImagesByClass {
    return imagesByClass(this.split.train, this.scenario.tasks[task] as readonly number[]);
  }

  /** What is told how well it is kept, apart from what other tasks brought. */
  test(task: number): ImagesByClass {
    return imagesByClass(this.split.test, this.scenario.tasks[task] as readonly number[]);
  }
}
