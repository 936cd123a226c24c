/** The workload of the browser story: a little training whose losses can be compared between hosts. */

import type * as Engram from '../../src/index.ts';

export interface TenSteps {
  /** Mean cross entropy before each step. */
  losses: number[];
  adapter: string;
}

/**
 * Ten training steps of ResNet-8 on one seeded batch of 8 images, 32×32×3. Runs as it stands in Node, and as text in a
 * page: it may use nothing but its argument, the library.
 */
export async function tenSteps({ Engine, SGD, createResNet, crossEntropy }: typeof Engram): Promise<TenSteps> {
  const engine = await Engine.create();
  const model = createResNet(engine, 'resnet8', { classes: 10, seed: 1 });
  const optimizer = new SGD(model, { lr: 0.05, momentum: 0.9, weightDecay: 5e-4 });
  const images = engine.normal([8, 32, 32, 3], { from: { seed: 2 } });
  const targets = engine.tensor(Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7));
  const losses: number[] = [];
  for (let step = 0; step < 10; step++) {
    const loss = engine.scope(() => {
      optimizer.zeroGrad();
      const mean = crossEntropy(model.forward(images), targets);
      mean.backward();
      optimizer.step();
      return mean;
    });
    losses.push(await loss.item());
    loss.dispose();
  }
  const adapter = engine.adapterDescription;
  await engine.destroy();
  return { losses, adapter };
}
