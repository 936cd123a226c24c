/**
 * Whole training steps: forward, cross entropy, backward and SGD with momentum on one batch of 32×32×3 images.
 *
 * Counted are the convolutions and the classifier: 2·batch·(kernel height·kernel width·in·out)·(output pixels) a layer,
 * three times (output, weight gradient, input gradient), but twice for the first layer, whose input has no gradient.
 */
import { crossEntropy, denseKD, type Engine, type Tensor } from '../../src/index.ts';
import { createResNet, type ResNet, type ResNetName } from '../../src/nn/resnet.ts';
import { GradScaler } from '../../src/optim/grad-scaler.ts';
import { SGD } from '../../src/optim/sgd.ts';
import type { FloatType } from '../../src/tensor/dtype.ts';
import { labels, noise, type Work, type WorkCase } from '../bench-case.ts';

const SIZE = 32;
const CLASSES = 10;

/** @param size height and width of the images. */
export function stepFlops(model: ResNet, batch: number, size = SIZE): number {
  let total = 0;
  for (const { name, tensor } of model.namedParameters()) {
    const stage = Number(/^layer(\d)/.exec(name)?.[1] ?? 1);
    const pixels = tensor.rank === 4 ? Math.ceil(size / 2 ** (stage - 1)) ** 2 : tensor.rank === 2 ? 1 : 0;
    total += 2 * batch * tensor.size * pixels * (name === 'conv1.weight' ? 2 : 3);
  }
  return total;
}

export interface StepOptions {
  classes?: number;
  /** Height and width of the images. */
  size?: number;
  /** Channels of the first stage; the network's own by default. */
  width?: number;
  /** Of the activations; with f16 the loss is scaled, as the trainer does. */
  precision?: FloatType;
  /** Added to the cross entropy. */
  extra?: (logits: Tensor) => Tensor;
}

/** A model and its optimizer; `run` takes one step and gives the loss before it. */
export function trainingStep(
  engine: Engine,
  name: ResNetName,
  batch: number,
  { classes = CLASSES, size = SIZE, width, precision = 'f32', extra }: StepOptions = {},
): Work {
  const model = createResNet(engine, name, { classes, seed: 1, precision, ...(width ? { width } : {}) });
  const optimizer = new SGD(model, { lr: 0.01, momentum: 0.9 });
  const scaler = precision === 'f16' ? new GradScaler(engine) : null;
  const images = noise(engine, [batch, size, size, 3]);
  const targets = labels(engine, batch, classes);
  return {
    flops: stepFlops(model, batch, size),
    isStep: true,
    run() {
      optimizer.zeroGrad();
      const logits = model.forward(images);
      const learnt = crossEntropy(logits, targets);
      const loss = extra ? learnt.add(extra(logits)) : learnt;
      (scaler ? scaler.scale(loss) : loss).backward();
      if (scaler) scaler.step(optimizer);
      else optimizer.step();
      scaler?.update();
      return loss;
    },
    dispose() {
      optimizer.zeroGrad();
      optimizer.dispose();
      scaler?.dispose();
      model.dispose();
    },
  };
}

/** As {@link trainingStep}, with distillation of nine old tasks of ten classes added; the old model's logits are given. */
function distilledStep(engine: Engine, name: ResNetName, batch: number, pool: 'whole' | 'dense'): Work {
  const taskSizes = new Array<number>(9).fill(10);
  const teacher = noise(engine, [batch, 90], 1);
  return trainingStep(engine, name, batch, {
    classes: 100,
    extra: (logits) => denseKD(logits, teacher, { taskSizes, pool }),
  });
}

/** As the trainer takes steps: recorded once and replayed. */
export const captured = (work: Work): Work => ({ ...work, captured: true });

const distilled = (pool: 'whole' | 'dense'): WorkCase => ({
  name: `train-step/resnet20/b64/${pool}`,
  ...(pool === 'whole' ? {} : { versus: 'train-step/resnet20/b64/whole' }),
  prepare: (engine) => captured(distilledStep(engine, 'resnet20', 64, pool)),
});

export const trainCases: readonly WorkCase[] = [
  ...(['resnet8', 'resnet20'] as const).flatMap((name): WorkCase[] => [
    { name: `train-step/${name}/b32`, prepare: (engine) => captured(trainingStep(engine, name, 32)) },
    {
      name: `train-step/${name}/b32/eager`,
      versus: `train-step/${name}/b32`,
      prepare: (engine) => trainingStep(engine, name, 32),
    },
    {
      name: `train-step/${name}/b32/f16`,
      versus: `train-step/${name}/b32`,
      needs: 'shader-f16',
      prepare: (engine) => captured(trainingStep(engine, name, 32, { precision: 'f16' })),
    },
  ]),
  // Small enough for a page without a GPU.
  {
    name: 'train-step/resnet20/b8',
    onlyNamed: true,
    prepare: (engine) => captured(trainingStep(engine, 'resnet20', 8)),
  },
  distilled('whole'),
  distilled('dense'),
];
