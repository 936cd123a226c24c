/** What is known to fail, or to do nothing, before the first step: said then, and not some tasks later. */
import { listed } from '../../data/class-folders.ts';
import {
  type AnyDataset,
  classIndices,
  className,
  type DatasetSplit,
  domainCount,
  domainName,
} from '../../data/dataset.ts';
import { ConfigError, DataError } from '../../errors.ts';
import { clipped } from '../../gpu/printable.ts';
import type { ContinualLearner } from '../learner.ts';
import { checkRoom } from '../memory-use.ts';
import { noticesOf } from '../method-checks.ts';
import { epochsOf } from '../recipe.ts';
import { named } from '../setting-name.ts';
import { checkImageSettings, checkTraining } from '../training-checks.ts';
import type { Scenario } from './scenario.ts';
import type { IndicesByClass, TaskStream } from './task-stream.ts';

/**
 * @param learner what is to learn the stream.
 * @returns what a user should know before the run.
 * @throws {ConfigError | DataError | ArgumentError} for the first thing that cannot work.
 */
export function checkPlan(learner: ContinualLearner, stream: TaskStream<AnyDataset>): readonly string[] {
  const { method, training, methodSettings, memory } = learner;
  const { scenario, split } = stream;
  checkData(scenario, split);
  checkTasks(stream);
  checkRoom(memory, { method, training }, scenario.classOrder.length, split.train);
  checkImageSettings(training, split.train);
  checkTraining(
    training,
    scenario.tasks.map((_, task) => epochsOf(training, task)),
  );
  const { newSizes, isShared } = scenario;
  // The last task has all classes before it, and no new one.
  const taskSizes = isShared && stream.length > 1 ? [...newSizes, 0] : newSizes;
  const own = noticesOf(method, methodSettings, { taskSizes, training });
  return [...own, ...scenarioNotices(learner, scenario), ...leftOut(scenario, split.train)];
}

/** Classes that have images and are never learnt: meant in an experiment, and a slip where one is forgotten. */
function leftOut({ classOrder, wholeOrder }: Scenario, train: AnyDataset): string[] {
  const learnt = new Set(classOrder);
  const others = classIndices(train).flatMap(({ length }, label) => (length > 0 && !learnt.has(label) ? [label] : []));
  const ordered = new Set(wholeOrder);
  const parts = [
    ['the class order leaves', others.filter((label) => !ordered.has(label))],
    ['the sizes of tasks leave', others.filter((label) => ordered.has(label))],
  ] as const;
  const told = parts.flatMap(([what, labels]) =>
    labels.length > 0 ? [`${what} out ${listed(labels.map((label) => className(train, label)))}`] : [],
  );
  return told.length > 0
    ? [`${learnt.size} of ${learnt.size + others.length} classes are learnt: ${told.join(', ')}.`]
    : [];
}

/** What a scenario leaves without effect. */
function scenarioNotices(learner: ContinualLearner, scenario: Scenario): string[] {
  const { method, methodSettings, training } = learner;
  const inVain = [
    ...(distilsGroups(learner)
      ? ['all old logits are one group, so that distillation over groups of them is the usual one']
      : []),
    ...('align' in method.settings && methodSettings.align === true
      ? ['alignment leaves the weights as they are']
      : []),
  ];
  return [
    ...(scenario.isShared && scenario.tasks.length > 1 && inVain.length > 0
      ? [`No class is new after the first task: ${inVain.join(', and ')}.`]
      : []),
    ...(scenario.domains === 'permutations' && training.crop > 0
      ? [`Random crops move pixels that a permutation has scattered; ${named('crop', 0)} leaves them where they are.`]
      : []),
  ];
}

/** Whether a method's distillation is one over groups of old tasks: by what it is, or by what takes the place of its own. */
function distilsGroups({ method: { name, settings }, methodSettings }: ContinualLearner): boolean {
  if ('distill' in settings) return methodSettings.distill !== undefined && methodSettings.distill !== 'whole';
  // The settings that the distilling methods share; of these kd has all old classes in one group anyway.
  return 'weighting' in settings && name !== 'kd';
}

function checkData(scenario: Scenario, { train, test }: DatasetSplit<AnyDataset>): void {
  const sizes = [train, test].map(({ height, width, channels }) => `${height}×${width}×${channels}`);
  if (sizes[0] !== sizes[1] || train.classes !== test.classes) {
    throw new DataError({
      where: train.name,
      message: `the training images are ${sizes[0]} of ${train.classes} classes, the test images ${sizes[1]} of ${test.classes}.`,
      fix: 'Use two parts of one data set.',
    });
  }
  for (const [kind, part] of [
    ['training', train],
    ['test', test],
  ] as const) {
    const indices = classIndices(part);
    const empty = scenario.classOrder.find((label) => indices[label]?.length === 0);
    if (empty === undefined) continue;
    throw new ConfigError({
      where: 'scenario',
      message: `class ${clipped(className(part, empty))} has no ${kind} images in ${part.name}; every class needs training and test images.`,
      fix: 'Give it more images, or leave it out of the class order.',
    });
  }
  if (scenario.domains === 'own' && domainCount(test) !== scenario.tasks.length) {
    throw new DataError({
      where: test.name,
      message: `the test images are of ${domainCount(test)} domains, the training images of ${scenario.tasks.length}.`,
      fix: 'Use two parts of one data set.',
    });
  }
}

/** Every task has images of the classes that it is about. */
function checkTasks(stream: TaskStream<AnyDataset>): void {
  const { scenario, split } = stream;
  for (const [task, classes] of scenario.tasks.entries()) {
    const trained = stream.trainIndices(task);
    const without = (indices: IndicesByClass) => classes.find((label) => !indices.get(label)?.length);
    const missing = without(trained) ?? without(stream.testIndices(task));
    if (missing !== undefined) throw noImages(stream, missing, task);
    // Else a class would have another logit than its place in the order.
    const late =
      scenario.blurry > 0 && task === 0 ? scenario.classOrder.find((label) => !trained.has(label)) : undefined;
    if (late === undefined) continue;
    throw new ConfigError({
      where: 'scenario',
      message: `a share of ${scenario.blurry} leaves no image of class ${clipped(className(split.train, late))} for the first task, and boundaries that are blurred have all classes in it.`,
      fix: `Use a larger ${named('blurry')} or more images.`,
    });
  }
}

function noImages({ scenario, split: { train } }: TaskStream<AnyDataset>, label: number, task: number): ConfigError {
  const name = clipped(className(train, label));
  return new ConfigError({
    where: 'scenario',
    ...(scenario.domains === 'own'
      ? {
          message: `class ${name} has no images in ${clipped(domainName(train, task))}; every domain needs training and test images of every class.`,
          fix: 'Leave it out of the class order, or use data that has them.',
        }
      : {
          message: `a share of ${scenario.blurry} leaves class ${name} no image for its own task.`,
          fix: `Use a smaller ${named('blurry')} or more images.`,
        }),
  });
}
