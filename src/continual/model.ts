/** The models that are trained: by default a ResNet whose linear classifier gets new outputs. */
import { copyModule } from '../nn/copy.ts';
import { createResNet, type ResNet } from '../nn/resnet.ts';
import type { LearnerSettings } from './learner-settings.ts';
import type { AnyMethod, IncrementalModel, ModelContext } from './method.ts';
import { ownModel } from './method-checks.ts';

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

/** What methods train that have no model of their own, for those that build theirs around it; belongs to the caller. */
export const defaultModel = ({
  engine,
  channels,
  classes,
  training,
}: Pick<ModelContext, 'engine' | 'channels' | 'classes' | 'training'>): ResNet =>
  createResNet(engine, training.model, { ...networkOptions(training, channels), classes });

/** What a model is made from beside its classes. */
export type BuildContext = Omit<ModelContext, 'classes' | 'settings'> & {
  readonly settings: Readonly<Record<string, unknown>>;
};

/**
 * A method's model after tasks of these sizes, its weights as initialised.
 * @param taskSizes classes that each task brought; one at least.
 */
export function buildModel(method: AnyMethod, context: BuildContext, taskSizes: readonly number[]): IncrementalModel {
  const [classes, ...others] = taskSizes as [number, ...number[]];
  const whole = { ...context, classes } as ModelContext;
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
