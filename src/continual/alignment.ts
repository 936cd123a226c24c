/** Weight alignment: takes the bias towards new classes out of a classifier. */
import type { Linear } from '../nn/layers.ts';

/**
 * Scales the new classes' weight vectors by γ = mean‖w_old‖₂ / mean‖w_new‖₂; biases stay (Zhao et al. 2020, eq. 7–8).
 * @param oldClasses outputs that were there before the task; with none of them, or none new, nothing happens.
 * @returns γ
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
  const gamma = mean(norms.slice(0, oldClasses)) / mean(norms.slice(oldClasses));
  if (!Number.isFinite(gamma)) return 1; // new weights of zero, or a diverged model: nothing to align
  for (let i = 0; i < values.length; i++) if (i % outFeatures >= oldClasses) values[i] = (values[i] as number) * gamma;
  engine.write(weight.storage, values);
  return gamma;
}
