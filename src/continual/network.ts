/** A network of a user's own in the place of a ResNet: what makes its features, and the classifier that grows behind them. */
import type { ImageFormat } from '../data/image-bytes.ts';
import { CheckpointError, ConfigError, EngramError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { growLinear } from '../nn/head.ts';
import { Linear } from '../nn/layers.ts';
import { Module } from '../nn/module.ts';
import type { Engine } from '../tensor/engine.ts';
import { Random } from '../tensor/random.ts';
import { show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { received } from './expected.ts';
import type { LearnerSettings } from './learner-settings.ts';
import type { IncrementalModel, LinearModel, Method, Outputs } from './method.ts';
import { isName } from './names.ts';
import { isNetworkName, namedNetwork } from './networks.ts';
import type { Settings } from './setting.ts';

/** What a network makes of images before its classifier, f32: the maps on the way are what PODNet holds still. */
export type NetworkFeatures = Omit<Outputs, 'logits'>;

/** The part of a network before its classifier, as methods use it. */
export interface Extractor extends Module {
  /** Numbers of a feature vector. */
  readonly featureSize: number;
  /** Features [n, featureSize] of images [n, h, w, c]. */
  features(images: Tensor): Tensor;
  /** These with the maps on the way. */
  outputs(images: Tensor): NetworkFeatures;
}

/** What a network is built from. */
export interface NetworkContext {
  readonly engine: Engine;
  /** Size and channels of the images. */
  readonly images: ImageFormat;
  /** The learner's settings: `seed`, `precision`, `gradientCheckpointing`, `width` for what can make use of them. */
  readonly training: LearnerSettings;
  /** Whether features should end in a ReLU; cosine classifiers want those of either sign. A network may leave it as it is. */
  readonly lastRelu: boolean;
}

/** Features of images: a module with the length of its vectors. */
export type Backbone = Module & {
  /** Numbers of a feature vector. */
  readonly featureSize: number;
  /** The maps on the way too, for methods that look at them: PODNet alone of the built-in ones. */
  outputs?(images: Tensor): NetworkFeatures;
};

/** A network for learners. */
export interface Network {
  /** Learners are recorded under it, and loaded by it. */
  readonly name: string;
  /**
   * Features [n, featureSize] of images [n, h, w, c], f32. Called whenever a model of the same history is built: what it draws must follow from the
   * seed.
   */
  backbone(context: NetworkContext): Backbone;
  /** The classifier of so many classes over so many features; by default as PyTorch initialises it. Those added later start so. */
  head?(engine: Engine, featureSize: number, classes: number, random: Random): Linear;
}

/** Gives a network its type. */
export const defineNetwork = (network: Network): Network => network;

/**
 * A method that trains a network of the user's own, for who takes methods and no learner's settings: a `Benchmark`, or a method's file on a command
 * line. It is called after both, `fdkd+patches`, and the setting `model` is the network's name.
 * @example export default withNetwork(fdkd, patches); // mine.js, for engram train --method ./mine.js
 */
export const withNetwork = <S extends Settings, M extends IncrementalModel>(
  method: Method<S, M>,
  network: Network,
): Method<S, M> => ({ ...method, name: `${method.name}+${network.name}`, network });

/** @throws {ConfigError} for what is no network, or is called as a built-in one. */
export function checkNetwork(network: unknown): asserts network is Network {
  const refuse = (message: string, fix: string) => new ConfigError({ where: 'model', message, fix });
  if (typeof network !== 'object' || network === null) {
    throw refuse(`${received(network)} was given, which is no network.`, 'Give a name, or what defineNetwork() makes.');
  }
  const { name, backbone, head } = network as Partial<Network>;
  if (typeof name !== 'string' || !isName(name)) {
    throw refuse(
      `a network of your own is called ${received(name)}.`,
      'Give it a name of letters and digits, with ".", "_", "+" and "-" between them.',
    );
  }
  if (isNetworkName(name) && namedNetwork(name) !== network) {
    throw refuse(
      `a network of your own is called "${name}" as a built-in one is: its learners would pass for the other's.`,
      'Give it another name.',
    );
  }
  if (typeof backbone !== 'function' || (head !== undefined && typeof head !== 'function')) {
    throw refuse(
      `the network "${clipped(name)}" has no function ${typeof backbone === 'function' ? 'head' : 'backbone'}().`,
      'A network is an object { name, backbone, head? }; see defineNetwork().',
    );
  }
}

/**
 * Whether a saved learner's network is the one that it is loaded with.
 * @param name as it is in the file.
 * @throws {CheckpointError} when that is another, or missing.
 * @throws {ConfigError} when it is no network.
 */
export function checkSavedNetwork(name: unknown, given: Network | undefined, where: string): void {
  if (given) checkNetwork(given);
  if (given ? given.name === name : typeof name !== 'string' || isNetworkName(name)) return;
  throw new CheckpointError({
    where,
    message: `this learner's network is "${clipped(String(name))}", ${given ? `not "${clipped(given.name)}"` : 'which is one of its own'}.`,
    fix: 'Load it with the network it was made with, itself: { model: network }.',
  });
}

/** A backbone of one's own, with what methods ask of one. */
export class OwnExtractor extends Module implements Extractor {
  constructor(
    readonly net: Backbone,
    private readonly network: string,
  ) {
    super(net.engine);
  }

  get featureSize(): number {
    return this.net.featureSize;
  }

  features(images: Tensor): Tensor {
    return this.checked(this.net.forward(images));
  }

  outputs(images: Tensor): NetworkFeatures {
    if (!this.net.outputs) return { features: this.features(images), stages: [] };
    const { features, stages } = this.net.outputs(images);
    return { features: this.checked(features), stages };
  }

  forward(images: Tensor): Tensor {
    return this.features(images);
  }

  private checked(features: Tensor): Tensor {
    const { shape, dtype } = features;
    if (shape.length === 2 && shape[1] === this.featureSize && dtype === 'f32') return features;
    throw new ConfigError({
      where: `network "${this.network}"`,
      message: `its backbone gave ${dtype}${show(shape)}; f32[n, ${this.featureSize}] was expected, by its featureSize.`,
      fix: 'Pool what it makes of an image into one vector, and cast f16 to f32.',
    });
  }
}

/** @throws {ConfigError} when the network fails, and for what is no backbone; whatever the engine throws in it. */
export function ownExtractor(network: Network, context: NetworkContext): OwnExtractor {
  const where = `network "${network.name}"`;
  let net: Backbone;
  try {
    net = network.backbone(context);
  } catch (cause) {
    // Errors of the engine say where they are from already.
    if (cause instanceof EngramError) throw cause;
    throw new ConfigError({
      where,
      message: `backbone() threw ${cause instanceof Error ? cause.message : received(cause)}`,
      fix: 'Correct the network; the cause of this error has the place.',
      cause,
    });
  }
  if (!(net instanceof Module) || !(Number.isInteger(net.featureSize) && net.featureSize > 0)) {
    throw new ConfigError({
      where,
      message: `backbone() gave ${net instanceof Module ? `a module with ${received(net.featureSize)} features` : received(net)}.`,
      fix: 'Return a module with a field featureSize, the numbers of a feature vector.',
    });
  }
  return new OwnExtractor(net, network.name);
}

/** A network of one's own with a linear classifier. */
export class OwnModel extends Module implements LinearModel {
  /** As it was given, so that names of tensors are its own. */
  readonly backbone: Backbone;
  fc: Linear;
  readonly #extractor: OwnExtractor;

  constructor(
    extractor: OwnExtractor,
    private readonly network: Network,
    readonly inChannels: number,
    { classes, seed }: { readonly classes: number; readonly seed: number },
  ) {
    super(extractor.engine);
    this.#extractor = extractor;
    this.backbone = extractor.net;
    this.fc = this.newHead(classes, Random.of(seed, 'head', classes));
  }

  private newHead(classes: number, random: Random): Linear {
    const { engine, featureSize, network } = this;
    return network.head?.(engine, featureSize, classes, random) ?? new Linear(engine, featureSize, classes, { random });
  }

  get classes(): number {
    return this.fc.outFeatures;
  }

  get featureSize(): number {
    return this.backbone.featureSize;
  }

  forward(images: Tensor): Tensor {
    return this.fc.forward(this.features(images));
  }

  features(images: Tensor): Tensor {
    return this.#extractor.features(images);
  }

  outputs(images: Tensor): Outputs {
    const outputs = this.#extractor.outputs(images);
    return { ...outputs, logits: this.fc.forward(outputs.features) };
  }

  grow(classes: number, seed: number): void {
    const all = this.classes + classes;
    const random = Random.of(seed, 'head', all);
    this.fc = growLinear(this.fc, all, random, (added) => this.newHead(added, random));
  }
}
