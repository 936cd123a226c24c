/** The workloads of the browser story: little trainings whose losses can be compared between hosts. */

import type * as Continual from '../../src/entries/continual.ts';
import type * as Engram from '../../src/index.ts';

export interface TenSteps {
  /** Mean cross entropy before each step. */
  losses: number[];
  adapter: string;
}

/**
 * Ten training steps of ResNet-8 on one seeded batch of 8 images, 32×32×3, run anew each time or captured and replayed. Runs
 * as it stands in Node, and as text in a page: it may use nothing but its arguments, the library among them.
 */
export async function tenSteps(
  { Engine, SGD, capture, createResNet, crossEntropy }: typeof Engram,
  captured: boolean,
): Promise<TenSteps> {
  const engine = await Engine.create();
  const model = createResNet(engine, 'resnet8', { classes: 10, seed: 1 });
  const optimizer = new SGD(model, { lr: 0.05, momentum: 0.9, weightDecay: 5e-4 });
  const images = engine.normal([8, 32, 32, 3], { from: { seed: 2 } });
  const targets = engine.tensor(Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7));
  const step = () => {
    const mean = crossEntropy(model.forward(images), targets);
    mean.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return mean;
  };
  const train = captured ? capture(engine, step) : () => engine.scope(step);
  const losses: number[] = [];
  for (let i = 0; i < 10; i++) {
    const loss = train();
    losses.push(await loss.item());
    loss.dispose();
  }
  const adapter = engine.adapterDescription;
  await engine.destroy();
  return { losses, adapter };
}

/** The loss of every step in which a learner learns two tasks of two classes, images and all else from seeds. As {@link tenSteps}. */
export async function twoTasks({ Engine, ContinualLearner }: typeof Engram & typeof Continual): Promise<number[]> {
  const engine = await Engine.create();
  const settings = { method: 'fdkd', width: 8, epochs: 2, batch: 8, memory: 8, lr: 0.05, crop: 1, rotate: 10, seed: 3 };
  const learner = await ContinualLearner.create(engine, settings as Continual.LearnerOptions);
  const stripes = (period: number) => ({
    data: Uint8Array.from({ length: 12 * 256 }, (_, at) => 128 + 100 * Math.sin(((at % 16) + (at >> 8)) / period)),
    shape: [12, 16, 16, 1],
  });
  const losses: number[] = [];
  for (const task of [
    { fine: stripes(0.5), wide: stripes(2) },
    { wider: stripes(4), widest: stripes(8) },
  ]) {
    for await (const event of learner.learn(task)) if (event.type === 'step') losses.push(event.loss);
  }
  await engine.destroy();
  return losses;
}
