/** Benchmarks of layers that transformers are made of, and of sorting. Inputs are float32, normal, on the device. */
import {
  argsort,
  cumsum,
  type Engine,
  groupNorm,
  layerNorm,
  MultiheadAttention,
  Random,
  type Tensor,
  topk,
} from '../../src/index.ts';
import { bytesOf, gradientOf, noise, noiseLeaf, type WorkCase } from '../bench-case.ts';

/** x and its result once; for the gradient both and x's own, once for x and once for the parameters. */
function normCases(name: string, shape: readonly number[], norm: (x: Tensor, weight: Tensor, bias: Tensor) => Tensor) {
  const channels = [shape.at(-1) as number];
  const make = (engine: Engine, leaf: typeof noise): Tensor =>
    norm(leaf(engine, shape), leaf(engine, channels, 1), leaf(engine, channels, 2));
  const size = shape.join('x');
  return [
    {
      name: `${name}/forward/${size}`,
      prepare(engine) {
        const [x, weight, bias] = [noise(engine, shape), noise(engine, channels, 1), noise(engine, channels, 2)];
        return { bytes: 2 * bytesOf(x), run: () => norm(x, weight, bias) };
      },
    },
    {
      name: `${name}/backward/${size}`,
      prepare(engine) {
        const y = make(engine, (_, ...rest) => noiseLeaf(engine, ...rest));
        return gradientOf(y, { bytes: 5 * bytesOf(y) });
      },
    },
  ] satisfies WorkCase[];
}

/** Projections, 8·batch·length·features², and scores with their sums of values, 4·batch·length²·features; forwards and back three times that. */
function attentionCases([batch, length, features]: readonly [number, number, number], heads: number): WorkCase[] {
  const shape = [batch, length, features];
  const flops = 2 * batch * length * (4 * features ** 2 + 2 * length * features);
  const size = `${shape.join('x')}/heads${heads}`;
  const layer = (engine: Engine) =>
    new MultiheadAttention(engine, features, heads, { random: Random.of(1, 'attention') });
  return [
    {
      name: `attention/forward/${size}`,
      prepare(engine) {
        const attention = layer(engine).freeze();
        const x = noise(engine, shape);
        return { flops, run: () => attention.forward(x).output, captured: true, dispose: () => attention.dispose() };
      },
    },
    {
      name: `attention/step/${size}`,
      prepare(engine) {
        const attention = layer(engine);
        const x = noiseLeaf(engine, shape);
        const dy = noise(engine, shape, 9);
        const run = () => {
          attention.forward(x).output.backward(dy);
          attention.zeroGrad();
          x.grad?.dispose();
          x.grad = null;
        };
        return { flops: 3 * flops, run, captured: true, dispose: () => attention.dispose() };
      },
    },
  ];
}

/** Bytes of what is sorted and of its places. */
const lineCase = (name: string, shape: readonly number[], of: (x: Tensor) => unknown): WorkCase => ({
  name: `${name}/${shape.join('x')}`,
  prepare(engine) {
    const x = noise(engine, shape);
    return { bytes: 2 * bytesOf(x), run: () => of(x) };
  },
});

export const layerCases: readonly WorkCase[] = [
  ...normCases('layer-norm', [4096, 512], (x, weight, bias) => layerNorm(x, weight.shape, { weight, bias })),
  ...normCases('layer-norm', [25088, 96], (x, weight, bias) => layerNorm(x, weight.shape, { weight, bias })),
  ...normCases('group-norm', [32, 32, 32, 64], (x, weight, bias) => groupNorm(x, 8, { weight, bias })),
  ...attentionCases([8, 128, 256], 8),
  ...attentionCases([8, 197, 192], 3),
  lineCase('sort', [1024, 1000], argsort),
  lineCase('sort', [1, 2 ** 18], argsort),
  lineCase('topk/5', [1024, 1000], (x) => topk(x, 5)),
  lineCase('cumsum', [1024, 1000], cumsum),
  lineCase('cumsum', [1, 2 ** 20], cumsum),
];
