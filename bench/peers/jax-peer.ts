/**
 * jax-js's side of the comparison, on its WebGPU backend: the whole step in one `jit`. Its images are NCHW, and an array
 * is used up by what takes it, unless that takes a `ref`. Running statistics of batch norm are left out, which Engram keeps.
 */
import { type JaxLayers, jaxLayer } from './jax-layers.ts';
import { blocksOf, type Input, type Inputs, input, oneHotLabels, parameterNames } from './peer-inputs.ts';
import { loadPeer } from './peer-packages.ts';
import {
  BATCH,
  type Conv2dWork,
  groupsOf,
  isLayer,
  LEARNING_RATE,
  type MatmulWork,
  MOMENTUM,
  type PeerWork,
  type ReadyWork,
  sumOfSquares,
} from './peer-work.ts';

export interface JaxArray {
  readonly ref: JaxArray;
  readonly shape: number[];
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  div(other: JaxArray): JaxArray;
  sum(): JaxArray;
  mean(axes: number[], options?: { keepdims: boolean }): JaxArray;
  reshape(shape: number[]): JaxArray;
  transpose(): JaxArray;
  slice(...index: (number | [])[]): JaxArray;
  data(): Promise<Float32Array>;
  dispose(): void;
}

type Arrays = Record<string, JaxArray>;
type Step = [loss: JaxArray, parameters: Arrays, velocity: Arrays];

/** The few functions used. */
interface Jax {
  init(device: 'webgpu'): Promise<string[]>;
  defaultDevice(device: 'webgpu'): void;
  jit<A extends unknown[], R>(run: (...args: A) => R): (...args: A) => R;
  grad(run: (x: JaxArray) => JaxArray): (x: JaxArray) => JaxArray;
  valueAndGrad(
    run: (parameters: Arrays, images: JaxArray, targets: JaxArray) => JaxArray,
  ): (parameters: Arrays, images: JaxArray, targets: JaxArray) => [JaxArray, Arrays];
  blockUntilReady(arrays: JaxArray[]): Promise<unknown>;
  tree: {
    ref(arrays: Arrays): Arrays;
    map(run: (...leaves: JaxArray[]) => JaxArray, ...trees: Arrays[]): Arrays;
  };
  lax: {
    convGeneralDilated(
      x: JaxArray,
      kernel: JaxArray,
      strides: number[],
      padding: [number, number][],
      options: { featureGroupCount: number },
    ): JaxArray;
  };
  nn: { relu(x: JaxArray): JaxArray; logSoftmax(x: JaxArray): JaxArray };
  numpy: {
    array(data: Float32Array, options: { shape: readonly number[] }): JaxArray;
    zeros(shape: readonly number[]): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    sqrt(x: JaxArray): JaxArray;
    square(x: JaxArray): JaxArray;
    pad(x: JaxArray, widths: [number, number][]): JaxArray;
  };
}

const arrayOf = ({ numpy }: Jax, { data, shape }: Input): JaxArray => numpy.array(data, { shape });
const convolve = ({ lax }: Jax, x: JaxArray, kernel: JaxArray, stride = 1, groups = 1): JaxArray =>
  lax.convGeneralDilated(
    x,
    kernel,
    [stride, stride],
    [
      [1, 1],
      [1, 1],
    ],
    { featureGroupCount: groups },
  );

