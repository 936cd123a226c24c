/** Layer norm and self-attention in TensorFlow.js, of the operations that its layers and models are made of. */
import type { Inputs } from './peer-inputs.ts';
import { input } from './peer-inputs.ts';
import { LAYER_INPUTS, type LayerWork } from './peer-work.ts';
import type { TfTensor } from './tfjs-peer.ts';

/** The few functions used. */
export interface TfLayers {
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  tidy<T>(run: () => T): T;
  add(a: TfTensor, b: TfTensor | number): TfTensor;
  sub(a: TfTensor, b: TfTensor): TfTensor;
  mul(a: TfTensor, b: TfTensor | number): TfTensor;
  rsqrt(x: TfTensor): TfTensor;
  softmax(x: TfTensor): TfTensor;
  moments(x: TfTensor, axis: number, keepDims: boolean): { mean: TfTensor; variance: TfTensor };
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor;
  split(x: TfTensor, count: number, axis: number): TfTensor[];
  reshape(x: TfTensor, shape: readonly number[]): TfTensor;
  transpose(x: TfTensor, axes: readonly number[]): TfTensor;
  grads(of: (...x: TfTensor[]) => TfTensor): (x: TfTensor[], dy: TfTensor) => TfTensor[];
}

const layerNorm = (tf: TfLayers) => (x: TfTensor, weight: TfTensor, bias: TfTensor) => {
  const { mean, variance } = tf.moments(x, -1, true);
  const normalised = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5)));
  return tf.add(tf.mul(normalised, weight), bias);
};

const attention =
  (tf: TfLayers, { shape, heads }: LayerWork) =>
  (x: TfTensor, inWeight: TfTensor, inBias: TfTensor, outWeight: TfTensor, outBias: TfTensor) => {
    const [batch, length, features] = shape as readonly [number, number, number];
    const rows = [batch * length, features];
    const all = tf.add(tf.matMul(tf.reshape(x, rows), inWeight), inBias);
    const [query, key, value] = tf
      .split(all, 3, -1)
      .map((part) => tf.transpose(tf.reshape(part, [batch, length, heads, features / heads]), [0, 2, 1, 3])) as [
      TfTensor,
      TfTensor,
      TfTensor,
    ];
    const scores = tf.mul(tf.matMul(query, key, false, true), 1 / Math.sqrt(features / heads));
    const output = tf.transpose(tf.matMul(tf.softmax(scores), value), [0, 2, 1, 3]);
    return tf.reshape(tf.add(tf.matMul(tf.reshape(output, rows), outWeight), outBias), shape);
  };

/** Its result, or the gradients of its inputs, anew with each call. */
export function tensorFlowLayer(tf: TfLayers, work: LayerWork, inputs: Inputs): () => TfTensor[] {
  const given = (name: string) => {
    const { data, shape } = input(inputs, name);
    return tf.tensor(data, shape);
  };
  const operands = LAYER_INPUTS[work.kind].map(given);
  const dy = given('dy');
  const layer = (work.kind === 'layer-norm' ? layerNorm(tf) : attention(tf, work)) as (...x: TfTensor[]) => TfTensor;
  return work.part === 'forward'
    ? () => tf.tidy(() => [layer(...operands)])
    : () => tf.tidy(() => tf.grads(layer)(operands, dy));
}
