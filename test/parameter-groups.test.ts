/** Groups of parameters with rates of their own, and tensors without a module. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  Adam,
  AdamW,
  capture,
  GradScaler,
  Linear,
  type Optimizer,
  Sequential,
  SGD,
  type Tensor,
} from '../src/index.ts';
import { engine, errorOf, leaf, near, uniform } from './support/engine.ts';

const STEPS = 4;

/** Values that are pulled by gradients c·p, which two optimizers can be compared by. */
function train(parameters: readonly Tensor[], ...optimizers: readonly Optimizer[]): void {
  for (let step = 0; step < STEPS; step++) {
    engine.scope(() => {
      parameters
        .map((p, i) =>
          p
            .square()
            .sum()
            .mul(i + 1),
        )
        .reduce((a, b) => a.add(b))
        .backward();
      for (const optimizer of optimizers) optimizer.step();
      for (const optimizer of optimizers) optimizer.zeroGrad();
    });
  }
}

const START = [uniform(3, 1), uniform(70, 2), uniform(5, 3)];
const leaves = () => START.map((values) => engine.keep(leaf(values, [values.length])));
const KINDS = {
  SGD: (trained: ConstructorParameters<typeof SGD>[0], lr: number, weightDecay: number) =>
    new SGD(trained, { lr, weightDecay, momentum: 0.9 }),
  Adam: (trained: ConstructorParameters<typeof Adam>[0], lr: number, weightDecay: number) =>
    new Adam(trained, { lr, weightDecay }),
  AdamW: (trained: ConstructorParameters<typeof AdamW>[0], lr: number, weightDecay: number) =>
    new AdamW(trained, { lr, weightDecay }),
};

for (const [name, make] of Object.entries(KINDS)) {
  test(`${name}: groups train as optimizers of their own would`, async () => {
    const together = leaves();
    const [a, b, c] = together as [Tensor, Tensor, Tensor];
    const one = make(
      [
        { parameters: [a], lr: 0.05 },
        { parameters: [b, c], weightDecay: 0 },
      ],
      0.01,
      0.1,
    );
    train(together, one);
    assert.is(one.steps, STEPS);
    const apart = leaves();
    const [x, y, z] = apart as [Tensor, Tensor, Tensor];
    train(apart, make([x], 0.05, 0.1), make([y, z], 0.01, 0));
    for (const [i, parameter] of together.entries()) await near(parameter, await apart[i]!.data(), 0);
  });

  test(`${name}: rates of groups and of the optimizer may change between steps, captured ones too`, async () => {
    const run = async (isCaptured: boolean) => {
      const parameters = leaves();
      const [a, b, c] = parameters as [Tensor, Tensor, Tensor];
      const optimizer = make([{ parameters: [a, b], lr: 0.05 }, { parameters: [c] }], 0.01, 0.1);
      const step = () => {
        a.square().sum().add(b.square().sum()).add(c.square().sum()).backward();
        optimizer.step();
        optimizer.zeroGrad();
      };
      const taken = isCaptured ? capture(engine, step) : () => engine.scope(step);
      for (let i = 0; i < 6; i++) {
        optimizer.lr = 0.01 * (i + 1);
        optimizer.groups[0]!.lr = 0.1 / (i + 1);
        optimizer.groups[1]!.weightDecay = i % 2;
        taken();
      }
      assert.is(optimizer.steps, 6);
      return Promise.all(parameters.map((p) => p.data()));
    };
    assert.equal(await run(true), await run(false));
  });
}

test('a step that is skipped on the device is skipped in all groups, and counts in none', async () => {
  const parameters = leaves();
  const [a, b, c] = parameters as [Tensor, Tensor, Tensor];
  const groups = (x: Tensor, y: Tensor, z: Tensor) => [{ parameters: [x, y], lr: 0.05 }, { parameters: [z] }];
  const optimizer = new Adam(groups(a, b, c), { lr: 0.01 });
  const scaler = new GradScaler(engine, { initScale: 2 });
  for (const factor of [1, Infinity, 1, 1]) {
    engine.scope(() => {
      const energy = parameters.map((p) => p.square().sum()).reduce((s, t) => s.add(t));
      scaler.scale(energy.mul(factor)).backward();
      scaler.step(optimizer);
      scaler.update();
      optimizer.zeroGrad();
    });
  }
  const plain = leaves();
  const [x, y, z] = plain as [Tensor, Tensor, Tensor];
  const other = new Adam(groups(x, y, z), { lr: 0.01 });
  for (let i = 0; i < 3; i++) {
    engine.scope(() => {
      plain
        .map((p) => p.square().sum())
        .reduce((s, t) => s.add(t))
        .backward();
      other.step();
      other.zeroGrad();
    });
  }
  for (const [i, parameter] of parameters.entries()) await near(parameter, await plain[i]!.data(), 1e-6);
  const { progress } = await optimizer.counters();
  await near(
    engine.tensor([...progress!]),
    Array(3)
      .fill([1 - 0.9 ** 3, 1 - 0.999 ** 3])
      .flat(),
    1e-5,
  );
});

test('names tell the group and the place; those of a module alone stay', () => {
  const model = new Sequential(engine, new Linear(engine, 2, 2), new Linear(engine, 2, 1, { bias: false }));
  const names = (trained: ConstructorParameters<typeof SGD>[0]) =>
    new SGD(trained, { lr: 0.1, momentum: 0.9 }).state().map(({ name }) => name.replace('.momentum_buffer', ''));
  assert.equal(names(model), ['0.weight', '0.bias', '1.weight']);
  assert.equal(names(model.parameters()), ['0', '1', '2']);
  const [first, second] = model.modules as [Linear, Linear];
  assert.equal(names([{ parameters: second }, { parameters: [first.weight] }]), ['0.weight', '1.0']);
  const { groups } = new SGD(model, { lr: 0.1 });
  assert.is(groups.length, 1);
  assert.is(groups[0]!.parameters, model);
});

test('what cannot be trained is refused in words', () => {
  const told = (trained: ConstructorParameters<typeof SGD>[0]) => errorOf(() => new SGD(trained, { lr: 0.1 })).message;
  const a = leaf([1], [1]);
  assert.match(told([]), /SGD: there is nothing to train: the list is empty/);
  assert.match(told([{ parameters: [] }]), /the list is empty/);
  assert.match(told([engine.ones([2])]), /Tensor\(f32\[2\]\) requires no gradient/);
  assert.match(told([a.mul(2)]), /Tensor\(f32\[1\]\) is the result of an operation/);
  assert.match(told([a, a]), /the parameter "1" of shape \[1\] is there twice/);
  assert.match(told([{ parameters: [a] }, { parameters: [a] }]), /"1\.0" of shape \[1\] is there twice/);
  assert.match(told([{ parameters: [a], lr: -1 }]), /the learning rate of a group must be in \[0, ∞\), not -1/);
  assert.match(told([{ parameters: [a], weightDecay: Number.NaN }]), /the weight decay of a group must be in/);
});

test.run();
