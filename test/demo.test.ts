/** The demo: the size it chooses, what it says of its runs, how it draws them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { differencesOf, ordersOf } from '../bench/experiments/demo-table.ts';
import { readResults } from '../bench/experiments/experiment.ts';
import { chooseSize, workOf } from '../src/cli/demo/choice.ts';
import { demoConfig, demoMethods, demoSizeNames, demoSizes } from '../src/cli/demo/sizes.ts';
import { type Spread, verdict } from '../src/cli/demo/verdict.ts';
import { settingsFor } from '../src/continual/benchmark/config.ts';
import { loadDataset } from '../src/data/load-dataset.ts';
import { BrailleCanvas } from '../src/report/braille-canvas.ts';
import { comparisonTable, type MethodResult } from '../src/report/comparison.ts';
import { besides, terminalChart } from '../src/report/terminal-chart.ts';
import { wrap } from '../src/report/wrap.ts';

const plain = (text: string): string => text;
const result = (method: string, last: number, change: Partial<MethodResult> = {}): MethodResult => ({
  method,
  runs: 1,
  seen: [90, last],
  firstTask: [90, last / 2],
  average: (90 + last) / 2,
  last,
  forgetting: 90 - last / 2,
  ...change,
});

const spread: Spread = {
  orders: 8,
  differences: [
    { of: 'replay', to: 'finetune', mean: 30, std: 5 },
    { of: 'fdkd', to: 'replay', mean: 4, std: 3 },
    { of: 'fdkd', to: 'finetune', mean: 34, std: 5 },
  ],
};
const said = (finetune: number, replay: number, fdkd: number, change: Partial<MethodResult> = {}) =>
  verdict(
    [result('finetune', finetune, change), result('replay', replay, change), result('fdkd', fdkd, change)],
    10,
    spread,
  );

test('the verdict claims what is beyond two standard deviations of one order, whoever wins', () => {
  assert.is(
    said(20, 50, 56).headline,
    'fdkd knows most, finetune least: of all 10 classes, in the end, fdkd 56.0 %, replay 50.0 %, finetune 20.0 %.',
  );
  assert.match(said(20, 50, 55.9).headline, /^fdkd and replay are within chance of each other, finetune knows least: /);
  assert.match(said(20, 56, 50).headline, /^replay knows most, finetune least: /, 'fdkd may lose');
  assert.match(said(20, 50, 50).headline, /are within chance of each other, finetune knows least: /, 'or tie');
  assert.match(said(50, 40, 65).headline, /^fdkd knows most, replay least: /);
  assert.match(said(48, 41, 65).headline, /^fdkd knows most; finetune and replay are within chance of each other: /);
  assert.match(said(40, 49, 51).headline, /^fdkd knows more than finetune; replay is within chance of both: /);
  assert.match(said(50, 51, 52).headline, /^The methods are within chance of each other: /);
});

test('what a run is held against is what was measured', async () => {
  const results = await readResults('bench/results/demo.jsonl');
  for (const name of demoSizeNames) {
    const orders = ordersOf(name, results);
    assert.ok(orders.length >= 5, name);
    const { differences, orders: told } = demoSizes[name];
    assert.is(told, orders.length, name);
    assert.equal(differences, differencesOf(orders), name);
  }
});

test('a mean over orders is less uncertain than one order', () => {
  assert.match(said(20, 50, 53).headline, /^fdkd and replay are within chance/);
  const four = said(20, 50, 53, { runs: 4 });
  assert.match(four.headline, /^fdkd knows most, finetune least/);
  assert.is(
    four.details[1],
    'Points apart in 4 orders: fdkd − replay +3.0 (chance ± 3.0; 8 orders before: +4.0), ' +
      'replay − finetune +30.0 (chance ± 5.0; 8 orders before: +30.0).',
  );
  assert.match(said(20, 60, 50).details[1]!, /replay − fdkd \+10\.0 \(chance ± 6\.0; 8 orders before: -4\.0\)/);
});

test('the details tell what is left of the first task', () => {
  assert.is(
    said(0, 50, 56).details[0],
    'Left of the first task, of 90.0 %: fdkd 28.0 %, replay 25.0 %, finetune 0.0 %.',
  );
});

test('the largest size that is quick enough is chosen, and the smallest where none is', () => {
  const at = (rate: number) =>
    chooseSize(
      [
        { name: 'small', seconds: 1e4 / rate },
        { name: 'medium', seconds: 4e4 / rate },
        { name: 'large', seconds: 4e5 / rate },
      ],
      90,
    ).name;
  assert.equal([1, 100, 444, 445, 1e4].map(at), ['small', 'small', 'small', 'medium', 'large']);
});

test('every size has settings for every method, trains all methods alike, and is more work than the one before', async () => {
  let before = 0;
  for (const name of demoSizeNames) {
    const { settings } = demoSizes[name];
    const split = await loadDataset(settings.data);
    const configs = demoMethods.map((method) => demoConfig(name, method, 3));
    for (const config of configs) {
      assert.equal(settingsFor('finetune', config), configs[0]);
    }
    const work = configs.reduce((total, config) => total + workOf(config, split, 8), 0);
    assert.ok(work > before, name);
    before = work;
  }
});

test('work counts images learnt, a third of one for a pass, and a network of twice the width for four', async () => {
  const split = await loadDataset('fashion-mini');
  const config = {
    ...demoConfig('small', 'replay', 0),
    tasks: 2,
    baseClasses: 0,
    classOrder: [0, 1, 2, 3],
    trainPerClass: 10,
    testPerClass: 3,
    memory: 4,
    baseEpochs: 0,
    epochs: 2,
  };
  // Learnt: 2 × 20 and 2 × (20 + 4 exemplars); tested: 2 and 4 classes of 3.
  assert.is(workOf(config, split, 8), 40 + 48 + 18 / 3);
  assert.is(workOf({ ...config, width: 16 }, split, 8), 4 * (40 + 48 + 18 / 3));
  assert.is(workOf({ ...config, method: 'fdkd' }, split, 8), 40 + 48 + 48 / 3 + 18 / 3);
  assert.is(workOf({ ...config, method: 'finetune' }, split, 8), 40 + 40 + 18 / 3);
});

test('a line of dots goes where it should', () => {
  const canvas = new BrailleCanvas(2, 1);
  canvas.line([0, 0], [3, 3], 0);
  assert.equal(
    [0, 1].map((column) => canvas.cell(column, 0).character),
    ['⠑', '⢄'],
  );
  canvas.line([0, -9], [0, 9], 1);
  assert.equal(canvas.cell(0, 0), { character: '⡗', pen: 1 });
});

test('a chart names its lines at their ends, each in a row of its own, within its width', () => {
  const rows = terminalChart({
    title: 'accuracy',
    ticks: ['1', '2', '3'],
    lines: [
      { label: 'low', values: [100, 50, 0], marker: 'x', paint: plain },
      { label: 'high', values: [100, 100, 100], marker: 'o', paint: plain },
      { label: 'as low', values: [100, 40, 0], marker: '*', paint: plain },
    ],
    width: 40,
    height: 8,
  });
  assert.is(rows.length, 8 + 3);
  for (const row of rows) assert.is(row.length, 40, row);
  assert.match(rows[1]!, /^100 ┤\*.*o o high +$/);
  assert.match(rows[7]!, /x low +$/);
  assert.match(rows[8]!, /^ {2}0 ┤.*x? \* as low/);
  assert.match(rows[10]!, /^ +1 +2 +3 +$/);
  assert.is(besides([rows, rows], '  ')[0]!.length, 82);
});

test('text is broken between words', () => {
  assert.equal(wrap('one two three fourteen five', 9), ['one two', 'three', 'fourteen', 'five']);
  assert.equal(wrap('unbreakable', 4), ['unbreakable']);
});

test('the table of a comparison fits into 80 columns', () => {
  const curve = Array.from({ length: 10 }, (_, task) => 100 - 9 * task);
  const rows = ['finetune', 'fdkd'].map((method) => result(method, 19, { seen: curve, firstTask: curve }));
  const lines = comparisonTable(rows, { colour: false }).split('\n');
  for (const line of lines) assert.ok(line.length <= 80, `${line.length}: ${line}`);
  assert.match(lines.at(-2)!, /│ fdkd +│ 100 91 82 73 64 55 46 37 28 19 +│ +19\.0 │ +54\.5 │ +19\.0 │ +80\.5 │/);
});

test.run();
