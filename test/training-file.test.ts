/** A training loop that is saved and gone on with by other objects ends as if it had never stopped, to the last bit. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AdamW,
  BatchNorm2d,
  CheckpointError,
  Conv2d,
  capture,
  crossEntropy,
  Dropout,
  GradScaler,
  Linear,
  loadTraining,
  Module,
  MovingAverage,
  type Optimizer,
  readSafetensors,
  readState,
  SGD,
  saveTraining,
  stateDict,
  type Tensor,
  type TrainingParts,
  writeSafetensors,
} from '../src/index.ts';
import { engine, uniform } from './support/engine.ts';

class Net extends Module {
  readonly conv = new Conv2d(engine, 1, 4, 3);
  readonly norm = new BatchNorm2d(engine, 4);
  readonly drop = new Dropout(engine, 0.3);
  readonly fc = new Linear(engine, 4, 3);

  forward(x: Tensor): Tensor {
    return this.fc.forward(this.drop.forward(this.norm.forward(this.conv.forward(x)).relu().mean([1, 2])));
  }
}

interface Loop extends TrainingParts {
  readonly model: Net;
  readonly average: MovingAverage;
  readonly run: (epoch: number) => void;
}

function loop(seed: number, optimizerOf: (model: Net) => Optimizer, scaled: boolean): Loop {
  engine.seed(seed);
  const model = new Net(engine);
  const optimizer = optimizerOf(model);
  const average = new MovingAverage(model, { decay: 0.9 });
  const scaler = scaled ? new GradScaler(engine) : undefined;
  const step = capture(engine, (x: Tensor, y: Tensor) => {
    const loss = crossEntropy(model.forward(x), y);
    (scaler?.scale(loss) ?? loss).backward();
    if (scaler) {
      scaler.unscale(optimizer);
      scaler.step(optimizer);
      scaler.update();
    } else optimizer.step();
    average.update();
    optimizer.zeroGrad();
    return loss;
  });
  const run = (epoch: number) =>
    engine.scope(() => {
      engine.seed(100 + epoch);
      optimizer.lr = 0.1 / (epoch + 1);
      for (let at = 0; at < 3; at++)
        step(engine.tensor(uniform(4 * 36, 10 * epoch + at), [4, 6, 6, 1]), engine.tensor(Int32Array.of(0, 1, 2, at)));
    });
  return { model, optimizer, average, ...(scaler ? { scaler } : {}), run };
}

const all = async ({ model, optimizer, average, scaler }: Loop) => [
  [...(await stateDict(model))],
  [...(await readState(optimizer.state()))],
  [...(await readState(average.state))],
  await optimizer.counters(),
  await scaler?.state(),
];

const kinds: Record<string, (model: Net) => Optimizer> = {
  AdamW: (model) =>
    new AdamW(
      [{ parameters: model.conv, lr: 0.01 }, { parameters: [...model.norm.parameters(), ...model.fc.parameters()] }],
      { lr: 0.1 },
    ),
  'SGD with momentum': (model) => new SGD(model, { lr: 0.1, momentum: 0.9 }),
};

for (const [name, optimizerOf] of Object.entries(kinds)) {
  for (const scaled of [false, true]) {
    test(`${name}${scaled ? ', scaled' : ''}: as if it had never stopped`, async () => {
      const whole = loop(1, optimizerOf, scaled);
      for (let epoch = 0; epoch < 4; epoch++) whole.run(epoch);
      const first = loop(1, optimizerOf, scaled);
      for (let epoch = 0; epoch < 2; epoch++) first.run(epoch);
      const bytes = saveTraining(first, { epoch: '2' });
      // The file is as of the call.
      first.run(2);
      const again = loop(2, optimizerOf, scaled);
      // Its steps are recorded before, too.
      again.run(0);
      assert.equal(loadTraining(again, await bytes), { epoch: '2' });
      for (let epoch = 2; epoch < 4; epoch++) again.run(epoch);
      assert.equal(await all(again), await all(whole));
    });
  }
}

test('what does not fit is refused, and nothing is loaded', async () => {
  const saved = loop(1, kinds.AdamW!, false);
  saved.run(0);
  const bytes = await saveTraining(saved);
  const refused = async (parts: Loop, file: Uint8Array, expected: RegExp) => {
    const before = await all(parts);
    assert.throws(
      () => loadTraining(parts, file, 'a.safetensors'),
      (error: unknown) => error instanceof CheckpointError && expected.test(error.message),
    );
    assert.equal(await all(parts), before);
  };
  await refused(
    loop(3, kinds['SGD with momentum']!, false),
    bytes,
    /a\.safetensors: .*Missing: "optimizer\.conv\.weight\.momentum_buffer".*as they were made/,
  );
  await refused(loop(3, kinds.AdamW!, true), bytes, /saved without a GradScaler, and one is given/);
  await refused(saved, bytes.subarray(0, bytes.length - 4), /a\.safetensors/);
  const { tensors, metadata } = readSafetensors(bytes);
  await refused(saved, writeSafetensors(tensors), /"engram\.training" is missing.*loadWeights/s);
  const counters = JSON.parse(metadata['engram.training']!);
  counters.optimizer.taken.pop();
  const other = writeSafetensors(tensors, { 'engram.training': JSON.stringify(counters) });
  await refused(saved, other, /the steps of 5 parameters are of another optimizer; this one has 6/);
});

test.run();
