/** Learners as ONNX files: they answer there as here. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { methods } from '../src/continual/methods/index.ts';
import { ContinualLearner } from '../src/entries/continual.ts';
import { exportLearner } from '../src/entries/onnx.ts';
import { engine } from './support/engine.ts';
import { sameAnswers } from './support/onnx-runtime.ts';
import { refusal } from './support/refusal.ts';

/** A few stripes of each class. */
function stripes(classes: readonly string[]) {
  const [count, side] = [4, 7];
  return Object.fromEntries(
    classes.map((name, label) => {
      const data = Uint8Array.from({ length: count * side * side }, (_, i) =>
        (label % 2 ? i % side : Math.floor(i / side) % side) % (2 + (label >> 1)) === 0 ? 220 : i % 40,
      );
      return [name, { data, count, height: side, width: side, channels: 1 }];
    }),
  );
}

for (const method of Object.values(methods)) {
  test(`a learner by ${method.name} answers there as here`, async () => {
    const few = { balancedEpochs: 1, correctionEpochs: 1, compressionEpochs: 1 };
    const own = Object.fromEntries(Object.entries(few).filter(([name]) => name in method.settings));
    const learner = await ContinualLearner.create(engine, {
      ...{ method, model: 'resnet8', width: 2, memory: 8, epochs: 2, batch: 4, crop: 0, ...own },
    });
    for (const classes of [
      ['cup', 'pen'],
      ['key', 'tin', 'map'],
    ]) {
      for await (const _ of learner.learn(stripes(classes)));
    }
    await sameAnswers(await exportLearner(learner), learner);
    learner.dispose();
  });
}

test('a learner that knows nothing is not exported', async () => {
  const learner = await ContinualLearner.create(engine, { model: 'resnet8' });
  assert.match((await refusal(exportLearner(learner))).message, /^exportLearner: nothing has been learnt yet/);
  learner.dispose();
});

test.run();
