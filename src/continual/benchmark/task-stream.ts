/** What each task of a benchmark is learnt on, and what is tested after it, cut from a data set as the scenario has it. */
import {
  type AnyDataset,
  checkDataset,
  classIndices,
  type DatasetSplit,
  domainCount,
  firstPerClass,
  type ImageDataset,
  type LotOf,
  subset,
} from '../../data/dataset.ts';
import type { ImageBytes } from '../../data/image-bytes.ts';
import { imagesByClass } from '../../data/images-by-class.ts';
import { type Images, isStored, shownImages } from '../../data/stored-images.ts';
import { Random } from '../../tensor/random.ts';
import type { Config } from './config.ts';
import { permutedImages, rotatedImages } from './domain-images.ts';
import { Scenario } from './scenario.ts';

/** Images by the name of their class, in the order in which classes arrive. */
export type ImagesByClass<I extends Images = ImageBytes> = ReadonlyMap<string, I>;

/** Indices of images by the class of the data, in the order in which classes arrive. */
export type IndicesByClass = ReadonlyMap<number, readonly number[]>;

/** The images of each task, to learn and to test, cut from a data set as a scenario has it. */
export class TaskStream<D extends AnyDataset = ImageDataset> {
  constructor(
    readonly scenario: Scenario,
    readonly split: DatasetSplit<D>,
  ) {}

  /**
   * The stream of a configuration.
   * @throws {ConfigError} when its tasks cannot be cut from these data.
   * @throws {DataError} when the data do not hold together or are too few.
   */
  static of<D extends AnyDataset>(config: StreamConfig, split: DatasetSplit<D>): TaskStream<D> {
    const [train, test] = [
      cut(split.train, config, config.trainPerClass),
      cut(split.test, config, config.testPerClass),
    ];
    const scenario = new Scenario({ ...config, classes: train.classes, ownDomains: domainCount(train) });
    return new TaskStream(scenario, { train, test });
  }

  /** Tasks in all. */
  get length(): number {
    return this.scenario.tasks.length;
  }

  /** What a task brings. */
  train(task: number): ImagesByClass<LotOf<D>> {
    return this.images(this.split.train, this.trainIndices(task), task);
  }

  /** What is told how well it is kept, apart from what other tasks brought. */
  test(task: number): ImagesByClass<LotOf<D>> {
    return this.images(this.split.test, this.testIndices(task), task);
  }

  /** Which training images a task brings; classes of which it has none are left out. */
  trainIndices(task: number): IndicesByClass {
    const { scenario, split } = this;
    if (scenario.blurry === 0) return this.ownIndices(split.train, task);
    const all = classIndices(split.train);
    const found = new Map<number, number[]>();
    for (const label of scenario.classOrder) {
      const indices = blurred(all[label] as number[], label, scenario)[task] as number[];
      if (indices.length > 0) found.set(label, indices);
    }
    return found;
  }

  /** Which test images belong to a task. */
  testIndices(task: number): IndicesByClass {
    return this.ownIndices(this.split.test, task);
  }

  /** Images of a task's own classes, and of its own domain where the data have several. */
  private ownIndices(part: D, task: number): IndicesByClass {
    const { domains, tasks } = this.scenario;
    const all = classIndices(part);
    const isOf = domains === 'own' ? (index: number) => part.domains?.[index] === task : () => true;
    return new Map((tasks[task] as readonly number[]).map((label) => [label, (all[label] as number[]).filter(isOf)]));
  }

  private images(part: D, indices: IndicesByClass, task: number): ImagesByClass<LotOf<D>> {
    const chosen = subset(part, [...indices.values()].flat());
    const byClass = imagesByClass<D>(chosen, [...indices.keys()]);
    const shown = this.shownBy(task, part);
    return new Map([...byClass].map(([name, images]) => [name, shown(images)]));
  }

  /** How images are shown in a task. */
  private shownBy(task: number, { height, width }: D): (images: LotOf<D>) => LotOf<D> {
    const { domains, angles, seed } = this.scenario;
    if (domains === 'rotations') {
      const angle = angles[task] as number;
      return showing(`rotated by ${angle}`, (images) => rotatedImages(images, angle));
    }
    if (domains !== 'permutations' || task === 0) return (images) => images;
    const order = Random.of(seed, 'permutation', task).permutation(height * width);
    return showing(`permuted by ${seed}, ${task}`, (images) => permutedImages(images, order));
  }
}

/** Shows images in another way: at once, or as they are read. @param name tells how. */
const showing =
  (name: string, show: (images: ImageBytes) => ImageBytes) =>
  <I extends Images>(images: I): I =>
    (isStored(images) ? shownImages(images, name, show) : show(images)) as Images as I;

/** What of a configuration says which images come when. */
export type StreamConfig = Pick<
  Config,
  | 'tasks'
  | 'increment'
  | 'baseClasses'
  | 'taskSizes'
  | 'classOrder'
  | 'classSeed'
  | 'domains'
  | 'angles'
  | 'blurry'
  | 'seed'
  | 'trainPerClass'
  | 'testPerClass'
>;

/** The part of a data set that a run is about. @throws {DataError} when it does not hold together or has too few images. */
function cut<D extends AnyDataset>(dataset: D, { domains }: StreamConfig, perClass: number): D {
  checkDataset(dataset, dataset.name);
  return perClass > 0 ? firstPerClass(dataset, perClass, domains === 'own') : dataset;
}

/**
 * The images of one class by task: most with the class's own task, a share with the others, as many with each; of those that are
 * left over the earliest have one more (Bang et al. 2021, Rainbow Memory). Which ones they are is drawn.
 */
function blurred(indices: readonly number[], label: number, { blurry, tasks, seed }: Scenario): number[][] {
  const own = tasks.findIndex((classes) => classes.includes(label));
  const others = tasks.flatMap((_, task) => (task === own ? [] : [task]));
  const shuffled = Random.of(seed, 'blurry', label).shuffle([...indices]);
  const away = Math.round(blurry * indices.length);
  const byTask = tasks.map((): number[] => []);
  for (const [i, index] of shuffled.entries())
    byTask[i < away ? (others[i % others.length] as number) : own]?.push(index);
  for (const list of byTask) list.sort((a, b) => a - b);
  return byTask;
}
