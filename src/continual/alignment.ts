/** Weight alignment: takes the bias towards new classes out of a classifier. */
import { noGrad } from '../autograd/tape.ts';
import { ArgumentError } from '../errors.ts';
import type { Linear } from '../nn/layers.ts';
import '../ops/methods.ts';
import { copyInto } from '../tensor/copy-into.ts';
import type { Task } from './method.ts';
import { switchSetting } from './setting.ts';

/**
 * Scales the new classes' weight vectors by γ = mean‖w_old‖₂ / mean‖w_new‖₂; biases stay (Zhao et al. 2020, eq. 7–8).
 * @param oldClasses outputs that were there before the task; with none of them, or none new, nothing happens.
 * @returns γ; 1 where the old or the new weights are all zero, which no factor corrects.
 * @throws {ArgumentError} when a weight is not a finite number; nothing is changed then.
 */
export async function alignWeights(layer: Linear, oldClasses: number): Promise<number> {
  const { inFeatures, outFeatures, weight, engine } = layer;
  if (oldClasses === 0 || oldClasses === outFeatures) return 1;
  const values = (await weight.data()) as Float32Array<ArrayBuffer>;
  const norms = Array.from({ length: outFeatures }, (_, column) => {
    let square = 0;
    for (let row = 0; row < inFeatures; row++) square += (values[row * outFeatures + column] as number) ** 2;
    return Math.sqrt(square);
  });
  const mean = (list: readonly number[]) => list.reduce((total, x) => total + x, 0) / list.length;
  const [before, after] = [mean(norms.slice(0, oldClasses)), mean(norms.slice(oldClasses))];
  if (!Number.isFinite(before + after)) {
    throw new ArgumentError({
      where: 'alignWeights',
      message: `mean norms of ${before} (old) and ${after} (new): some weights are not finite.`,
      fix: 'Training diverged: lower the learning rate or clip the gradients.',
    });
  }
  if (before === 0 || after === 0) return 1;
  const gamma = before / after;
  for (let i = 0; i < values.length; i++) if (i % outFeatures >= oldClasses) values[i] = (values[i] as number) * gamma;
  engine.write(weight.storage, values);
  return gamma;
}

/** Sets weights below 0 to it: a larger norm is then a larger logit, of features that are none below 0 (Zhao et al. 2020, section 4.2). */
export function holdPositive({ weight, engine }: Linear): void {
  noGrad(engine, () => engine.scope(() => copyInto(weight.relu(), weight)));
}

/** Of methods that align: a switch, on by default. */
export const alignmentSettings = { align: switchSetting(true, 'weight alignment after each task') };

/** Aligns the classifier of a task that was fitted, where the setting says so, and notes γ. */
export async function alignTask(
  task: Pick<Task, 'newClasses' | 'oldClasses' | 'note'>,
  fc: Linear,
  { align }: { readonly align: boolean },
): Promise<void> {
  if (align) task.note('gamma', await alignWeights(fc, task.newClasses > 0 ? task.oldClasses : 0));
}
