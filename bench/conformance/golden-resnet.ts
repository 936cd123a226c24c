/** The golden case of a whole network: some steps of SGD on one batch, from PyTorch's state to PyTorch's state. */
import { crossEntropy, type Tensor } from '../../src/index.ts';
import { BatchNorm2d } from '../../src/nn/layers.ts';
import { ResNet } from '../../src/nn/resnet.ts';
import { loadStateDict, readState, type StateDict } from '../../src/nn/state-dict.ts';
import { SGD } from '../../src/optim/sgd.ts';
import type { GoldenCase } from './golden-case.ts';

const TOLERANCE = 1e-3;

/** Tensors of the file under a prefix, without it. */
function stateUnder(given: GoldenCase, prefix: string): StateDict {
  const names = given.names.filter((name) => name.startsWith(prefix) && !name.endsWith('num_batches_tracked'));
  return new Map(
    names.map((name) => [
      name.slice(prefix.length),
      { shape: given.shape(name), data: Float32Array.from(given.numbers(name)) },
    ]),
  );
}

function compareStates(given: GoldenCase, prefix: string, actual: StateDict): void {
  for (const name of stateUnder(given, prefix).keys()) {
    const entry = actual.get(name);
    if (!entry) throw new Error(`the model has no ${name}`);
    given.compareNumbers(prefix + name, entry.data, TOLERANCE);
  }
}

/** Depth, width, classes and channels come from the state itself. */
export async function resnetCase(given: GoldenCase): Promise<void> {
  const { engine } = given;
  const optimizer = given.text('optimizer', 'SGD');
  if (optimizer !== 'SGD') throw new Error(`optimizer is ${optimizer}; only SGD is supported`);
  const state = stateUnder(given, 'state.');
  const [classes] = given.shape('state.fc.weight');
  const [width, inChannels] = given.shape('state.conv1.weight');
  const n = given.number('n');
  const architecture = { blocks: [n, n, n], width: width as number, shortcut: 'padded', stem: 'cifar' } as const;
  const model = new ResNet(engine, architecture, { classes: classes as number, inChannels: inChannels as number });
  for (const [, norm] of model.namedModules()) {
    if (!(norm instanceof BatchNorm2d)) continue;
    norm.eps = given.number('eps', 1e-5);
    norm.momentum = given.number('bn_momentum', 0.1);
  }
  loadStateDict(model, state);
  const sgd = new SGD(model, {
    lr: given.number('lr'),
    momentum: given.number('momentum', 0),
    dampening: given.number('dampening', 0),
    weightDecay: given.number('weight_decay', 0),
    nesterov: given.flag('nesterov', false),
  });
  const x = given.tensor('x', 'images');
  const target = given.integers('target');
  const steps = given.number('steps', given.has('losses') ? given.numbers('losses').length : 1);
  const losses: Tensor[] = [];
  for (let step = 1; step <= steps; step++) {
    const { logits, loss } = engine.scope(() => {
      const logits = model.forward(x);
      const loss = crossEntropy(logits, target);
      loss.backward();
      return { logits, loss: loss.detach() };
    });
    losses.push(loss);
    if (step === 1) {
      await given.compare('logits', logits, TOLERANCE);
      const gradients = model.namedParameters().map(({ name, tensor, layout }) => {
        if (!tensor.grad) throw new Error(`${name} has no gradient`);
        return { name, tensor: tensor.grad, layout };
      });
      compareStates(given, 'grad.', await readState(gradients));
    }
    sgd.step();
    sgd.zeroGrad();
  }
  if (given.has('losses')) {
    given.compareNumbers('losses', await Promise.all(losses.map((loss) => loss.item())), TOLERANCE);
  }
  compareStates(given, `after${steps}.`, await readState(model.namedTensors()));
}
