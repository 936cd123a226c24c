/** The networks that learners know by name: ResNets, and those that are none. */
import { ConfigError } from '../errors.ts';
import { checkImages, Dropout, type Sequential } from '../nn/layers.ts';
import { MobileNetV2, mobileNetClassifier } from '../nn/mobilenet.ts';
import { Module } from '../nn/module.ts';
import { isResNetName, KNOWN_RESNETS, type ResNetName } from '../nn/resnet.ts';
import { isWideResNet, type WideBackboneOptions, WideResNetBackbone } from '../nn/wide-resnet.ts';
import { globalAvgPool } from '../ops/pooling.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Network, NetworkFeatures } from './network.ts';
import { named as said } from './setting-name.ts';

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

  /** Features, and the last map of each size of images. */
  outputs(x: Tensor): NetworkFeatures {
    checkImages('MobileNetV2', x, this.channels);
    const stages: Tensor[] = [];
    const last = this.features.modules.reduce((map, layer) => {
      const next = layer.forward(map);
      if (map !== x && next.shape[1] !== map.shape[1]) stages.push(map);
      return next;
    }, x);
    return { features: this.pooled(last), stages: [...stages, last] };
  }

  forward(x: Tensor): Tensor {
    checkImages('MobileNetV2', x, this.channels);
    return this.pooled(this.features.forward(x));
  }

  private pooled(map: Tensor): Tensor {
    return this.dropout.forward(globalAvgPool(map));
  }
}

const MOBILE_NET = 'mobilenet_v2';
const DROPOUT = 0.2;

/** What is not as its name says is called otherwise: learners are recorded and loaded by it. */
const named = (name: string, dropout: number, usual: number): string =>
  dropout === usual ? name : `${name}-dropout${dropout}`;

const mobile = (dropout: number): Network => ({
  name: named(MOBILE_NET, dropout, DROPOUT),
  backbone({ engine, images: { channels }, training: { width, seed } }) {
    const net = new MobileNetV2(engine, {
      classes: 1,
      inChannels: channels,
      seed,
      ...(width > 0 ? { width: width / 32 } : {}),
    });
    return new MobileFeatures(net, channels, dropout);
  },
  head: mobileNetClassifier,
});

/** Channels of a wide ResNet's first stage, times `widen`. */
const WIDE_STEP = 16;

function wide(depth: number, widen: number, dropout: number): Network {
  const name = named(`wide_resnet${depth}_${widen}`, dropout, 0);
  return {
    name,
    backbone({ engine, images: { channels }, training: { width, seed } }) {
      if (width % WIDE_STEP !== 0) {
        throw new ConfigError({
          where: 'network',
          message: `the first stage of ${name} has a multiple of ${WIDE_STEP} channels, not ${width}.`,
          fix: `Give a multiple of ${WIDE_STEP} for ${said('width')}, or leave it out.`,
        });
      }
      const own = width > 0 ? width / WIDE_STEP : widen;
      return new WideResNetBackbone(engine, { depth, dropout, widen: own, inChannels: channels, seed });
    },
  };
}

/** Those that are made once: a name leads to one network, whoever asks for it. */
const made = new Map<string, Network>();

function makeNamed(name: string): Network | null {
  if (name === MOBILE_NET) return mobile(DROPOUT);
  const [, depth, widen] = (/^wide_resnet([1-9]\d*)_([1-9]\d*)$/.exec(name) ?? []).map(Number);
  return isWideResNet(depth, widen) ? wide(depth as number, widen as number, 0) : null;
}

/** The network of a name, where a learner knows it and it is no ResNet. */
export function namedNetwork(name: string): Network | null {
  const network = made.get(name) ?? makeNamed(name);
  if (network) made.set(name, network);
  return network;
}

/** What the publication's code calls a tensor of a learner's network, whose features and classifier a learner has beside each other. */
export function publishedName(network: string, tensor: string): string {
  if (!namedNetwork(network)) return tensor;
  const name = tensor.replace(/^backbone\./, '');
  return network === MOBILE_NET ? name.replace(/^fc\./, 'classifier.1.') : name;
}

/** A name that a learner's setting `model` takes: a ResNet's, `mobilenet_v2`, or `wide_resnet<6n + 4>_<widen>`, such as `wide_resnet28_10`. */
export type NetworkName = ResNetName | 'mobilenet_v2' | `wide_resnet${number}_${number}`;

/** Whether a learner knows a network by that name. */
export const isNetworkName = (name: string): name is NetworkName => isResNetName(name) || namedNetwork(name) !== null;

/** Names in a sentence. */
export const KNOWN_NETWORKS = `${KNOWN_RESNETS}, ${MOBILE_NET} or wide_resnet16_4, wide_resnet28_10, … of depth 6n + 4`;

/**
 * MobileNetV2 for a learner, whose images it halves five times; a learner's `width` is its first layer's channels, 32 by default.
 * @param options `dropout`: probability of dropping a feature before the classifier. With the usual 0.2 it is what the name
 * `mobilenet_v2` stands for; with another it is called after it too, `mobilenet_v2-dropout0.5`.
 * @example await ContinualLearner.create(engine, { model: mobileNetV2({ dropout: 0.5 }), method: 'fdkd' })
 */
export function mobileNetV2({ dropout = DROPOUT }: { readonly dropout?: number } = {}): Network {
  const network = mobile(dropout);
  return namedNetwork(network.name) ?? network;
}

/**
 * A wide ResNet for a learner, WideResNet-28-10 by default; a learner's `width`, the channels of the first stage, takes the place of `widen`: 16 times as
 * many.
 * @param options `depth`, 6n + 4; `widen`; `dropout` within blocks, 0 by default. Without dropout it is what its name stands for, such as
 * `wide_resnet16_4`; with it it is called after that too, `wide_resnet16_4-dropout0.3`.
 * @example await ContinualLearner.create(engine, { model: wideResNet({ depth: 16, widen: 4, dropout: 0.3 }), method: 'fdkd' })
 */
export function wideResNet({
  depth = 28,
  widen = 10,
  dropout = 0,
}: Pick<WideBackboneOptions, 'depth' | 'widen' | 'dropout'> = {}): Network {
  const network = wide(depth, widen, dropout);
  return namedNetwork(network.name) ?? network;
}
