/** The training step that commands measure. */
import { backward } from '../autograd/tape.ts';
import { learnerSettings } from '../continual/learner-settings.ts';
import { defaultModel } from '../continual/model.ts';
import { isNetworkName, KNOWN_NETWORKS } from '../continual/networks.ts';
import { readSettings } from '../continual/setting.ts';
import { checkNetworkSettings } from '../continual/training-checks.ts';
import { ConfigError } from '../errors.ts';
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
  if (!isNetworkName(name)) {
    throw new ConfigError({
      where: '--model',
      message: `unknown network "${name}".`,
      fix: `Choose ${KNOWN_NETWORKS}.`,
    });
  }
  const settings = { model: name, precision, ...(width ? { width } : {}) };
  const training = readSettings(learnerSettings, settings, '--model', 'a training step');
  checkNetworkSettings(training);
  const model = defaultModel({ engine, images: { height: size, width: size, channels }, training, classes });
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
