/**
 * Whole training steps: forward, cross entropy, backward and SGD with momentum on one batch of 32×32×3 images.
 *
 * Counted are the convolutions and the classifier: 2·batch·(kernel height·kernel width·in·out)·(output pixels) a layer,
 * three times (output, weight gradient, input gradient), but twice for the first layer, whose input has no gradient.
 */
import { crossEntropy, type Engine } from '../src/index.ts';
import { createResNet, type ResNet, type ResNetName } from '../src/nn/resnet.ts';
import { SGD } from '../src/optim/sgd.ts';
import { labels, noise, type Work, type WorkCase } from './bench-case.ts';

const SIZE = 32;
const CLASSES = 10;

function stepFlops(model: ResNet, batch: number): number {
  let total = 0;
  for (const { name, tensor } of model.namedParameters()) {
    const stage = Number(/^layer(\d)/.exec(name)?.[1] ?? 1);
    const pixels = tensor.rank === 4 ? (SIZE / 2 ** (stage - 1)) ** 2 : tensor.rank === 2 ? 1 : 0;
    total += 2 * batch * tensor.size * pixels * (name === 'conv1.weight' ? 2 : 3);
  }
  return total;
}

/** A model and its optimizer; `run` takes one step and gives the loss before it. */
export function trainingStep(engine: Engine, name: ResNetName, batch: number): Work {
  const model = createResNet(engine, name, { classes: CLASSES, seed: 1 });
  const optimizer = new SGD(model, { lr: 0.01, momentum: 0.9 });
  const images = noise(engine, [batch, SIZE, SIZE, 3]);
  const targets = labels(engine, batch, CLASSES);
  return {
    flops: stepFlops(model, batch),
    run() {
      optimizer.zeroGrad();
      const loss = crossEntropy(model.forward(images), targets);
      loss.backward();
      optimizer.step();
      return loss;
    },
    dispose() {
      optimizer.zeroGrad();
      optimizer.dispose();
      model.dispose();
    },
  };
}

export const trainCases: readonly WorkCase[] = (['resnet8', 'resnet20'] as const).map((name) => ({
  name: `train-step/${name}/b32`,
  prepare: (engine) => trainingStep(engine, name, 32),
}));
