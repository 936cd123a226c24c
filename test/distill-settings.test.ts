/** Settings of dense distillation in methods: groups by size, bounded pools, and how the loss stands beside the cross entropy. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../src/continual/benchmark/config.ts';
import type { AnyMethod } from '../src/continual/method.ts';
import { fdkd, icarl, rdkd } from '../src/entries/methods.ts';
import { ConfigError, type DenseKDOptions, denseKD, GroupDraw, TaskPool, type Tensor } from '../src/index.ts';
import { Random } from '../src/tensor/random.ts';
import { engine, near } from './support/engine.ts';
import { at, batchOf, ce, oldLogits, oldTaskSizes, phaseOf, share } from './support/taught.ts';

test("fdkd and rdkd weigh groups by size and bound them, and so does dense distillation in the place of a method's own", async () => {
  const holds = async (method: AnyMethod, given: object, options: Partial<DenseKDOptions>) => {
    using phase = await phaseOf(method, given);
    const kept = (logits: Tensor) => denseKD(logits, oldLogits, { taskSizes: oldTaskSizes, ...options });
    const expected = await at((logits) => ce(logits).add(kept(logits)));
    const { value, gradient } = await at((logits) => phase.loss(batchOf(logits)));
    assert.ok(Math.abs(value - expected.value) < 1e-5, `${JSON.stringify(given)}: ${value}, not ${expected.value}`);
    await near(engine.tensor(gradient), expected.gradient, 1e-5);
    return value;
  };
  const usual = await holds(fdkd, {}, {});
  const balanced = await holds(fdkd, { sizes: 'balanced' }, { sizes: 'balanced' });
  const pairs = await holds(fdkd, { pool: 'pairs' }, { pool: 'pairs' });
  assert.is(new Set([usual, balanced, pairs]).size, 3);
  await holds(fdkd, { upTo: 2 }, { pool: 'pairs' });
  await holds(fdkd, { pool: 'runs', upTo: 1, sizes: 'balanced' }, { pool: 'tasks' });
  // A list says nothing of sizes beyond it, and more than there are sizes of.
  await holds(fdkd, { sizes: [1, 1] }, { pool: 'pairs' });
  await holds(fdkd, { sizes: [1, 2, 3, 4, 5] }, { sizes: [1, 2, 3] });
  await holds(fdkd, { pool: 'whole', sizes: [1, 1] }, { pool: 'whole' });
  await holds(icarl, { distill: 'dense', sizes: 'balanced' }, { sizes: 'balanced' });
  await holds(icarl, { distill: 'whole', sizes: 'balanced' }, { pool: 'whole' });
  const pool = TaskPool.of('dense', oldTaskSizes);
  for (const [method, given] of [
    [rdkd, {}],
    [icarl, { distill: 'random' }],
  ] as const) {
    for (const sizes of ['balanced', [2, 1, 0]] as const) {
      const draw = new GroupDraw(engine, pool, { groups: 2, seed: Random.of(8, 'groups').word(), sizes });
      using phase = await phaseOf(method as AnyMethod, { ...given, groups: 2, sizes });
      const drawn = async (loss: (logits: Tensor) => Tensor) => (await at(loss)).value;
      const expected = await drawn((logits) =>
        ce(logits).add(denseKD(logits, oldLogits, { taskSizes: oldTaskSizes, pool, variant: 'random', draw })),
      );
      assert.ok(Math.abs((await drawn((logits) => phase.loss(batchOf(logits)))) - expected) < 1e-5);
      draw.dispose();
    }
  }
});

test('the convex weighting shares between new and old, and the factor T² is a choice', async () => {
  for (const [given, ceWeight, kdWeight] of [
    [{ weighting: 'convex' }, 1 - share, share],
    [{ weighting: 'convex', kdWeight: 3 }, 1 - share, 3 * share],
    [{ temperatureSquared: true, temperature: 3 }, 1, 9],
    [{ temperatureSquared: false }, 1, 1],
    [{ weighting: 'convex', temperatureSquared: true }, 1 - share, 4 * share],
  ] as const) {
    const temperature = 'temperature' in given ? given.temperature : 2;
    using phase = await phaseOf(fdkd, given);
    const expected = await at((logits) =>
      ce(logits)
        .mul(ceWeight)
        .add(denseKD(logits, oldLogits, { taskSizes: oldTaskSizes, temperature }).mul(kdWeight)),
    );
    const { value, gradient } = await at((logits) => phase.loss(batchOf(logits)));
    assert.ok(Math.abs(value - expected.value) < 1e-5, `${JSON.stringify(given)}: ${value}, not ${expected.value}`);
    await near(engine.tensor(gradient), expected.gradient, 1e-5);
  }
  using first = await phaseOf(fdkd, { weighting: 'convex' }, { oldTaskSizes: [], oldClasses: 0, old: null });
  const { value } = await at((logits) => first.loss(batchOf(logits)));
  assert.ok(Math.abs(value - (await at(ce)).value) < 1e-6, 'there is nothing old to share with');
});

test('sizes that say nothing of the second task are refused, and bounds that are none', () => {
  const bad = (given: object, expected: RegExp) =>
    assert.throws(
      () => parseConfig({ method: 'fdkd', ...given }),
      (error: Error) => error instanceof ConfigError && expected.test(error.message),
    );
  const said =
    /"sizes" does not fit: expected one of uniform, balanced, or a list of finite numbers of at least 0, the first one above 0, received/;
  for (const sizes of [[0, 1], [], [1, -1], [1, Number.NaN], 'small', 2]) bad({ sizes }, said);
  for (const upTo of [0, 1.5, -1]) bad({ upTo }, /"upTo" does not fit: expected a whole number of at least 1/);
  const { sizes, upTo } = parseConfig({ method: 'fdkd' }) as { sizes?: unknown; upTo?: unknown };
  assert.equal([sizes, upTo], [undefined, undefined], 'records of runs are what they were');
});

test.run();
