/**
 * TensorFlow.js's side of the comparison, on its WebGPU backend. Running statistics of batch norm are left out, which
 * Engram keeps. A strided slice has no gradient there: the shortcut takes every other pixel by pooling over 1×1.
 */
import { blocksOf, type Input, type Inputs, input, oneHotLabels, parameterNames } from './peer-inputs.ts';
import { loadPeer } from './peer-packages.ts';
import {
  type Conv2dWork,
  isLayer,
  LEARNING_RATE,
  type MatmulWork,
  MOMENTUM,
  type PeerWork,
  type ReadyWork,
  sumOfSquares,
} from './peer-work.ts';
import { type TfLayers, tensorFlowLayer } from './tfjs-layers.ts';

export interface TfTensor {
  readonly shape: number[];
  data(): Promise<Float32Array>;
  dispose(): void;
}

/** The few functions used. */
interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  variable(value: TfTensor): TfTensor;
  tidy<T>(run: () => T): T;
  add(a: TfTensor, b: TfTensor): TfTensor;
  relu(x: TfTensor): TfTensor;
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor;
  conv2d(x: TfTensor, filter: TfTensor, stride: number, pad: number): TfTensor;
  depthwiseConv2d(x: TfTensor, filter: TfTensor, stride: number, pad: number): TfTensor;
  moments(x: TfTensor, axes: number[]): { mean: TfTensor; variance: TfTensor };
  batchNorm(x: TfTensor, mean: TfTensor, variance: TfTensor, shift: TfTensor, scale: TfTensor, eps: number): TfTensor;
  avgPool(x: TfTensor, size: number, stride: number, pad: 'valid'): TfTensor;
  pad(x: TfTensor, paddings: [number, number][]): TfTensor;
  mean(x: TfTensor, axes: number[]): TfTensor;
  slice(x: TfTensor, begin: number[], size: number[]): TfTensor;
  losses: { softmaxCrossEntropy(oneHot: TfTensor, logits: TfTensor): TfTensor };
  train: {
    momentum(rate: number, momentum: number): { minimize(loss: () => TfTensor, returnCost: true): TfTensor };
  };
  engine(): { runKernel(name: string, inputs: object, attributes: object): TfTensor };
}

const tensorOf = (tf: TensorFlow, { data, shape }: Input): TfTensor => tf.tensor(data, shape);

function readyTraining(tf: TensorFlow, inputs: Inputs): ReadyWork {
  const variables = new Map(
    parameterNames(inputs).map((name) => {
      const kernel = input(inputs, name).shape.length === 4;
      return [name, tf.variable(tensorOf(tf, input(inputs, name, kernel ? [2, 3, 1, 0] : undefined)))];
    }),
  );
  const variable = (name: string) => variables.get(name) as TfTensor;
  const convolve = (name: string, x: TfTensor, stride: number) => tf.conv2d(x, variable(`${name}.weight`), stride, 1);
  const normalize = (name: string, x: TfTensor) => {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    return tf.batchNorm(x, mean, variance, variable(`${name}.bias`), variable(`${name}.weight`), 1e-5);
  };
  const shortcut = (x: TfTensor, channels: number) => {
    const more = channels - (x.shape[3] as number);
    const padding: [number, number][] = [0, 0, 0, more].map((behind) => [0, behind]);
    return tf.pad(tf.avgPool(x, 1, 2, 'valid'), padding);
  };
  const blocks = blocksOf(inputs);
  const images = tensorOf(tf, input(inputs, 'images'));
  const targets = tensorOf(tf, oneHotLabels(inputs));
  const lossOf = () => {
    let y = tf.relu(normalize('bn1', convolve('conv1', images, 1)));
    for (const { prefix, stride } of blocks) {
      const inner = tf.relu(normalize(`${prefix}.bn1`, convolve(`${prefix}.conv1`, y, stride)));
      const outer = normalize(`${prefix}.bn2`, convolve(`${prefix}.conv2`, inner, 1));
      y = tf.relu(tf.add(outer, stride === 1 ? y : shortcut(y, outer.shape[3] as number)));
    }
    const logits = tf.matMul(tf.mean(y, [1, 2]), variable('fc.weight'), false, true);
    return tf.losses.softmaxCrossEntropy(targets, tf.add(logits, variable('fc.bias')));
  };
  const optimizer = tf.train.momentum(LEARNING_RATE, MOMENTUM);
  const check = async () => {
    const loss = optimizer.minimize(lossOf, true);
    const [value] = await loss.data();
    loss.dispose();
    return value as number;
  };
  return { check, sample: async () => void (await check()) };
}

function convolution(tf: TensorFlow, { part, isDepthwise }: Conv2dWork, x: TfTensor, filter: TfTensor, dy: TfTensor) {
  const settings = { strides: 1, dilations: 1, pad: 1, dataFormat: 'NHWC', dimRoundingMode: undefined };
  const { engine } = tf;
  const operation = isDepthwise ? 'DepthwiseConv2dNative' : 'Conv2D';
  if (part === 'forward') return () => (isDepthwise ? tf.depthwiseConv2d : tf.conv2d)(x, filter, 1, 1);
  return part === 'input-gradient'
    ? () => engine().runKernel(`${operation}BackpropInput`, { dy, filter }, { ...settings, inputShape: x.shape })
    : () => engine().runKernel(`${operation}BackpropFilter`, { x, dy }, { ...settings, filterShape: filter.shape });
}

/** The kernel of a depthwise convolution has a channel multiplier behind the channels there, instead of a group of one before. */
function filterOf(inputs: Inputs, { isDepthwise, channels }: Conv2dWork): Input {
  const { data, shape } = input(inputs, 'weight');
  return { data, shape: isDepthwise ? [3, 3, channels, 1] : shape };
}

function operation(tf: TensorFlow, work: MatmulWork | Conv2dWork, inputs: Inputs): () => TfTensor[] {
  const given = (name: string) => tensorOf(tf, input(inputs, name));
  const [a, b] = work.kind === 'matmul' ? [given('a'), given('b')] : [given('x'), tensorOf(tf, filterOf(inputs, work))];
  const run = work.kind === 'matmul' ? () => tf.matMul(a, b) : convolution(tf, work, a, b, given('dy'));
  return () => [run()];
}

export async function readyTensorFlow(work: PeerWork, inputs: Inputs): Promise<ReadyWork> {
  const tf = loadPeer('tfjs') as TensorFlow;
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js could not start its WebGPU backend.');
  if (work.kind === 'training') return readyTraining(tf, inputs);
  const run = isLayer(work) ? tensorFlowLayer(tf as unknown as TfLayers, work, inputs) : operation(tf, work, inputs);
  return {
    async check() {
      const results = run();
      const sums = await Promise.all(results.map(async (result) => sumOfSquares(await result.data())));
      for (const result of results) result.dispose();
      return sums.reduce((a, b) => a + b);
    },
    async sample(runs) {
      for (let i = 1; i < runs; i++) for (const result of run()) result.dispose();
      // One number is read: TensorFlow.js has no other way to wait.
      const number = tf.tidy(() => {
        const [last] = run() as [TfTensor];
        const at = last.shape.map(() => 0);
        const one = last.shape.map(() => 1);
        return tf.slice(last, at, one);
      });
      await number.data();
      number.dispose();
    },
  };
}
