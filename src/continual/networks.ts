/** Networks that are no ResNets, for learners. */
import { checkImages, Dropout, type Sequential } from '../nn/layers.ts';
import { MobileNetV2, mobileNetClassifier } from '../nn/mobilenet.ts';
import { Module } from '../nn/module.ts';
import { type WideBackboneOptions, WideResNetBackbone } from '../nn/wide-resnet.ts';
import { globalAvgPool } from '../ops/pooling.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { defineNetwork, type Network } from './network.ts';

/** MobileNetV2 up to its classifier, under torchvision's names. */
class MobileFeatures extends Module {
  readonly features: Sequential;
  readonly featureSize: number;
  private readonly dropout: Dropout;

  constructor(
    { engine, features, featureSize, classifier }: MobileNetV2,
    private readonly channels: number,
    dropout: number,
  ) {
    super(engine);
    this.features = features;
    this.featureSize = featureSize;
    this.dropout = new Dropout(engine, dropout);
    classifier.dispose();
  }

  forward(x: Tensor): Tensor {
    checkImages('MobileNetV2', x, this.channels);
    return this.dropout.forward(globalAvgPool(this.features.forward(x)));
  }
}

/**
 * MobileNetV2 for a learner, whose images it halves five times; a learner's `width` is its first layer's channels, 32 by default.
 * @param options `dropout`: probability of dropping a feature before the classifier, 0.2 by default.
 * @example await ContinualLearner.create(engine, { model: mobileNetV2(), method: 'fdkd' })
 */
export const mobileNetV2 = ({ dropout = 0.2 }: { readonly dropout?: number } = {}): Network =>
  defineNetwork({
    name: 'mobilenet_v2',
    backbone({ engine, images: { channels }, training: { width, seed } }) {
      const net = new MobileNetV2(engine, {
        classes: 1,
        inChannels: channels,
        seed,
        width: width > 0 ? width / 32 : 1,
      });
      return new MobileFeatures(net, channels, dropout);
    },
    head: mobileNetClassifier,
  });

/**
 * A wide ResNet for a learner, WideResNet-28-10 by default; a learner's `width`, the channels of the first stage, takes the place of `widen`: 16 times as
 * many.
 * @param options `depth`, 6n + 4; `widen`; `dropout` within blocks, 0 by default.
 * @example await ContinualLearner.create(engine, { model: wideResNet({ depth: 16, widen: 4 }), method: 'fdkd' })
 */
export const wideResNet = (options: Pick<WideBackboneOptions, 'depth' | 'widen' | 'dropout'> = {}): Network => {
  const { depth = 28, widen = 10 } = options;
  return defineNetwork({
    name: `wide_resnet${depth}_${widen}`,
    backbone({ engine, images: { channels }, training: { width, seed } }) {
      const own = width > 0 ? width / 16 : widen;
      return new WideResNetBackbone(engine, { ...options, widen: own, inChannels: channels, seed });
    },
  });
};
