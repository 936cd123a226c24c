/** The workload of the browser story: a little training whose losses can be compared between hosts. */

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