function readyTraining(jax: Jax, inputs: Inputs): ReadyWork {
  const { nn, numpy, tree } = jax;
  const blocks = blocksOf(inputs);
  const normalize = (x: JaxArray, weight: JaxArray, bias: JaxArray): JaxArray => {
    const perChannel = [1, -1, 1, 1];
    const centred = x.ref.sub(x.mean([0, 2, 3], { keepdims: true }));
    const variance = numpy.square(centred.ref).mean([0, 2, 3], { keepdims: true });
    const scale = weight.reshape(perChannel).div(numpy.sqrt(variance.add(1e-5)));
    return centred.mul(scale).add(bias.reshape(perChannel));
  };
  const shortcut = (x: JaxArray, channels: number): JaxArray => {
    const [n = 0, c = 0, h = 0, w = 0] = x.shape;
    const strided = x.reshape([n, c, h / 2, 2, w / 2, 2]).slice([], [], [], 0, [], 0);
    const padding: [number, number][] = [0, channels - c, 0, 0].map((behind) => [0, behind]);
    return numpy.pad(strided, padding);
  };
  const lossOf = (parameters: Arrays, images: JaxArray, targets: JaxArray): JaxArray => {
    const of = (name: string) => parameters[name] as JaxArray;
    const layer = (x: JaxArray, conv: string, norm: string, stride: number) =>
      normalize(convolve(jax, x, of(`${conv}.weight`), stride), of(`${norm}.weight`), of(`${norm}.bias`));
    let y = nn.relu(layer(images, 'conv1', 'bn1', 1));
    for (const { prefix, stride } of blocks) {
      const inner = nn.relu(layer(y.ref, `${prefix}.conv1`, `${prefix}.bn1`, stride));
      const outer = layer(inner, `${prefix}.conv2`, `${prefix}.bn2`, 1);
      y = nn.relu(outer.ref.add(stride === 1 ? y : shortcut(y, outer.shape[1] as number)));
      outer.dispose();
    }
    const logits = numpy.matmul(y.mean([2, 3]), of('fc.weight').transpose()).add(of('fc.bias'));
    return nn
      .logSoftmax(logits)
      .mul(targets)
      .sum()
      .mul(-1 / BATCH);
  };
  const step = jax.jit((parameters: Arrays, velocity: Arrays, images: JaxArray, targets: JaxArray): Step => {
    const [loss, gradients] = jax.valueAndGrad(lossOf)(tree.ref(parameters), images, targets);
    const moved = tree.map((v, g) => (v as JaxArray).mul(MOMENTUM).add(g as JaxArray), velocity, gradients);
    const next = tree.map(
      (p, v) => (p as JaxArray).sub((v as JaxArray).mul(LEARNING_RATE)),
      parameters,
      tree.ref(moved),
    );
    return [loss, next, moved];
  });
  const names = parameterNames(inputs);
  let parameters: Arrays = Object.fromEntries(names.map((name) => [name, arrayOf(jax, input(inputs, name))]));
  let velocity: Arrays = Object.fromEntries(names.map((name) => [name, numpy.zeros(input(inputs, name).shape)]));
  const images = arrayOf(jax, input(inputs, 'images', [0, 3, 1, 2]));
  const targets = arrayOf(jax, oneHotLabels(inputs));
  const check = async () => {
    let loss: JaxArray;
    [loss, parameters, velocity] = step(parameters, velocity, images.ref, targets.ref);
    const [value] = await loss.data();
    return value as number;
  };
  return { check, sample: async () => void (await check()) };
}

function convolution(jax: Jax, work: Conv2dWork) {
  const { part } = work;
  const run = (x: JaxArray, kernel: JaxArray) => convolve(jax, x, kernel, 1, groupsOf(work));
  if (part === 'forward') return run;
  // The forward result is not used, and `jit` leaves it out.
  return part === 'input-gradient'
    ? (x: JaxArray, kernel: JaxArray, dy: JaxArray) => jax.grad((of) => run(of, kernel).mul(dy).sum())(x)
    : (x: JaxArray, kernel: JaxArray, dy: JaxArray) => jax.grad((of) => run(x, of).mul(dy).sum())(kernel);
}

function operation(jax: Jax, work: MatmulWork | Conv2dWork, inputs: Inputs): () => JaxArray[] {
  const given = (name: string, order?: readonly number[]) => arrayOf(jax, input(inputs, name, order));
  const operands =
    work.kind === 'matmul'
      ? [given('a'), given('b')]
      : [given('x', [0, 3, 1, 2]), given('weight', [3, 2, 0, 1]), given('dy', [0, 3, 1, 2])];
  if (work.kind === 'conv2d' && work.part === 'forward') operands.pop();
  const compiled = jax.jit(
    (work.kind === 'matmul' ? jax.numpy.matmul : convolution(jax, work)) as (...arrays: JaxArray[]) => JaxArray,
  );
  return () => [compiled(...operands.map(({ ref }) => ref))];
}

export async function readyJax(work: PeerWork, inputs: Inputs): Promise<ReadyWork> {
  const jax = loadPeer('jax-js') as Jax;
  const devices = await jax.init('webgpu');
  if (!devices.includes('webgpu')) throw new Error('jax-js could not start its WebGPU backend.');
  jax.defaultDevice('webgpu');
  if (work.kind === 'training') return readyTraining(jax, inputs);
  const run = isLayer(work) ? jaxLayer(jax as unknown as JaxLayers, work, inputs) : operation(jax, work, inputs);
  return {
    async check() {
      const sums = await Promise.all(run().map(async (result) => sumOfSquares(await result.data())));
      return sums.reduce((a, b) => a + b);
    },
    async sample(runs) {
      // What nobody waits for is not computed: so all results are kept until then.
      const results = Array.from({ length: runs }, run).flat();
      await jax.blockUntilReady(results);
      for (const result of results) result.dispose();
    },
  };
}
