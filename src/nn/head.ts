/** Growing a classifier as classes arrive. */
import { noGrad } from '../autograd/tape.ts';
import { ArgumentError } from '../errors.ts';
import { concat } from '../ops/strided.ts';
import type { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Linear } from './layers.ts';

/**
 * A linear layer with more outputs: the old ones keep their weights, the new ones are initialised as in a new layer. Frees the
 * old layer.
 * @throws {ArgumentError} when `outFeatures` is not a whole number, or is below what the layer has.
 */
export function growLinear(layer: Linear, outFeatures: number, random: Random): Linear {
  const { engine, inFeatures } = layer;
  const added = outFeatures - layer.outFeatures;
  if (added === 0) return layer;
  if (!Number.isInteger(outFeatures) || added < 0) {
    throw new ArgumentError({
      where: 'growLinear',
      message: `cannot grow from ${layer.outFeatures} to ${outFeatures} outputs.`,
    });
  }
  const fresh = new Linear(engine, inFeatures, added, { bias: layer.bias !== null, random });
  const grown = new Linear(engine, inFeatures, outFeatures, { bias: layer.bias !== null, random });
  const replace = (old: Tensor, a: Tensor, b: Tensor, axis: number): Tensor => {
    old.dispose();
    const joined = noGrad(engine, () => engine.keep(concat([a, b], axis)));
    joined.requiresGrad = true;
    return joined;
  };
  grown.weight = replace(grown.weight, layer.weight, fresh.weight, 1);
  if (grown.bias && layer.bias && fresh.bias) grown.bias = replace(grown.bias, layer.bias, fresh.bias, 0);
  fresh.dispose();
  layer.dispose();
  grown.training = layer.training;
  return grown;
}
