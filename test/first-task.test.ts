/** A first task that is trained otherwise than the later ones, as published recipes have it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ContinualLearner } from '../src/continual/learner.ts';
import { learnerSettings } from '../src/continual/learner-settings.ts';
import { taskRecipe } from '../src/continual/recipe.ts';
import { readSettings } from '../src/continual/setting.ts';
import { checkTraining } from '../src/continual/training-checks.ts';
import { engine } from './support/engine.ts';

const settings = (given: object) => readSettings(learnerSettings, given, 'test', 'a learner');

test('what is left open is as in later tasks, and not written down', () => {
  const open = settings({ epochs: 3, lr: 0.2, weightDecay: 1e-4, schedule: 'step', milestones: [2] });
  for (const task of [0, 1]) assert.equal(taskRecipe(open, task), open);
  assert.not.ok(Object.keys(open).some((name) => /^base(?!Epochs)/.test(name)));
});

test('the first task has its own epochs, rate, weight decay and milestones, later ones theirs', () => {
  const own = { baseEpochs: 6, baseLr: 0.4, baseWeightDecay: 0, baseMilestones: [4, 5] };
  const whole = settings({ epochs: 3, lr: 0.2, weightDecay: 1e-4, schedule: 'step', milestones: [2], ...own });
  const { epochs, lr, weightDecay, milestones } = taskRecipe(whole, 0);
  assert.equal({ epochs, lr, weightDecay, milestones }, { epochs: 6, lr: 0.4, weightDecay: 0, milestones: [4, 5] });
  assert.equal(taskRecipe(whole, 1), whole);
});

test('a learner follows it', async () => {
  const grey = (value: number) => ({
    data: Uint8Array.from({ length: 4 * 64 }, (_, i) => (value * (i + 1)) % 256),
    count: 4,
    height: 8,
    width: 8,
    channels: 1,
  });
  const learner = await ContinualLearner.create(engine, {
    method: 'finetune',
    width: 2,
    batch: 4,
    crop: 0,
    schedule: 'step',
    epochs: 2,
    lr: 0.02,
    milestones: [1],
    baseEpochs: 3,
    baseLr: 0.1,
    baseMilestones: [2],
  });
  const rates: number[][] = [];
  for (const classes of [{ a: grey(3), b: grey(7) }, { c: grey(11) }]) {
    const seen: number[] = [];
    for await (const event of learner.learn(classes)) if (event.type === 'epoch') seen.push(event.lr);
    rates.push(seen);
  }
  learner.dispose();
  const rounded = rates.map((seen) => seen.map((rate) => Number(rate.toPrecision(6))));
  assert.equal(rounded, [
    [0.1, 0.1, 0.01],
    [0.02, 0.002],
  ]);
});

test('milestones that a task never comes to are told by their flag', () => {
  const check = (given: object, epochs: number[]) => () =>
    checkTraining(settings({ schedule: 'step', ...given }), epochs);
  const both = { milestones: [8], baseMilestones: [3] };
  check(both, [4, 10, 10])();
  check(both, [4])();
  check({ baseMilestones: [3] }, [4, 10])();
  assert.throws(check(both, [3, 10]), /the first task's milestone 3 is never reached in 3 epochs.*--base-milestones/);
  assert.throws(
    check(both, [10, 8, 8]),
    /: milestone 8 is never reached in 8 epochs.*earlier `milestones` \(--milestones\) or more `epochs` \(--epochs\)/,
  );
  assert.throws(
    check({ schedule: 'cosine', baseMilestones: [3] }, [4]),
    /"cosine" has no .* `baseMilestones` \(--base-milestones\) out/,
  );
  assert.throws(check({ baseMilestones: [] }, [4]), /"step" has no milestones/);
});

test.run();
