/** What is known to fail, or to do nothing, before the first step: said then, and not some tasks later. */
import { checkAugmentation } from '../data/augment.ts';
import { classIndices, type DatasetSplit } from '../data/dataset.ts';
import { ConfigError, DataError } from '../errors.ts';
import type { RunConfig } from './config.ts';
import { augmentationOf } from './images.ts';
import { ExemplarMemory } from './memory.ts';
import type { Method } from './method.ts';
import { epochsOf } from './recipe.ts';
import type { Scenario } from './scenario.ts';

export interface Plan {
  readonly config: RunConfig;
  readonly method: Method;
  readonly scenario: Scenario;
  /** Cut down as configured. */
  readonly split: DatasetSplit;
}

/** @throws {ConfigError | DataError | ArgumentError} for the first thing that cannot work. */
export function checkPlan(plan: Plan): void {
  const { config, method, scenario } = plan;
  checkData(plan);
  if (method.data === 'memory') {
    const { memory: total, memoryPerClass: perClass } = config;
    new ExemplarMemory({ total, perClass }).quota(scenario.classOrder.length);
  }
  checkImages(plan);
  checkRates(plan);
  if (config.stem === 'imagenet' && !['resnet18', 'resnet34'].includes(config.model)) {
    throw new ConfigError({
      where: 'network',
      message: `${config.model} has no stem to choose: "imagenet" is for resnet18 and resnet34.`,
      fix: 'Leave --stem out, or use another --model.',
    });
  }
  method.check?.(config, scenario);
}

function checkData({ scenario, split: { train, test } }: Plan): void {
  const sizes = [train, test].map(({ height, width, channels }) => `${height}×${width}×${channels}`);
  if (sizes[0] !== sizes[1] || train.classes !== test.classes) {
    throw new DataError({
      where: train.name,
      message: `the training images are ${sizes[0]} of ${train.classes} classes, the test images ${sizes[1]} of ${test.classes}.`,
      fix: 'Use two parts of one data set.',
    });
  }
  const [trained, tested] = [classIndices(train), classIndices(test)];
  const empty = scenario.classOrder.find((label) => trained[label]?.length === 0 || tested[label]?.length === 0);
  if (empty !== undefined) {
    throw new ConfigError({
      where: 'scenario',
      message: `class ${empty} has no images in ${train.name}.`,
      fix: 'Leave it out of the class order, or use data that has it.',
    });
  }
}

function checkImages({ config, split: { train } }: Plan): void {
  checkAugmentation(augmentationOf(config));
  const { height, width } = train;
  if (config.crop > 0 && config.crop >= Math.min(height, width)) {
    throw new ConfigError({
      where: 'augmentation',
      message: `a crop by up to ${config.crop} pixels can leave nothing of images of ${height}×${width}.`,
      fix: `Use --crop ${Math.min(height, width) - 1} or less; an eighth of the size is usual.`,
    });
  }
}

/** Settings of the rate and the optimizer that the run would never come to. */
function checkRates({ config, scenario }: Plan): void {
  const { schedule, milestones, warmup, nesterov, optimizer, momentum } = config;
  const epochs = scenario.tasks.map((_, task) => epochsOf(config, task));
  const wrong = (message: string, fix: string) => new ConfigError({ where: 'training', message, fix });
  const [fewest, most] = [Math.min(...epochs), Math.max(...epochs)];
  if (warmup > 0 && warmup >= fewest) {
    throw wrong(
      `the rate rises over ${warmup} epochs, but there is a task of ${fewest}: it would never be reached.`,
      'Use a shorter --warmup or more --epochs.',
    );
  }
  if (schedule !== 'step' && milestones.length > 0) {
    throw wrong(
      `the schedule "${schedule}" has no milestones.`,
      'Use --schedule step with them, or leave --milestones out.',
    );
  }
  if (schedule === 'step' && milestones.length === 0) {
    throw wrong(
      'the schedule "step" has no milestones: the rate would never change.',
      'Give --milestones, such as 10,20, or use --schedule constant.',
    );
  }
  const late = milestones.find((milestone) => milestone + warmup >= most);
  if (late !== undefined) {
    throw wrong(
      `milestone ${late}${warmup > 0 ? `, counted from the ${warmup} epochs of warm-up on,` : ''} is never reached in ${most} epochs.`,
      'Use earlier --milestones or more --epochs.',
    );
  }
  if (nesterov && (optimizer !== 'sgd' || momentum === 0)) {
    throw wrong(
      `Nesterov's momentum is for sgd with a momentum above 0, not for ${optimizer} with ${momentum}.`,
      'Leave --nesterov out.',
    );
  }
}
