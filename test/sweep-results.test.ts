/** What a sweep makes of its results: comparisons, early stops, how long it takes, a file that holds each once. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planSweep } from '../src/cli/sweep-plan.ts';
import { outcomeText } from '../src/cli/sweep-view.ts';
import { meanOf, pairedDifference } from '../src/report/statistics.ts';
import { bestFirst, compareConfigurations, countedOver } from '../src/sweep/comparison.ts';
import { isHopeless } from '../src/sweep/early-stop.ts';
import { secondsLeft } from '../src/sweep/remaining-time.ts';
import { ResultsFile, type SweepResult } from '../src/sweep/results.ts';
import { sweepLegend, sweepMarkdown, sweepTable } from '../src/sweep/sweep-table.ts';
import { engram } from './support/command.ts';
import { inFolder } from './support/in-folder.ts';

const result = (label: string, order: number, last: number, more: Partial<SweepResult> = {}): SweepResult => ({
  run: `${label}-${order}`,
  label,
  pair: `order ${order}`,
  average: last + 10,
  last,
  forgetting: 20,
  curve: [90, last],
  matrix: [[90], [last, last]],
  seconds: 10,
  cpuSeconds: 15,
  adapter: 'an adapter',
  date: '2026-01-01',
  version: '1.0.0',
  config: { method: label },
  ...more,
});

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, ${expected} expected`);

test('means have the sample standard deviation and its standard error', () => {
  const { runs, mean, std, error } = meanOf([2, 4, 4, 6]);
  assert.is(runs, 4);
  near(mean, 4);
  near(std, Math.sqrt(8 / 3));
  near(error, Math.sqrt(8 / 3) / 2);
  assert.ok(Number.isNaN(meanOf([3]).std));
});

test('differences are paired by order: a hard order that moves both is no part of their error', () => {
  const results = [
    result('kd', 0, 50),
    result('kd', 1, 70),
    result('kd', 2, 90),
    result('fdkd', 0, 51),
    result('fdkd', 1, 71.5),
    result('fdkd', 2, 91),
    // Without a partner.
    result('fdkd', 3, 10),
  ];
  const [kd, fdkd] = compareConfigurations(results, 'kd');
  assert.is(kd!.differences, null);
  near(kd!.figures.last.std, 20);
  const { last } = fdkd!.differences!;
  near(last.mean, 3.5 / 3);
  near(last.error, meanOf([1, 1.5, 1]).error);
  assert.equal([last.runs, last.ahead, last.behind], [3, 3, 0]);
  assert.is(fdkd!.figures.last.runs, 4);
  assert.equal([pairedDifference([1, -1, 0]).ahead, pairedDifference([1, -1, 0]).behind], [1, 1]);
});

test('several seeds of one class order are one trial, and of one order alone each is', () => {
  const seeded = (label: string, pairs: Readonly<Record<string, number>>) =>
    Object.entries(pairs).map(([pair, last]) => result(label, 0, last, { pair }));
  const zero = { 'order 0, seed 0': 0, 'order 0, seed 1': 0, 'order 1, seed 0': 0, 'order 1, seed 1': 0 };
  const ahead = { 'order 0, seed 0': 4, 'order 0, seed 1': 6, 'order 1, seed 0': 1, 'order 1, seed 1': -3 };
  const results = [...seeded('kd', zero), ...seeded('fdkd', ahead)];
  const { last } = compareConfigurations(results, 'kd')[1]!.differences!;
  // 5 in the one order, −1 in the other.
  near(last.mean, 2);
  near(last.error, 3);
  assert.equal([last.runs, last.ahead, last.behind], [2, 1, 1]);
  const alone = results.filter(({ pair }) => pair.startsWith('order 0'));
  const seeds = compareConfigurations(alone, 'kd')[1]!.differences!.last;
  near(seeds.mean, 5);
  near(seeds.error, 1);
  assert.equal([seeds.runs, seeds.ahead], [2, 2]);
  assert.is(countedOver(Object.keys(zero)), 'orders of seeds');
  assert.is(countedOver(['order 0', 'order 1', 'order 1']), 'orders');
  assert.is(countedOver(['seed 0', 'seed 1']), 'seeds');
  assert.is(countedOver(['classSeed 0, seed 1', 'classSeed 1, seed 1']), 'orders', 'of a configuration’s own');
});

test('the legend says what the table shows, and no more', () => {
  const kd = [result('kd', 0, 50), result('kd', 1, 52)];
  const fdkd = [result('fdkd', 0, 50), result('fdkd', 1, 52)];
  const legend = (results: readonly SweepResult[], baseline?: string) =>
    sweepLegend(compareConfigurations(results, baseline), { runs: results, baseline });
  assert.is(legend([]), '');
  assert.is(legend(kd.slice(1)), '', 'one run has no spread');
  assert.is(legend(kd), 'figures: mean ± standard deviation over runs');
  assert.is(
    legend([...kd, ...fdkd], 'kd'),
    'figures: mean ± standard deviation over runs; Δ: mean difference to kd ± standard error over class orders (orders ahead:behind)',
  );
  const seeded = [...kd, ...fdkd].flatMap((one) =>
    [0, 1].map((seed) => ({ ...one, pair: `${one.pair}, seed ${seed}` })),
  );
  assert.match(legend(seeded, 'kd'), /standard error over class orders, each the mean over its seeds \(orders/);
  const ofSeeds = seeded.map((one) => ({ ...one, pair: one.pair.replace(/order \d/, 'order 0') }));
  assert.match(legend(ofSeeds, 'kd'), /standard error over seeds \(seeds ahead:behind\)/);
  assert.is(
    legend([kd[0]!, fdkd[0]!, { ...fdkd[1]!, stopped: 1 }], 'kd'),
    'runs that were stopped are left out; Δ: mean difference to kd (orders ahead:behind)',
  );
});

test('runs that were stopped are counted, and in no mean', () => {
  const [one] = compareConfigurations([result('kd', 0, 50), result('kd', 1, 5, { stopped: 2 })]);
  assert.equal([one!.runs, one!.stopped, one!.figures.last.mean], [2, 1, 50]);
});

test("a random search's table has the best last accuracy first, a grid's the order of its file", () =>
  inFolder(async (folder) => {
    const tableOf = async (method: string, more: object) => {
      const file = join(folder, `${method}.json`);
      const results = join(folder, `${method}.jsonl`);
      await writeFile(file, JSON.stringify({ method, parameters: { lr: [0.1, 0.2, 0.3] }, seeds: [0, 1], ...more }));
      const { runs } = await planSweep(file);
      const recorded = await ResultsFile.open(results);
      for (const { id, label, pair, config } of runs)
        await recorded.add(result(label, 0, 10 + 100 * (config.lr as number), { run: id, pair }));
      const { code, out, errors } = await engram('sweep', file, '--table', '--markdown', '--results', results);
      assert.is(code, 0, errors);
      return { rates: [...out.matchAll(/^\| lr=([\d.]+)/gm)].map((found) => Number(found[1])), out };
    };
    const grid = await tableOf('grid', {});
    assert.equal(grid.rates, [0.1, 0.2, 0.3]);
    assert.match(grid.out, /\|\n\nfigures: mean ± standard deviation over runs\n$/);
    const random = await tableOf('random', { runs: 8, randomSeed: 2 });
    assert.equal(random.rates, [0.3, 0.2, 0.1]);
    assert.match(random.out, /\n\nthe best last accuracy first; figures: mean/);
  }));

test('what has no finished run comes last', () => {
  const results = [result('hopeless', 0, 90, { stopped: 2 }), result('kd', 0, 50), result('fdkd', 0, 60)];
  assert.equal(
    bestFirst(compareConfigurations(results)).map(({ label }) => label),
    ['fdkd', 'kd', 'hopeless'],
  );
});

test('a run that was stopped says after how many tasks', () => {
  assert.is(outcomeText(result('kd', 0, 50)), 'average 60.0 %, last 50.0 %');
  assert.match(outcomeText(result('kd', 0, 50, { stopped: 1 })), /, stopped after 1 task$/);
  assert.match(outcomeText(result('kd', 0, 50, { stopped: 2 })), /, stopped after 2 tasks$/);
});

test('tables tell what is done of what is planned', () => {
  const results = [result('kd', 0, 50), result('kd', 1, 52), result('a|b', 0, 49), result('a|b', 1, 54)];
  const compared = compareConfigurations(results, 'kd');
  const planned = new Map([
    ['kd', 3],
    ['a|b', 2],
    ['wa', 3],
  ]);
  const text = sweepTable(compared, planned, { colour: false });
  assert.match(text, /│ kd +│ +2\/3 │ 61.0 ± 1.4 │ 51.0 ± 1.4 │ 20.0 ± 0.0 │/);
  assert.match(text, /│ a\|b +│ +2 │ 61.5 ± 3.5 │ .*│ \+0.5 ± 1.5 \(1:1\) │/);
  assert.match(text, /│ wa +│ +0\/3 │ +│/);
  const markdown = sweepMarkdown(compared, planned);
  assert.match(markdown, /^\| configuration \| runs \|/);
  assert.match(markdown, /\n\| a\\\|b \| 2 \| 61.5 ± 3.5 \|/);
});

test('a sweep that grew by a parameter has its results under the names of now', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'my.json');
    const results = join(folder, 'results.jsonl');
    const write = (lr: readonly number[]) =>
      writeFile(
        file,
        JSON.stringify({ parameters: { method: ['kd', 'wa'], ...(lr.length > 0 ? { lr } : {}) }, seeds: [0] }),
      );
    await write([]);
    const { runs } = await planSweep(file);
    const recorded = await ResultsFile.open(results);
    for (const { id: run, label, pair } of runs) await recorded.add(result(label, 0, 50, { run, pair }));
    // The rate that they had by default, and another.
    const { lr } = runs[0]!.config;
    await write([lr, 2 * lr]);
    const { code, out, errors } = await engram('sweep', file, '--table', '--markdown', '--results', results);
    assert.is(code, 0, errors);
    assert.match(out, new RegExp(`\\| kd lr=${lr} \\| 1 \\|.*\\n\\| wa lr=${lr} \\| 1 \\|`));
    assert.not.match(out, /\| kd \|/);
  }));

test('a run is hopeless that is below the median of three or more others by more than the margin', () => {
  const rule = { minTasks: 2, margin: 1 };
  const others = [[90, 80], [90, 70], [90, 60], [90]];
  assert.is(isHopeless([90, 67.9], 4, others, rule), true);
  // The median of the averages is 80.
  assert.is(isHopeless([90, 68], 4, others, rule), false);
  assert.is(isHopeless([10], 4, others, rule), false, 'before it has learnt two tasks');
  assert.is(isHopeless([10, 10], 4, others.slice(1), rule), false, 'two others are no median');
  assert.is(isHopeless([10, 10], 2, others, rule), false, 'nothing is left to be stopped');
});

test('what is left is reckoned by what runs of the configuration took, or by the others', () => {
  assert.is(secondsLeft([{ label: 'a', done: 0, seconds: 0 }]), null);
  assert.is(secondsLeft([{ label: 'a', done: 0.01, seconds: 5 }]), null, 'a hundredth tells nothing');
  const runs = [
    { label: 'a', done: 1, seconds: 100 },
    { label: 'a', done: 0.5, seconds: 60 },
    { label: 'a', done: 0, seconds: 0 },
    { label: 'b', done: 1, seconds: 200 },
    { label: 'c', done: 0, seconds: 0 },
  ];
  // a takes 110, c as long as the mean of 100, 120 and 200.
  near(secondsLeft(runs)!, 55 + 110 + 140);
});

test('a file of results holds each run once, and takes a half-written line away', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'results.jsonl');
    const file = await ResultsFile.open(path);
    assert.is(await file.add(result('kd', 0, 50)), true);
    assert.is(await file.add(result('kd', 0, 99)), false);
    await Promise.all([file.add(result('kd', 1, 51)), file.add(result('kd', 2, 52)), file.add(result('kd', 1, 98))]);
    await appendFile(path, '{"run": "half');
    const again = await ResultsFile.open(path);
    assert.equal(
      again.all.map(({ last }) => last),
      [50, 51, 52],
    );
    await again.add(result('kd', 3, 53));
    const lines = (await readFile(path, 'utf8')).split('\n');
    assert.is(lines.length, 5);
    assert.equal(JSON.parse(lines[3]!), result('kd', 3, 53));
    await appendFile(path, '{"run": 3}\n');
    const error = await ResultsFile.open(path).catch((reason: Error) => reason);
    assert.match((error as Error).message, /results.jsonl, line 5: this is not the result of a run/);
  }));

test.run();
