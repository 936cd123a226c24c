/**
 * Layer norm and self-attention in jax-js. What takes an array uses it up, unless it takes a `ref`. Its own `dotProductAttention` needs
 * Node 22; this is the same in its other functions.
 */
import type { JaxArray } from './jax-peer.ts';
import { type Inputs, input } from './peer-inputs.ts';
import { LAYER_INPUTS, type LayerWork } from './peer-work.ts';

/** The few functions used. */
export interface JaxLayers {
  jit<A extends unknown[], R>(run: (...args: A) => R): (...args: A) => R;
  grad(run: (...x: JaxArray[]) => JaxArray, options: { argnums: readonly number[] }): (...x: JaxArray[]) => JaxArray[];
  nn: { softmax(x: JaxArray, axis: number): JaxArray };
  numpy: {
    array(data: Float32Array, options: { shape: readonly number[] }): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    split(x: JaxArray, count: number, axis: number): JaxArray[];
    sqrt(x: JaxArray): JaxArray;
    transpose(x: JaxArray, axes: readonly number[]): JaxArray;
    square(x: JaxArray): JaxArray;
  };
}

const layerNorm =
  ({ numpy }: JaxLayers) =>
  (x: JaxArray, weight: JaxArray, bias: JaxArray) => {
    const centred = x.ref.sub(x.mean([-1], { keepdims: true }));
    const variance = numpy.square(centred.ref).mean([-1], { keepdims: true });
    return centred
      .div(numpy.sqrt(variance.add(1e-5)))
      .mul(weight)
      .add(bias);
  };

const attention =
  ({ numpy, nn }: JaxLayers, { shape, heads }: LayerWork) =>
  (x: JaxArray, inWeight: JaxArray, inBias: JaxArray, outWeight: JaxArray, outBias: JaxArray) => {
    const [batch, length, features] = shape as readonly [number, number, number];
    const rows = [batch * length, features];
    const all = numpy.matmul(x.reshape(rows), inWeight).add(inBias);
    const [query, key, value] = numpy
      .split(all, 3, -1)
      .map((part) => part.reshape([batch, length, heads, features / heads])) as [JaxArray, JaxArray, JaxArray];
    const scores = numpy
      .matmul(numpy.transpose(query, [0, 2, 1, 3]), numpy.transpose(key, [0, 2, 3, 1]))
      .mul(1 / Math.sqrt(features / heads));
    const attended = numpy.matmul(nn.softmax(scores, -1), numpy.transpose(value, [0, 2, 1, 3]));
    const output = numpy.transpose(attended, [0, 2, 1, 3]).reshape(rows);
    return numpy
      .matmul(output, outWeight)
      .add(outBias)
      .reshape([...shape]);
  };

/** Its result, or the gradients of its inputs, anew with each call. */
export function jaxLayer(jax: JaxLayers, work: LayerWork, inputs: Inputs): () => JaxArray[] {
  const names = LAYER_INPUTS[work.kind];
  const given = (name: string) => {
    const { data, shape } = input(inputs, name);
    return jax.numpy.array(data, { shape });
  };
  const operands = names.map(given);
  const layer = (work.kind === 'layer-norm' ? layerNorm(jax) : attention(jax, work)) as (...x: JaxArray[]) => JaxArray;
  if (work.part === 'forward') {
    const compiled = jax.jit(layer);
    return () => [compiled(...operands.map(({ ref }) => ref))];
  }
  const dy = given('dy');
  const scored = (...x: JaxArray[]) =>
    layer(...x.slice(0, -1))
      .mul(x.at(-1) as JaxArray)
      .sum();
  const compiled = jax.jit(jax.grad(scored, { argnums: names.map((_, i) => i) }));
  return () => compiled(...operands.map(({ ref }) => ref), dy.ref);
}
