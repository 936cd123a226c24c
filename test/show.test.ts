/** `engram show`: what a report says, in a terminal and through a pipe. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type RunRecord, summaryOf } from '../src/continual/benchmark/run-record.ts';
import { differingSettings, unlikeProtocols } from '../src/report/differing-settings.ts';
import { commandWords, runCommand } from '../src/report/run-command.ts';
import { groupRuns } from '../src/report/run-groups.ts';
import { terminalComparison } from '../src/report/terminal-comparison.ts';
import { terminalRun, widthOf } from '../src/report/terminal-run.ts';
import { engram, refusedIn } from './support/command.ts';
import { countedRecord, plainRecord } from './support/run-records.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-show-'));
test.after(() => rmSync(home, { recursive: true, force: true }));
const at = (...parts: string[]): string => join(home, ...parts);
const folder = (name: string, files: Record<string, string>): string => {
  mkdirSync(at(name));
  for (const [file, text] of Object.entries(files)) writeFileSync(at(name, file), text);
  return at(name);
};
const counted = folder('counted', { 'run.json': JSON.stringify(countedRecord()) });
const plain = folder('plain', { 'run.json': JSON.stringify(plainRecord({ name: 'plain', method: 'kd' })) });
const narrow = { columns: 80, colour: false };

test('a run shows what it is, its matrix, curves, figures, losses and costs, in 80 columns and without colours', async () => {
  const { code, out, errors } = await engram('show', counted);
  assert.is(code, 0, errors);
  assert.not.ok(out.includes('\u001b'));
  assert.ok(widthOf(out) <= 80, `${widthOf(out)}`);
  for (const line of [
    'fdkd-0: fdkd on glyphs',
    'version         engram 1.2.3',
    '│ 2          │  70.0 │ 40.0 │     55.0 │',
    '% right after each task',
    '│ 2    │       2 │  55.0 │  70.0 │  40.0 │     50.9 │     100.0 │        15.0 │',
    'forgetting, best − last   30.0',
    '│ 2    │      1 │ 0.750 │ 0.500 │ 0.250 │  0.1 │   20 │ 3.00 MB │  5 s │',
  ])
    assert.ok(out.includes(line), `${line}\nin\n${out}`);
});

test('a terminal that has colours gets them, and many tasks are cut into tables that fit', () => {
  assert.ok(terminalRun(countedRecord(), { columns: 80, colour: true }).includes('\u001b[32m100.0'));
  const tasks = 25;
  const matrix = Array.from({ length: tasks }, (_, after) =>
    Array.from({ length: after + 1 }, (_, task) => 100 - after + task),
  );
  const long = plainRecord({ matrix, classesPerTask: new Array<number>(tasks).fill(2) });
  for (const columns of [60, 80, 132]) {
    const text = terminalRun(long, { columns, colour: false });
    assert.ok(widthOf(text) <= columns, `${widthOf(text)} of ${columns}`);
    const last = text.split('\n').filter((line) => line.startsWith('│ 25 '));
    const cells = last.slice(0, -1).flatMap((line) =>
      line
        .split('│')
        .slice(2, -1)
        .map((cell) => cell.trim()),
    );
    assert.equal(
      cells.slice(0, 25),
      matrix.at(-1)!.map((value) => value.toFixed(1)),
      'every task is there',
    );
  }
});

test('several runs stand side by side, and none is called better where their protocols are unlike', async () => {
  const { code, out } = await engram('show', counted, plain);
  assert.is(code, 0);
  assert.ok(widthOf(out) <= 80, `${widthOf(out)}`);
  assert.match(out, /│ fdkd-0 │ {3}fdkd │ {3}2\/2 │ {4}77\.5 │ 55\.0 │ {7}30\.0 │ 70\.0 │ 40\.0 │ 1 min │/);
  assert.match(out.replace(/\n/g, ' '), /unlike protocols \(classes a task, tasks learnt\): their figures say nothing/);
  assert.match(out, /^method +fdkd {2}\| {2}kd$/m);
  assert.not.match(out, /\bbest\b/);
  const alike = terminalComparison([countedRecord(), countedRecord({ name: 'b', method: 'kd' })], narrow);
  assert.not.match(alike, /unlike/);
});

test('a pipe gets tables however wide they are, unless COLUMNS says how wide it is read', async () => {
  const wide = plainRecord({
    name: 'a-name-of-a-run-that-is-as-long-as-most',
    method: 'a-method-of-mine',
    seconds: 7200,
  });
  const run = folder('wide', { 'run.json': JSON.stringify(wide) });
  const shown = async (columns: string) => {
    process.env.COLUMNS = columns;
    const { out } = await engram('show', run, counted);
    delete process.env.COLUMNS;
    return out;
  };
  const whole = await shown('');
  assert.match(whole, /│ a-name-of-a-run-that-… │ a-method-of-mine │ /);
  assert.ok(widthOf(whole) > 80, `${widthOf(whole)}`);
  assert.match(await shown('120'), /│ a-name-of-a-run-that-… │/);
  const narrower = await shown('60');
  assert.ok(widthOf(narrower) <= 60, `${widthOf(narrower)}`);
  assert.match(narrower, /^run a-name-of-a-run-that-…: method a-method-of-mine/m);
});

test('as JSON it tells the records, a line a run', async () => {
  const { code, out } = await engram('show', counted, plain, '--json');
  assert.is(code, 0);
  assert.equal(
    out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [countedRecord(), plainRecord({ name: 'plain', method: 'kd' })],
  );
});

test('runs that differ by seed and order alone are taken together, with their spread', () => {
  const seeds = [0, 1, 2].map((seed) =>
    countedRecord({ name: `s${seed}`, config: { seed, memory: 20 }, classOrder: [seed % 2, 1 - (seed % 2)] }),
  );
  const other = countedRecord({ name: 'other', config: { seed: 0, memory: 40 } });
  assert.equal(
    groupRuns([...seeds, other]).map(({ label, records }) => [label, records.length]),
    [
      ['fdkd, memory 20', 3],
      ['other', 1],
    ],
  );
  assert.match(terminalComparison([...seeds, other], narrow), /│ fdkd, memory 20 +│ +3 │ 77\.5 ± 0\.0 │/);
  assert.equal(unlikeProtocols([...seeds, other]), ['memory']);
  assert.equal(unlikeProtocols(seeds), []);
  assert.equal(differingSettings(seeds), [{ name: 'seed', values: ['0', '1', '2'] }]);
});

test('a run that is not finished shows what there is, and says so', async () => {
  const epoch = { type: 'epoch', task: 0, epoch: 0, loss: 2.25, lr: 0.1, images: 8, seconds: 2 };
  const begun = folder('begun', {
    'config.json': '{"method":"fdkd","data":"glyphs"}',
    'metrics.jsonl': `${JSON.stringify(epoch)}\n{"type":`,
  });
  const { code, out, errors } = await engram('show', begun);
  assert.is(code, 0, errors);
  assert.match(out, /unfinished: no task yet, and 1 epoch of task 1/);
  assert.match(out, /│ 1 \(begun\) │ +1 │ 2\.250 │/);
  assert.not.match(out, /NaN/);
  const half: RunRecord = countedRecord({ classesPerTask: [1, 1, 1], classOrder: [1, 0, 2] });
  assert.match(terminalRun(half, narrow), /unfinished: 2 of 3 tasks/);
  assert.match(terminalComparison([half, countedRecord()], narrow), /fdkd-0 is unfinished: 2 of 3 tasks\./);
  const both = await engram('show', begun, counted);
  assert.is(both.code, 0);
  assert.not.match(both.out, /NaN/);
});

test('the command that is shown learns the same run', async () => {
  const words =
    'train --method fdkd --data glyphs --class-order 3,0 --tasks 2 --train-per-class 4 --test-per-class 2 --epochs 2 --memory 4 --width 2 --no-align --schedule step --milestones 1 --scale 0.9,1.1';
  assert.is((await engram(...words.split(' '), '--out', at('one'))).code, 0);
  const record = JSON.parse(readFileSync(at('one', 'run.json'), 'utf8')) as RunRecord;
  const { code, errors } = await engram(...commandWords(record), '--out', at('two'));
  assert.is(code, 0, errors);
  const again = JSON.parse(readFileSync(at('two', 'run.json'), 'utf8')) as RunRecord;
  assert.equal([again.config, again.matrix], [record.config, record.matrix]);
  assert.equal(summaryOf(again).curve, summaryOf(record).curve);
  const odd = { method: 'mine', config: { methodFile: "./my method's.js", data: '/a b', seed: 0 } };
  assert.is(runCommand(odd), `engram train --method './my method'\\''s.js' --set 'data=/a b'`);
});

test('what is no run is refused in a paragraph', async () => {
  await refusedIn(home, ['show', at('nowhere')], /there is no such folder\. Give the folder of a run/);
  await refusedIn(home, ['show', home], /there is no run here \(no config\.json\)/);
  const damaged = folder('damaged', { 'run.json': '{"name":"x"}' });
  await refusedIn(home, ['show', counted, damaged], /run\.json: .* does not fit a run's record/);
});

test.run();
