/** What is known to fail, or to do nothing, before the first step: said then, and not some epochs later. */
import { type Augmentation, checkAugmentation } from '../data/augment.ts';
import type { ImageFormat } from '../data/image-bytes.ts';
import { ConfigError } from '../errors.ts';
import { isTorchvisionName } from '../nn/resnet.ts';
import type { LearnerSettings } from './learner-settings.ts';
import { namedNetwork } from './networks.ts';
import { named } from './setting-name.ts';

export function augmentationOf({ crop, flip, rotate, scale, brightness }: LearnerSettings): Augmentation {
  return { crop, flip, rotate, ...(scale ? { scale } : {}), ...(brightness ? { brightness } : {}) };
}

/** @throws {ConfigError | ArgumentError} for an augmentation that means nothing, or leaves nothing of such images. */
export function checkImageSettings(settings: LearnerSettings, { height, width, channels }: ImageFormat): void {
  checkAugmentation(augmentationOf(settings));
  const { crop, mean, std } = settings;
  if (crop > 0 && crop >= Math.min(height, width)) {
    throw new ConfigError({
      where: 'augmentation',
      message: `a crop by up to ${crop} pixels can leave nothing of images of ${height}×${width}.`,
      fix: `Use ${named('crop', Math.min(height, width) - 1)} or less; an eighth of the size is usual.`,
    });
  }
  const [means, deviations] = [mean?.length ?? channels, std?.length ?? channels];
  if (means !== channels || deviations !== channels) {
    throw new ConfigError({
      where: 'normalisation',
      message: `the images have ${channels} channels, but there are ${means} means and ${deviations} deviations.`,
      fix: 'Give one of each a channel, or leave both out.',
    });
  }
}

/**
 * Settings that the network has no use for.
 * @throws {ConfigError}
 */
export function checkNetworkSettings(settings: LearnerSettings): void {
  const { model, stem, init, precision, gradientCheckpointing } = settings;
  const refuse = (message: string, key: string) =>
    new ConfigError({ where: 'network', message, fix: `Leave ${named(key)} out, or use another ${named('model')}.` });
  if (stem === 'imagenet' && !isTorchvisionName(model)) {
    throw refuse(
      `${model} has no stem to choose: "imagenet" is for torchvision's ResNets, resnet18 and larger.`,
      'stem',
    );
  }
  if (!namedNetwork(model)) return;
  if (precision === 'f16')
    throw refuse(`${model} keeps its activations in f32 alone; f16 is for ResNets.`, 'precision');
  if (init !== 'kaiming-normal')
    throw refuse(`${model} starts by kaiming-normal alone; ${init} is for ResNets.`, 'init');
  if (gradientCheckpointing)
    throw refuse(`${model} makes no activations again: that is for ResNets.`, 'gradientCheckpointing');
}

/**
 * Settings of the network, the rate and the optimizer that training would never come to.
 * @param epochs of the tasks that are known to come, the first one's first.
 * @throws {ConfigError}
 */
export function checkTraining(settings: LearnerSettings, epochs: readonly number[]): void {
  const { schedule, milestones, baseMilestones, warmup, nesterov, optimizer, momentum } = settings;
  const wrong = (message: string, fix: string, where = 'training') => new ConfigError({ where, message, fix });
  checkNetworkSettings(settings);
  const fewest = Math.min(...epochs);
  if (warmup > 0 && warmup >= fewest) {
    throw wrong(
      `the rate rises over ${warmup} epochs, but there is a task of ${fewest}: it would never be reached.`,
      `Use a shorter ${named('warmup')} or more ${named('epochs')}.`,
    );
  }
  const count = milestones.length + (baseMilestones?.length ?? 0);
  if (schedule !== 'step' && count > 0) {
    throw wrong(
      `the schedule "${schedule}" has no milestones.`,
      `Use ${named('schedule', 'step')} with them, or leave ${named(milestones.length > 0 ? 'milestones' : 'baseMilestones')} out.`,
    );
  }
  if (schedule === 'step' && count === 0) {
    throw wrong(
      'the schedule "step" has no milestones: the rate would never change.',
      `Give milestones, such as ${named('milestones', [10, 20])}, or use ${named('schedule', 'constant')}.`,
    );
  }
  const [first = 0, ...later] = epochs;
  const reached = baseMilestones
    ? [
        { at: baseMilestones, most: first, key: 'baseMilestones', base: "the first task's " },
        ...(later.length > 0 ? [{ at: milestones, most: Math.max(...later), key: 'milestones', base: '' }] : []),
      ]
    : [{ at: milestones, most: Math.max(...epochs), key: 'milestones', base: '' }];
  for (const { at, most, key, base } of reached) {
    const late = at.find((milestone) => milestone + warmup >= most);
    if (late === undefined) continue;
    throw wrong(
      `${base}milestone ${late}${warmup > 0 ? `, counted from the ${warmup} epochs of warm-up on,` : ''} is never reached in ${most} epochs.`,
      `Use earlier ${named(key)} or more ${named(key === 'milestones' ? 'epochs' : 'baseEpochs')}.`,
    );
  }
  if (nesterov && (optimizer !== 'sgd' || momentum === 0)) {
    throw wrong(
      `Nesterov's momentum is for sgd with a momentum above 0, not for ${optimizer} with ${momentum}.`,
      `Leave ${named('nesterov')} out.`,
    );
  }
}
