/** What is known to fail, or to do nothing, before the first step: said then, and not some tasks later. */
import { classIndices, type DatasetSplit } from '../../data/dataset.ts';
import { ConfigError, DataError } from '../../errors.ts';
import type { ContinualLearner } from '../learner.ts';
import { noticesOf } from '../method-checks.ts';
import { epochsOf } from '../recipe.ts';
import { checkImageSettings, checkTraining } from '../training-checks.ts';
import type { Scenario } from './scenario.ts';

export interface Plan {
  readonly learner: ContinualLearner;
  readonly scenario: Scenario;
  /** Cut down as configured. */
  readonly split: DatasetSplit;
}

/**
 * @returns what a user should know before the run.
 * @throws {ConfigError | DataError | ArgumentError} for the first thing that cannot work.
 */
export function checkPlan({ learner, scenario, split }: Plan): readonly string[] {
  const { method, training, methodSettings } = learner;
  checkData(scenario, split);
  if (method.keeps === 'exemplars' && training.selection !== 'reservoir')
    learner.memory.quota(scenario.classOrder.length, split.train);
  checkImageSettings(training, split.train);
  checkTraining(
    training,
    scenario.tasks.map((_, task) => epochsOf(training, task)),
  );
  return noticesOf(method, methodSettings, { taskSizes: scenario.taskSizes, training });
}

function checkData(scenario: Scenario, { train, test }: DatasetSplit): void {
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
