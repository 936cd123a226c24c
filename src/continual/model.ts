/** The models that are trained: by default a ResNet, or a network of the user's own, whose linear classifier gets new outputs. */

import { ConfigError } from '../errors.ts';
import { copyModule } from '../nn/copy.ts';
import { createBackbone, createResNet, type ResNetName } from '../nn/resnet.ts';
import type { LearnerSettings } from './learner-settings.ts';
import type { AnyMethod, IncrementalModel, LinearModel, ModelContext } from './method.ts';
import { ownModel } from './method-checks.ts';
import { type Extractor, OwnModel, ownExtractor } from './network.ts';
import { namedNetwork } from './networks.ts';

/** How a learner's network is built, as `createResNet` and `createBackbone` take it: for methods with a model of their own. */
export const networkOptions = (
  { width, stem, init, seed, gradientCheckpointing, precision }: LearnerSettings,
  channels: number,
) => ({
  stem,
  init,
  seed,
  gradientCheckpointing,
  precision,
  inChannels: channels,
  ...(width > 0 ? { width } : {}),
});

/**
 * What the network of a learner is made from.
 * @inline
 */
type Making = Pick<ModelContext, 'engine' | 'images' | 'training' | 'network'>;

/**
 * The part of the learner's network before its classifier, for methods with a classifier of their own; belongs to the caller.
 * @param options `lastRelu`: whether features end in a ReLU, where the network leaves it open. `stages`: that the maps on the way are needed.
 * @throws {ConfigError} when a network of the user's own fails, or gives no maps where they are needed.
 */
export function backboneOf(
  { engine, images, training, network: own }: Making,
  { lastRelu = true, stages = false }: { readonly lastRelu?: boolean; readonly stages?: boolean } = {},
): Extractor {
  const network = own ?? namedNetwork(training.model);
  if (!network)
    return createBackbone(engine, training.model as ResNetName, {
      ...networkOptions(training, images.channels),
      lastRelu,
    });
  const extractor = ownExtractor(network, { engine, images, training, lastRelu });
  if (!stages || extractor.net.outputs) return extractor;
  extractor.dispose();
  throw new ConfigError({
    where: `network "${network.name}"`,
    message: 'its backbone gives no maps on the way to its features, which this method holds still.',
    fix: 'Give the backbone a function outputs(images) that returns { features, stages }, or take another method.',
  });
}

/**
 * What methods train that have no model of their own, for those that build theirs around it; belongs to the caller.
 * @throws {ConfigError} when a network of the user's own fails.
 */
export function defaultModel(context: Making & Pick<ModelContext, 'classes'>): LinearModel {
  const { engine, images, training, classes } = context;
  const network = context.network ?? namedNetwork(training.model);
  const { channels } = images;
  if (!network)
    return createResNet(engine, training.model as ResNetName, { ...networkOptions(training, channels), classes });
  const backbone = ownExtractor(network, { engine, images, training, lastRelu: true });
  return new OwnModel(backbone, network, channels, { classes, seed: training.seed });
}

/** What a model is made from beside its classes. */
export type BuildContext = Omit<ModelContext, 'classes' | 'channels' | 'settings'> & {
  readonly settings: Readonly<Record<string, unknown>>;
};

/**
 * A method's model after tasks of these sizes, its weights as initialised.
 * @param taskSizes classes that each task brought; one at least.
 */
export function buildModel(method: AnyMethod, context: BuildContext, taskSizes: readonly number[]): IncrementalModel {
  const [classes, ...others] = taskSizes as [number, ...number[]];
  const whole = { ...context, channels: context.images.channels, classes } as ModelContext;
  const model = ownModel(method, whole) ?? defaultModel(whole);
  try {
    for (const size of others) model.grow(size, context.training.seed);
  } catch (error) {
    model.dispose();
    throw error;
  }
  return model;
}

/** A copy of a model that came of tasks of these sizes, with room for more classes: their outputs are as initialised. */
export function grownCopy(
  method: AnyMethod,
  context: BuildContext,
  { model, taskSizes }: { readonly model: IncrementalModel; readonly taskSizes: readonly number[] },
  added: number,
): IncrementalModel {
  const copy = buildModel(method, context, taskSizes);
  try {
    copyModule(model, copy);
    if (added > 0) copy.grow(added, context.training.seed);
  } catch (error) {
    copy.dispose();
    throw error;
  }
  return copy;
}
