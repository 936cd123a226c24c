/** Growing a classifier as classes arrive. */
import { noGrad } from '../autograd/tape.ts';
import { ArgumentError } from '../errors.ts';
import '../ops/methods.ts';
import { concat } from '../ops/strided.ts';
import type { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Linear } from './layers.ts';

/**
 * A linear layer with more outputs: the old ones keep their weights, the new ones are initialised as in a new layer. Frees the
 * old layer.
 * @param added makes a layer of so many outputs that starts otherwise.
 * @throws {ArgumentError} when `outFeatures` is not a whole number, or is below what the layer has.
 */
export function growLinear(
  layer: Linear,
  outFeatures: number,
  random: Random,
  added = (outputs: number): Linear =>
    new Linear(layer.engine, layer.inFeatures, outputs, { bias: layer.bias !== null, random }),
): Linear {
  const { engine, inFeatures } = layer;
  const more = outFeatures - layer.outFeatures;
  if (more === 0) return layer;
  if (!Number.isInteger(outFeatures) || more < 0) {
    throw new ArgumentError({
      where: 'growLinear',
      message: `cannot grow from ${layer.outFeatures} to ${outFeatures} outputs.`,
    });
  }
  const fresh = added(more);
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

/**
 * A linear layer with more inputs and outputs, both after those that are there: what the old one has between its own is copied,
 * the rest is initialised as in a new layer. The old one stays as it is.
 * @throws {ArgumentError} when a size is not a whole number, or is below what the layer has.
 */
export function widerLinear(layer: Linear, inFeatures: number, outFeatures: number, random: Random): Linear {
  const { engine, inFeatures: rows, outFeatures: columns } = layer;
  if (inFeatures < rows || outFeatures < columns) {
    throw new ArgumentError({
      where: 'widerLinear',
      message: `cannot widen [${rows}, ${columns}] to [${inFeatures}, ${outFeatures}].`,
    });
  }
  const wider = new Linear(engine, inFeatures, outFeatures, { bias: layer.bias !== null, random });
  const replaced = (fresh: Tensor, make: () => Tensor): Tensor => {
    const joined = noGrad(engine, () => engine.scope(() => engine.keep(make())));
    fresh.dispose();
    joined.requiresGrad = true;
    return joined;
  };
  const { weight, bias } = wider;
  const { weight: oldWeight, bias: oldBias } = layer;
  wider.weight = replaced(weight, () => followed(followed(oldWeight, weight.slice([[0, rows]]), 1), weight, 0));
  if (bias && oldBias) wider.bias = replaced(bias, () => followed(oldBias, bias, 0));
  wider.training = layer.training;
  return wider;
}

/** A copy of `old`, followed by what `longer` has beyond its length along an axis. */
function followed(old: Tensor, longer: Tensor, axis: number): Tensor {
  const [from = 0, to = 0] = [old.shape[axis], longer.shape[axis]];
  const rest = from < to ? [longer.slice(longer.shape.map((_, i) => (i === axis ? [from, to] : null)))] : [];
  return concat([old, ...rest], axis);
}
