/** The comparison of the methods: what is run, and that no figure of its pages was typed. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { evidenceSweeps } from '../bench/experiments/evidence-page.ts';
import { PROTOCOLS } from '../bench/experiments/method-protocols.ts';
import {
  type ByProtocol,
  besideOurs,
  byProtocol,
  methodsPage,
  withMethodTables,
} from '../bench/experiments/method-table.ts';
import { type PyTorchRun, pytorchRuns } from '../bench/experiments/pytorch-runs.ts';
import { sweepNames } from '../bench/experiments/recorded-sweep.ts';
import { METHOD_NAMES, methods } from '../src/continual/methods/index.ts';
import type { PlannedRun } from '../src/sweep/plan.ts';
import type { SweepResult } from '../src/sweep/results.ts';

const compared = await byProtocol('methods');
const searched = await byProtocol('search');
const beside = besideOurs(compared, await byProtocol('seeds'), await pytorchRuns());

const resultFor = (label: string, order: number, changes: Partial<SweepResult> = {}): SweepResult => ({
  run: `${label}-${order}`,
  label,
  pair: `order ${order}`,
  config: { method: label.split(' ')[0] },
  average: 70,
  last: 60,
  forgetting: 10,
  curve: [80, 60],
  matrix: [[80], [60, 60]],
  seconds: 100,
  cpuSeconds: 150,
  adapter: 'an adapter',
  date: '2026-11-28',
  version: '0.1.0',
  ...changes,
});

/** A comparison of which this much was run. */
const withResults = (fashion: readonly SweepResult[], glyphs: readonly SweepResult[] = []): ByProtocol => ({
  fashion: { runs: compared.fashion.runs, results: fashion },
  glyphs: { runs: compared.glyphs.runs, results: glyphs },
});
const nothing = withResults([]);

test('every method is run under every protocol in three orders, and a search in none of them', () => {
  for (const protocol of PROTOCOLS) {
    const { runs } = compared[protocol];
    assert.is(runs.length, 3 * METHOD_NAMES.length);
    for (const name of METHOD_NAMES) {
      const own = runs.filter(({ config }) => config.method === name);
      assert.equal(
        own.map(({ label, pair }) => [label, pair]),
        [0, 1, 2].map((order) => [name, `order ${order}`]),
      );
    }
    const orders = (list: readonly PlannedRun[]) => new Set(list.map(({ pair }) => pair));
    for (const order of orders(searched[protocol].runs)) assert.not.ok(orders(runs).has(order), order);
  }
});

test('means and spread, what is missing, and what PyTorch gave in the same orders', () => {
  const some = withResults([
    resultFor('kd', 0, { average: 70, last: 60, cpuSeconds: 300 }),
    resultFor('kd', 1, { average: 74, last: 68, cpuSeconds: 200 }),
    resultFor('wa', 0, { average: 71, last: 62, cpuSeconds: null }),
  ]);
  const page = methodsPage(some, '## Notes', nothing);
  assert.match(
    page,
    /\| `kd` \| 72\.0 ± 2\.8 \| 64\.0 ± 5\.7 \| 10\.0 ± 0\.0 \| 200 \| 2 \| 75\.6 \/ 69\.5 \(here 72\.0 \/ 64\.0\) \|/,
  );
  assert.match(page, /\| `wa` \| 71\.0 \| 62\.0 \| 10\.0 \| – \| 1 \| – \|/);
  assert.match(page, /\| `foster` \| – \| – \| – \| – \| 0 \| – \|/);
  assert.match(page, new RegExp(`\\*\\*${6 * METHOD_NAMES.length - 3} runs are missing yet`));
  const text =
    'before\n<!-- methods: made by `npm run -s evidence -- methods` -->\nold\n<!-- methods: end -->\nafter\n';
  const made = withMethodTables(text, some);
  assert.match(made, /^before\n<!-- methods: made by/);
  assert.match(made, /\| method \| what it does \| Fashion-MNIST \| verified \|\n/, 'no glyphs were run');
  assert.match(made, /\| `kd` \|[^\n]*\| 72\.0 \/ 64\.0 \(2\) \| ✓ \|\n/, 'of three orders two were run');
  assert.match(made, /\| `foster` \|[^\n]*\| – \| {2}\|\n/);
  assert.match(
    made,
    /last accuracy in percent on 5 tasks of 2 Fashion-MNIST classes; means over 3 class orders,\nin brackets over how many/,
  );
  assert.match(page, /deviations over up to 3 orders/);
  assert.match(made, /<!-- methods: end -->\nafter\n$/);
  assert.not.match(made, /\nold\n/);
  assert.is(withMethodTables(made, some), made);
  assert.is(withMethodTables('no marks', some), 'no marks');
});

