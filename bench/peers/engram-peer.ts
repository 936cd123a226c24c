/** Engram's side of the comparison. */
import { capture, conv2d, type Engine, matmul, type Tensor } from '../../src/index.ts';
import { trainingStep } from '../cases/train.ts';
import { type Inputs, input } from './peer-inputs.ts';
import { BATCH, type Conv2dWork, groupsOf, type PeerWork, type ReadyWork, sumOfSquares } from './peer-work.ts';

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

export function readyEngram(engine: Engine, work: PeerWork, inputs: Inputs): ReadyWork {
  if (work.kind === 'training') return readyTraining(engine, work.name);
  const given = (name: string) => {
    const { data, shape } = input(inputs, name);
    return engine.tensor(data, shape);
  };
  const [a, b] = work.kind === 'matmul' ? [given('a'), given('b')] : [given('x'), given('weight')];
  const run = work.kind === 'matmul' ? () => matmul(a, b) : convolution(work, a, b, given('dy'));
  return {
    async check() {
      const result = engine.scope(run);
      const sum = sumOfSquares(await result.data());
      result.dispose();
      return sum;
    },
    async sample(runs) {
      for (let i = 0; i < runs; i++) engine.scope(() => void run());
      await engine.sync();
    },
  };
}
