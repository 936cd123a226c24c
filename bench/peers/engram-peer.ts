/** Engram's side of the comparison. */
import {
  capture,
  conv2d,
  type Engine,
  layerNorm,
  MultiheadAttention,
  matmul,
  noGrad,
  type Tensor,
} from '../../src/index.ts';
import { loadStateDict } from '../../src/nn/state-dict.ts';
import { trainingStep } from '../cases/train.ts';
import { type Inputs, input } from './peer-inputs.ts';
import {
  BATCH,
  type Conv2dWork,
  groupsOf,
  isLayer,
  LAYER_INPUTS,
  type LayerWork,
  type MatmulWork,
  type PeerWork,
  type ReadyWork,
  sumOfSquares,
} from './peer-work.ts';

/**
 * The captured step that `train-step` times: its weights and images come from the seeds that made the other engines' inputs.
 */
function readyTraining(engine: Engine, name: 'resnet8' | 'resnet20'): ReadyWork {
  const { run } = trainingStep(engine, name, BATCH);
  const step = capture(engine, () => run() as Tensor);
  const check = () => step().item();
  return { check, sample: async () => void (await check()) };
}

function convolution(work: Conv2dWork, x: Tensor, weight: Tensor, dy: Tensor): () => Tensor {
  const { part } = work;
  const forward = () => conv2d(x, weight, { padding: 1, groups: groupsOf(work) });
  if (part === 'forward') return forward;
  const leaf = part === 'input-gradient' ? x : weight;
  leaf.requiresGrad = true;
  const { node } = forward();
  return () => node?.backward(dy).find((gradient) => gradient) as Tensor;
}

const tensorOf = (engine: Engine, inputs: Inputs) => (name: string) => {
  const { data, shape } = input(inputs, name);
  return engine.tensor(data, shape);
};

function operation(engine: Engine, work: MatmulWork | Conv2dWork, inputs: Inputs): () => Tensor[] {
  const given = tensorOf(engine, inputs);
  const [a, b] = work.kind === 'matmul' ? [given('a'), given('b')] : [given('x'), given('weight')];
  const run = work.kind === 'matmul' ? () => matmul(a, b) : convolution(work, a, b, given('dy'));
  return () => [run()];
}

/** Its result, or the gradients of its inputs, anew with each call. */
function layer(engine: Engine, work: LayerWork, inputs: Inputs): () => Tensor[] {
  const given = tensorOf(engine, inputs);
  const operands = LAYER_INPUTS[work.kind].map(given);
  const dy = given('dy');
  const [x, ...parameters] = operands as [Tensor, ...Tensor[]];
  let forward: () => Tensor;
  let leaves = operands;
  if (work.kind === 'layer-norm') {
    const [weight, bias] = parameters as [Tensor, Tensor];
    forward = () => layerNorm(x, weight.shape, { weight, bias });
  } else {
    const attention = new MultiheadAttention(engine, work.shape[2] as number, work.heads);
    const names = ['in_proj_weight', 'in_proj_bias', 'out_proj.weight', 'out_proj.bias'];
    const state = names.map((name, i) => {
      const own = LAYER_INPUTS.attention[i + 1] as string;
      return [name, input(inputs, own, name.endsWith('weight') ? [1, 0] : undefined)] as const;
    });
    loadStateDict(attention, new Map(state));
    forward = () => attention.forward(x).output;
    leaves = [x, ...attention.parameters()];
  }
  if (work.part === 'forward') return () => noGrad(engine, () => [forward()]);
  for (const leaf of leaves) leaf.requiresGrad = true;
  return () => {
    forward().backward(dy);
    return leaves.map((leaf) => {
      const gradient = leaf.grad as Tensor;
      leaf.grad = null;
      return gradient.moveTo(engine.scopes.at(-1) ?? null);
    });
  };
}

export function readyEngram(engine: Engine, work: PeerWork, inputs: Inputs): ReadyWork {
  if (work.kind === 'training') return readyTraining(engine, work.name);
  const run = isLayer(work) ? layer(engine, work, inputs) : operation(engine, work, inputs);
  return {
    async check() {
      const results = engine.scope(run);
      const sums = await Promise.all(results.map(async (result) => sumOfSquares(await result.data())));
      for (const result of results) result.dispose();
      return sums.reduce((a, b) => a + b);
    },
    async sample(runs) {
      for (let i = 0; i < runs; i++) engine.scope(() => void run());
      await engine.sync();
    },
  };
}
