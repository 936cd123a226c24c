/** The training step that commands measure. */
import { backward } from '../autograd/tape.ts';
import { ConfigError } from '../errors.ts';
import { createResNet, isResNetName, KNOWN_NETWORKS } from '../nn/resnet.ts';
import { crossEntropy } from '../ops/cross-entropy.ts';
import { GradScaler } from '../optim/grad-scaler.ts';
import { SGD } from '../optim/sgd.ts';
import type { Engine } from '../tensor/engine.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { StepOptions } from './step-flags.ts';

/**
 * Forward, cross entropy, backward and SGD with momentum on one batch of random images; in f16 with a scaled loss.
 * @throws {ConfigError}
 * @throws {DTypeError} for f16 on a device without it.
 */
export function trainingStep(engine: Engine, options: StepOptions): () => Tensor {
  const { model: name, width, batch, size, channels, classes, precision } = options;
  if (!isResNetName(name)) {
    throw new ConfigError({
      where: '--model',
      message: `unknown network "${name}".`,
      fix: `Choose ${KNOWN_NETWORKS}.`,
    });
  }
  const model = createResNet(engine, name, {
    classes,
    precision,
    inChannels: channels,
    ...(width ? { width } : {}),
  });
  const optimizer = new SGD(model, { lr: 0.01, momentum: 0.9 });
  const scaler = precision === 'f16' ? new GradScaler(engine) : null;
  const images = engine.keep(engine.normal([batch, size, size, channels], { from: { seed: 1 } }));
  const targets = engine.keep(engine.tensor(Int32Array.from({ length: batch }, (_, i) => i % classes)));
  return () => {
    const loss = crossEntropy(model.forward(images), targets);
    backward(scaler ? scaler.scale(loss) : loss);
    if (scaler) scaler.step(optimizer);
    else optimizer.step();
    scaler?.update();
    optimizer.zeroGrad();
    return loss;
  };
}
