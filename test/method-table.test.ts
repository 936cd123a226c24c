/** The comparison of the methods: what is run, what is skipped, and that no figure of it was typed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type MethodRun, methodRuns, ORDERS, PROTOCOLS } from '../bench/experiments/method-protocols.ts';
import {
  addMethodResult,
  type MethodResult,
  readMethodResults,
  recorded,
  resultOf,
} from '../bench/experiments/method-results.ts';
import { methodsPage, SEARCHED, withMethodTable } from '../bench/experiments/method-table.ts';
import { parseConfig } from '../src/continual/benchmark/config.ts';
import { METHOD_NAMES } from '../src/continual/methods/index.ts';
import { inFolder } from './support/in-folder.ts';
import { refusal } from './support/refusal.ts';

const runs = methodRuns('/data/fashion');
const run = (name: string) => runs.find((one) => one.name === name) as MethodRun;

const resultFor = (name: string, changes: Partial<MethodResult> = {}): MethodResult => ({
  run: name,
  config: recorded(run(name).config),
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

test('every method is run under every protocol in every order, by settings that are its own', () => {
  assert.is(runs.length, METHOD_NAMES.length * PROTOCOLS.length * ORDERS.length);
  assert.is(new Set(runs.map(({ name }) => name)).size, runs.length);
  for (const { name, config, method } of runs) assert.is(parseConfig(config, name).method, method);
  assert.is(run('glyphs/fdkd/2').config.classOrder, 'numpy:2');
});

test('a result counts for the settings it was made by, wherever the data lay', () => {
  const [kept, changed] = [resultFor('fashion/kd/0'), resultFor('fashion/kd/1')];
  const results = [kept, { ...changed, config: { ...changed.config, epochs: 3 } }];
  assert.is(resultOf(results, run('fashion/kd/0')), kept);
  assert.is(resultOf(results, methodRuns('/elsewhere').find(({ name }) => name === 'fashion/kd/0') as MethodRun), kept);
  assert.is(resultOf(results, run('fashion/kd/1')), undefined);
  const again = resultFor('fashion/kd/0', { average: 71 });
  assert.is(resultOf([...results, again], run('fashion/kd/0')), again, 'the latest');
});

test('results are read as they were written, and a line that is none is named', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'results', 'methods.jsonl');
    assert.equal(await readMethodResults(file), []);
    const results = [resultFor('fashion/kd/0'), resultFor('glyphs/wa/2', { cpuSeconds: null })];
    for (const result of results) await addMethodResult(file, result);
    assert.equal(await readMethodResults(file), results);
    await addMethodResult(file, { ...results[0], average: Number.NaN } as MethodResult).then(
      () => assert.unreachable(),
      () => {},
    );
    assert.equal(await readMethodResults(file), results);
    const broken = join(folder, 'broken.jsonl');
    writeFileSync(broken, '{"run": "fashion/kd/0"}\n');
    assert.match((await refusal(readMethodResults(broken))).message, /broken\.jsonl, line 1: this is not the result/);
  }));

test('means and spread, what is missing, and what PyTorch gave in the same orders', () => {
  const results = [
    resultFor('fashion/kd/0', { average: 70, last: 60, cpuSeconds: 300 }),
    resultFor('fashion/kd/1', { average: 74, last: 68, cpuSeconds: 200 }),
    resultFor('fashion/wa/0', { average: 71, last: 62 }),
  ];
  const page = methodsPage(results, '## Notes');
  assert.match(
    page,
    /\| `kd` \| 72\.0 ± 2\.8 \| 64\.0 ± 5\.7 \| 10\.0 ± 0\.0 \| 200 \| 2 \| 75\.6 \/ 69\.5 \(here 72\.0 \/ 64\.0\) \|/,
  );
  assert.match(page, /\| `wa` \| 71\.0 \| 62\.0 \| 10\.0 \| 150 \| 1 \| – \|/);
  assert.match(page, /\| `foster` \| – \| – \| – \| – \| 0 \| – \|/);
  assert.match(page, new RegExp(`\\*\\*${runs.length - 3} runs are missing yet`));
  const text = 'before\n<!-- methods: made by `npm run -s methods` -->\nold\n<!-- methods: end -->\nafter\n';
  const made = withMethodTable(text, results);
  assert.match(made, /^before\n<!-- methods: made by/);
  assert.match(made, /\| method \| what it does \| Fashion-MNIST \| verified \|\n/, 'no glyphs were run');
  assert.match(made, /\| `kd` \|[^\n]*\| 72\.0 \/ 64\.0 \| ✓ \|\n/);
  assert.match(made, /last accuracy in percent on 5 tasks of 2 Fashion-MNIST classes; means/);
  assert.match(made, /<!-- methods: end -->\nafter\n$/);
  assert.not.match(made, /\nold\n/);
  assert.is(withMethodTable(made, results), made);
  assert.is(withMethodTable('no marks', results), 'no marks');
});

test('what was tried in a search is told by its departures, on orders that are none of the table’s', () => {
  const [plain] = methodRuns('', { orders: [7] }).filter(({ name }) => name === 'fashion/wa/7');
  const searched = [{}, { align: false, taskSizes: [4, 6] }].map((tried) =>
    resultFor('fashion/wa/0', { run: 'fashion/wa/7', config: recorded({ ...plain?.config, ...tried }) }),
  );
  const page = methodsPage([], '## Notes', searched);
  assert.match(page, /\| `wa` \| Fashion-MNIST \| 7 \| as in the table \| 70\.0 \| 60\.0 \|/);
  assert.match(page, /\| `wa` \| Fashion-MNIST \| 7 \| `align=false` `taskSizes=4,6` \| 70\.0 \| 60\.0 \|/);
  assert.not.match(methodsPage([], '## Notes'), /search for settings/);
  const [tried] = methodRuns('', { orders: [7], tried: { epochs: 3 } });
  assert.is(tried?.config.epochs, 3);
});

test('the page and the table of the README are what is made of the results', async () => {
  const results = await readMethodResults('bench/results/methods.jsonl');
  const searched = await readMethodResults(SEARCHED);
  const text = (name: string) => readFileSync(name, 'utf8');
  const how = 'npm run -s methods -- --table makes it';
  assert.is(
    text('bench/results/methods.md'),
    methodsPage(results, text('bench/results/methods-notes.md'), searched),
    how,
  );
  assert.is(text('README.md'), withMethodTable(text('README.md'), results), how);
});

test.run();