test('where every order was run, no number of them is told', () => {
  const whole = METHOD_NAMES.flatMap((name) => [0, 1, 2].map((order) => resultFor(name, order)));
  const all = withResults(whole, whole);
  const text = '<!-- methods: made by `npm run -s evidence -- methods` -->\n<!-- methods: end -->';
  const made = withMethodTables(text, all);
  assert.match(made, /\| `kd` \|[^\n]*\| 70\.0 \/ 60\.0 \| 70\.0 \/ 60\.0 \| ✓ \|\n/);
  assert.match(made, /means over 3 class orders\.\n/);
  assert.not.match(made, /\(3\)|in brackets/);
  assert.match(methodsPage(all, '## Notes', nothing), /deviations over 3 orders/);
});

test('PyTorch’s runs are taken order by order, and their chance is that of a seed', () => {
  const run = (method: string, order: number, seed: number, average: number, last: number): PyTorchRun => ({
    ...{ protocol: 'glyphs', method, order, seed, average, last, torch: '1.13.1', date: '2026-11-30' },
  });
  const theirs = [
    // Order 0 was run twice, and order 5 never here.
    ...[run('kd', 0, 0, 60, 50), run('kd', 0, 1, 62, 54), run('kd', 1, 0, 51, 42), run('kd', 5, 0, 0, 0)],
    run('tkd', 2, 0, 50, 50),
  ];
  const some = withResults(
    [],
    [
      resultFor('kd', 0, { average: 61.5, last: 50 }),
      resultFor('kd', 1, { average: 53, last: 42 }),
      resultFor('kd', 2, { average: 0, last: 0 }),
    ],
  );
  // Another seed, and one of the comparison's runs once more.
  const again = withResults(
    [],
    [
      resultFor('kd', 1, { run: 'kd-1', pair: 'order 1, seed 1', average: 53, last: 42 }),
      resultFor('kd', 1, { run: 'more', pair: 'order 1, seed 4', average: 57, last: 44 }),
    ],
  );
  const page = methodsPage(some, '## Notes', nothing, besideOurs(some, again, theirs));
  assert.match(page, /in plain PyTorch \(1\.13\.1\)/);
  assert.match(
    page,
    /\| glyphs \| `kd` \| 0, 1 \| 56\.0 \/ 47\.0 \| 3 \| 58\.3 \/ 46\.5 \| 3 \| \+2\.3 \/ −0\.5 \| 1\.4 \/ 2\.8 \|/,
  );
  assert.not.match(page, /\| glyphs \| `tkd` \| 2/, 'not run here');
  const marks = '<!-- pytorch: made by `npm run -s evidence -- methods` -->\n<!-- pytorch: end -->';
  assert.match(
    withMethodTables(marks, some, besideOurs(some, again, theirs)),
    /\| glyphs \| `kd` \| 58\.3 \/ 46\.5 \| 56\.0 \/ 47\.0 \| \+2\.3 \/ −0\.5 \| 3 and 3 \|/,
  );
  assert.not.match(methodsPage(some, '## Notes', nothing), /Next to PyTorch/);
});

test('what was tried in a search is told by what it set', () => {
  const stopped = { ...resultFor('wa lr=9', 7), stopped: 2 };
  const tried = withResults([resultFor('wa', 7), resultFor('wa align=false taskSizes=[4,6]', 7), stopped]);
  const page = methodsPage(nothing, '## Notes', tried);
  assert.match(page, /\| `wa` \| Fashion-MNIST \| 7 \| the method's own \| 70\.0 \| 60\.0 \|/);
  assert.match(page, /\| `wa` \| Fashion-MNIST \| 7 \| `lr=9` \| 70\.0 \| 60\.0, stopped after task 2 \|/);
  assert.match(page, /\| `wa` \| Fashion-MNIST \| 7 \| `align=false` `taskSizes=\[4,6\]` \| 70\.0 \| 60\.0 \|/);
  assert.not.match(methodsPage(nothing, '## Notes', nothing), /search for settings/);
});

test('what is not an experiment of its own page is a comparison of methods, or its search', async () => {
  const sweeps = await evidenceSweeps();
  const rest = (await sweepNames()).filter((name) => !sweeps.some((sweep) => sweep.name === name));
  assert.equal(rest, [
    'methods-fashion',
    'methods-glyphs',
    'search-fashion',
    'search-glyphs',
    'seeds-fashion',
    'seeds-glyphs',
  ]);
});

test('the page and the table of the README are what is made of the results', async () => {
  const text = (name: string) => readFileSync(name, 'utf8');
  const how = 'npm run -s evidence -- --table makes it';
  assert.is(
    text('bench/results/methods.md'),
    methodsPage(compared, text('bench/results/methods-notes.md'), searched, beside),
    how,
  );
  assert.is(text('README.md'), withMethodTables(text('README.md'), compared, beside), how);
});

test('what a method says it was verified by, its runs beside PyTorch’s say too', () => {
  for (const { name, verified } of Object.values(methods)) {
    const rows = beside.filter(({ method }) => method === name);
    assert.is(verified !== undefined, rows.length > 0, name);
    const apart = (at: 0 | 1) =>
      Math.max(...rows.map(({ ours, theirs }) => Math.abs(ours[at] - theirs[at]))).toFixed(1);
    if (verified)
      assert.match(
        verified,
        new RegExp(`^PyTorch, average within ${apart(0)} and last within ${apart(1)} points `),
        name,
      );
  }
});

test.run();
