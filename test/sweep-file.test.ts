/** A sweep's file: what it lists, and what it refuses. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planSweep } from '../src/cli/sweep-plan.ts';
import { methodOf } from '../src/continual/benchmark/config.ts';
import { ConfigError } from '../src/errors.ts';
import { type PlannedRun, type PlanOptions, planRuns } from '../src/sweep/plan.ts';
import { recordedConfig, runId } from '../src/sweep/run-id.ts';
import { parseSweep } from '../src/sweep/sweep-file.ts';
import { inFolder } from './support/in-folder.ts';

const options: PlanOptions = {
  where: 'my.json',
  methodOf: async (name = 'fdkd') => ({ method: methodOf(name) }),
  assertKnown: (key) => {
    if (key === 'momentun') throw new ConfigError({ where: 'my.json', message: `there is no setting "${key}".` });
  },
};

const plan = async (file: object, more: Partial<PlanOptions> = {}): Promise<PlannedRun[]> =>
  planRuns(parseSweep(JSON.stringify(file), 'my.json', 'my'), { ...options, ...more });

const labels = (runs: readonly PlannedRun[]) => runs.map(({ label }) => label);

async function refused(file: object, pattern: RegExp, more: Partial<PlanOptions> = {}): Promise<void> {
  const error = await plan(file, more).then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.instance(error, ConfigError, `${JSON.stringify(file)} is refused`);
  assert.match((error as Error).message, pattern);
}

test('a grid is every combination, the last parameter changing first, all in one order before the next', async () => {
  const runs = await plan({
    settings: { data: 'glyphs', tasks: 10 },
    parameters: { method: ['kd', 'fdkd'], kdWeight: [1, 2] },
    orders: [0, 3],
  });
  const all = ['kd kdWeight=1', 'kd kdWeight=2', 'fdkd kdWeight=1', 'fdkd kdWeight=2'];
  assert.equal(labels(runs), [...all, ...all]);
  assert.equal(
    runs.map(({ pair }) => pair),
    ['order 0', 'order 3'].flatMap((order) => all.map(() => order)),
  );
  const { config } = runs[5]!;
  assert.equal([config.method, config.kdWeight, config.classOrder, config.seed], ['kd', 2, 'numpy:3', 3]);
  assert.is(config.tasks, 10);
});

test('what a method has not is left out, and the same run is listed once', async () => {
  const runs = await plan({ parameters: { method: ['replay', 'kd'], kdWeight: [1, 2, 4] } });
  assert.equal(labels(runs), ['replay', 'kd kdWeight=1', 'kd kdWeight=2', 'kd kdWeight=4']);
  assert.is(new Set(runs.map(({ id }) => id)).size, 4);
});

test('orders may be settings where no list of them is given, and beside seeds', async () => {
  const orders = { classOrder: ['numpy:0', 'numpy:1'] };
  assert.is((await plan({ parameters: { ...orders, seed: [0, 1] } })).length, 4);
  assert.is((await plan({ parameters: orders, seeds: [0, 1] })).length, 4);
});

test('configurations go together, and may have names', async () => {
  const runs = await plan({
    configurations: [
      { method: 'kd', kdWeight: 2 },
      { name: 'theirs', method: 'wa', lr: 0.3, baseLr: 0.05 },
    ],
    parameters: { memory: [100, 200] },
    seeds: [4],
  });
  assert.equal(labels(runs), [
    'kd kdWeight=2 memory=100',
    'kd kdWeight=2 memory=200',
    'theirs memory=100',
    'theirs memory=200',
  ]);
  assert.is(runs[3]!.config.lr, 0.3);
  assert.is(runs[3]!.pair, 'seed 4');
});

test('one name is of one configuration, in every order', async () => {
  const named = (first: object, second: object) => ({
    configurations: [
      { name: 'mine', method: 'kd', ...first },
      { name: 'mine', method: 'kd', ...second },
    ],
    orders: [0, 1],
  });
  await refused(
    named({ kdWeight: 2 }, { kdWeight: 4 }),
    /two configurations with different settings are called "mine"/,
  );
  await refused({ configurations: [{ method: 'kd' }, { name: 'kd', method: 'kd', lr: 1 }], seeds: [0] }, /called "kd"/);
  assert.equal(labels(await plan(named({}, {}))), ['mine', 'mine'], 'the same settings are one run an order');
  const { orders: _, ...seeded } = named({ seed: 1 }, { seed: 2 });
  assert.is((await plan(seeded)).length, 2, 'seeds of one are no settings of two');
});

test('orders and seeds of configurations of their own pair them', async () => {
  const configurations = [0, 1].flatMap((seed) => ['kd', 'fdkd'].map((method) => ({ name: method, method, seed })));
  const runs = await plan({ configurations });
  assert.equal(
    runs.map(({ label, pair }) => `${label}, ${pair}`),
    ['kd, seed 0', 'fdkd, seed 0', 'kd, seed 1', 'fdkd, seed 1'],
  );
  const drawn = await plan({ parameters: { classOrder: ['numpy:0', 'numpy:1'] }, seeds: [4] });
  assert.equal(
    drawn.map(({ pair }) => pair),
    ['seed 4, classOrder numpy:0', 'seed 4, classOrder numpy:1'],
  );
});

test('draws are from their ranges, by a seed, and more of them leave those of before', async () => {
  const file = {
    method: 'random',
    runs: 40,
    parameters: {
      lr: { min: 0.001, max: 1, distribution: 'log_uniform' },
      epochs: { min: 1, max: 3, distribution: 'int_uniform' },
      momentum: { min: 0.5, max: 0.9 },
      method: ['kd', 'fdkd'],
    },
  };
  const runs = await plan(file);
  assert.is(runs.length, 40);
  const all = (key: string) => runs.map(({ config }) => config[key] as number);
  assert.ok(all('lr').every((rate) => rate >= 0.001 && rate <= 1));
  // Evenly in the logarithm: about a third of them in each decade.
  const small = all('lr').filter((rate) => rate < 0.01).length;
  assert.ok(small > 4 && small < 24, `${small} of 40 in the first of three decades`);
  assert.equal([...new Set(all('epochs'))].sort(), [1, 2, 3]);
  assert.ok(all('momentum').every((one) => one >= 0.5 && one < 0.9));
  const ids = (list: readonly PlannedRun[]) => list.map(({ id }) => id);
  assert.equal(ids(await plan(file)), ids(runs));
  assert.equal(ids(await plan({ ...file, runs: 10 })), ids(runs).slice(0, 10));
  assert.not.equal(ids(await plan({ ...file, randomSeed: 1 })), ids(runs));
});

test('a run is known by its settings, wherever its data lie', async () => {
  const [run] = await plan({ settings: { data: 'glyphs' }, seeds: [0] });
  const { config } = run!;
  assert.is(runId(config), run!.id);
  const moved = { ...config, data: '/somewhere/glyphs/' };
  assert.is(runId(moved), run!.id);
  assert.is(recordedConfig(moved).data, 'glyphs');
  const shuffled = Object.fromEntries(Object.entries(config).reverse()) as typeof config;
  assert.is(runId(shuffled), run!.id);
  assert.is.not(runId({ ...config, lr: config.lr * 2 }), run!.id);
  assert.match(run!.id, /^[0-9a-f]{12}$/);
});

test('bad files are refused, each with what is wrong', async () => {
  await refused({ parameters: { momentun: [0.9] } }, /there is no setting "momentun"/);
  await refused({ settings: { momentun: 0.9 }, seeds: [0] }, /there is no setting "momentun"/);
  await refused({}, /nothing varies/);
  await refused({ parameters: {} }, /nothing varies/);
  await refused({ parameters: { lr: [] } }, /parameters.lr/);
  await refused({ parameters: { lr: ['fast'] } }, /"fast"/);
  await refused({ parameters: { lr: { min: 0.1, max: 1 } } }, /"lr" is a range.*"method": "random"/);
  await refused({ method: 'random', parameters: { lr: { min: 0.1, max: 1 } } }, /"runs": 20/);
  await refused({ method: 'random', runs: 2, parameters: { lr: { min: 1, max: 0.1 } } }, /nothing lies from 1 to 0.1/);
  const bounds = { min: 0, max: 1, distribution: 'log_uniform' };
  await refused({ method: 'random', runs: 2, parameters: { lr: bounds } }, /log_uniform/);
  await refused({ method: 'bayes', seeds: [0] }, /"method" does not fit/);
  await refused({ orders: [], parameters: { lr: [1] } }, /"orders" does not fit: it is empty/);
  await refused({ orders: [-1] }, /"orders\.0"/);
  await refused({ orders: [0], colour: 'red' }, /"colour" does not fit: there is no such entry/);
  await refused({ configurations: [{ method: 'kd', name: 3 }] }, /configurations\.0\.name/);
  await refused({ parameters: { method: ['kd', 'nothing'] } }, /"nothing" is not a built-in method/);
  const twice = (key: string, beside: string) =>
    new RegExp(`"${key}" varies beside "${beside}".*"orders" lists the orders`);
  for (const key of ['seed', 'classSeed'])
    await refused({ parameters: { [key]: [1, 2] }, orders: [0] }, twice(key, 'orders'));
  await refused({ configurations: [{ classOrder: 'numpy:3' }, { lr: 1 }], orders: [0] }, twice('classOrder', 'orders'));
  await refused({ configurations: [{ seed: 3 }, { lr: 1 }], seeds: [0] }, twice('seed', 'seeds'));
  await refused({ name: '../up', seeds: [0] }, /"name" does not fit/);
  assert.throws(() => parseSweep('{', 'my.json', 'my'), /not JSON/);
  const unnamed = /the sweep would be called "a:b" after its file.*up to 64 letters.*Give it a "name"/;
  assert.throws(() => parseSweep('{"seeds": [0]}', 'a:b.json', 'a:b'), unnamed);
  assert.is(parseSweep('{"name": "mine", "seeds": [0]}', 'a:b.json', 'a:b').name, 'mine');
  assert.throws(() => parseSweep('[1]', 'my.json', 'my'), /not a sweep/);
});

test('ten million runs are refused before any of them is made', async () => {
  const ten = Array.from({ length: 10 }, (_, i) => (i + 1) / 10);
  const keys = ['lr', 'momentum', 'kdWeight', 'temperature', 'baseLr', 'dropout', 'flip'];
  const file = { parameters: Object.fromEntries(keys.map((key) => [key, ten])) };
  await refused(file, /10,000,000 runs.*--limit 10000000/);
  await refused({ parameters: { lr: [0.1, 0.2] }, seeds: [0, 1] }, /4 runs, and 3 are the limit/, { limit: 3 });
});

test('the sweep that the README of the command line shows can be planned', () =>
  inFolder(async (folder) => {
    const readme = readFileSync('src/cli/README.md', 'utf8');
    const [, example = ''] = /```json\n(\{[^`]*"configurations"[^`]*)```/.exec(readme) ?? [];
    const path = join(folder, 'pools.json');
    await writeFile(path, example);
    const { sweep, runs, baseline } = await planSweep(path);
    assert.is(sweep.name, 'pools');
    assert.equal(
      [...new Set(labels(runs))],
      ['replay lr=0.05', 'replay lr=0.1', 'fdkd lr=0.05', 'fdkd lr=0.1', 'heavy lr=0.05', 'heavy lr=0.1'],
    );
    assert.is(runs.length, 36);
    assert.is(baseline, 'replay lr=0.05');
    const [, only = ''] = /`--only ([^`]+)`/.exec(readme) ?? [];
    const named = [...only.matchAll(/'([^']+)'/g)].map(([, label]) => label);
    assert.is(named.length, 2);
    for (const label of named) assert.ok(labels(runs).includes(label as string), label);
  }));

test.run();
