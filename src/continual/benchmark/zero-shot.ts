/** How well a task is told before it is learnt: what forward transfer is made of. */
import { type Images, joinLots } from '../../data/stored-images.ts';
import { ArgumentError } from '../../errors.ts';
import { labelsOf } from '../class-images.ts';
import type { ContinualLearner } from '../learner.ts';
import { ExemplarMemory } from '../memory.ts';
import type { IncrementalModel } from '../method.ts';
import { buildModel, grownCopy } from '../model.ts';
import { Predictions } from '../predictions.ts';
import type { ZeroShot } from './metrics/transfer.ts';
import type { ImagesByClass } from './task-stream.ts';

export interface NextTask {
  /** Names of its classes, those that are known included, in the order in which they are given. */
  readonly brings: Iterable<string>;
  /** Its test images. */
  readonly tests: ImagesByClass<Images>;
}

/**
 * Tests a task that is not learnt yet, on a copy with room for its classes, and on a network of the same history as
 * initialised: nothing of the learner is changed. By the classifiers, as a method's own prediction may want exemplars; among the
 * classes that came with the right one.
 * @throws {ArgumentError} before the first task is learnt.
 */
export async function zeroShot(learner: ContinualLearner, { brings, tests }: NextTask): Promise<ZeroShot> {
  const { engine, method, training, methodSettings: settings, model, classes, network, imageFormat: format } = learner;
  if (!model || !format) {
    throw new ArgumentError({ where: 'zeroShot', message: 'nothing has been learnt yet.', fix: 'Learn a task first.' });
  }
  const added = [...brings].filter((name) => !classes.includes(name));
  const names = [...classes, ...added];
  const taskSizes = added.length > 0 ? [...learner.taskSizes, added.length] : learner.taskSizes;
  const images = joinLots([...tests.values()], 'zeroShot');
  const labels = labelsOf(tests, names);
  const { predictor: _own, ...byLogits } = method;
  // No head asks for exemplars.
  const memory = new ExemplarMemory({ total: 0 });
  const right = async (one: IncrementalModel): Promise<number> => {
    const predictions = new Predictions({ engine, method: byLogits, settings, model: one, format, memory });
    try {
      const { withinTask } = await predictions.answers(images, { labels, taskSizes, heads: false });
      return labels.reduce((total, label, image) => total + (withinTask[image] === label ? 1 : 0), 0);
    } finally {
      predictions.dispose(() => one.dispose());
    }
  };
  const context = { engine, training, settings, network, images: format };
  // One after the other: there may be no room for both.
  const before = await right(grownCopy(method, context, { model, taskSizes: learner.taskSizes }, added.length));
  const untrained = await right(buildModel(method, context, taskSizes));
  return { images: images.count, before, untrained };
}
