/** The page of runs: what is compared, what can be copied, and what the command says of runs that are not whole. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RunRecord } from '../src/continual/benchmark/run-record.ts';
import { runsLatex, runsMarkdown } from '../src/report/copy-tables.ts';
import { exemplarSheet } from '../src/report/exemplar-sheet.ts';
import { reportPage } from '../src/report/page.ts';
import { terminalRun } from '../src/report/terminal-run.ts';
import { engram, refusedIn } from './support/command.ts';
import { countedRecord, plainRecord } from './support/run-records.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-page-'));
test.after(() => rmSync(home, { recursive: true, force: true }));
const at = (...parts: string[]): string => join(home, ...parts);
const folder = (name: string, files: Record<string, string>): string => {
  mkdirSync(at(name), { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(at(name, file), text);
  return at(name);
};
const page = (records: readonly RunRecord[]) => parseHTML(reportPage(records)).document;
const rowsOf = (document: Document, table: string): string[][] =>
  [...document.querySelectorAll(`table.${table} tbody tr`)].map((row) =>
    [...row.querySelectorAll('th, td')].map((cell) => cell.textContent!.trim()),
  );

test('figures are over runs that have learnt as many tasks, and say of how many', () => {
  const classesPerTask = [1, 1, 1];
  const matrix = [[80], [60, 70], [40, 50, 60]];
  const finished = plainRecord({ name: 's0', config: { seed: 0 }, classesPerTask, matrix });
  const begun = plainRecord({ name: 's1', config: { seed: 1 }, classesPerTask, matrix: [[82]] });
  assert.match(runsMarkdown([finished, begun]), /\| fdkd \| 1 of 2 \| 65\.0 \| 50\.0 \| 30\.0 \|/);
  assert.equal(rowsOf(page([finished, begun]), 'groups')[0]!.slice(0, 4), ['fdkd', '1 of 2', '65.0', '50.0']);
});

test('later phases of tasks are told by their names, or by their numbers', () => {
  const [first, second] = countedRecord().losses;
  const later = (phase: number, more = {}) => [0, 1].map((epoch) => ({ ...second!, phase, epoch, ...more }));
  const record = countedRecord({ losses: [first!, second!, ...later(1, { phaseName: 'balance <b>' }), ...later(2)] });
  const document = page([record]);
  const svg = document.querySelector('svg[aria-label^="Training loss"]')!;
  const texts = [...svg.querySelectorAll('text')].map((text) => text.textContent);
  assert.ok(texts.includes('balance <b>') && texts.includes('phase 3'), texts.join('\n'));
  const titles = [...svg.querySelectorAll('title')].map((title) => title.textContent);
  assert.ok(titles.includes('task 2, balance <b>, epoch 2: loss 0.7500'), titles.join('\n'));
  assert.is(rowsOf(page([record]), 'costs')[1]![2], '1 + 2 balance <b> + 2');
  assert.match(terminalRun(record, { columns: 120, colour: false }), /│ 2 +│ 1 \+ 2 balance <b> \+ 2 │/);
});

test('seeds and orders are one stair with a band, and settings that differ are told', () => {
  const seeds = [
    [80, 50],
    [90, 60],
    [100, 70],
  ].map(([first, last], seed) =>
    plainRecord({
      name: `s${seed}`,
      config: { seed },
      classesPerTask: [1, 1],
      matrix: [[first!], [last!, last!]],
      last: last!,
    }),
  );
  const other = plainRecord({
    name: 'kd',
    method: 'kd',
    config: { seed: 0 },
    classesPerTask: [1, 1],
    matrix: [[70], [60, 60]],
  });
  const document = page([...seeds, other]);
  const svg = document.querySelector('svg[aria-label="Accuracy over classes seen"]')!;
  assert.is(svg.querySelectorAll('g[aria-label=line] path').length, 2);
  assert.is(svg.querySelectorAll('g[aria-label=area] path').length, 1, 'a single run has no spread');
  const titles = [...svg.querySelectorAll('title')].map((title) => title.textContent);
  assert.ok(titles.includes('fdkd: 60.0 ± 10.0 % of 2 classes, after task 2, mean of 3 runs'), titles.join('\n'));
  assert.equal(rowsOf(document, 'groups')[0]!.slice(0, 4), ['fdkd', '3', '75.0 ± 10.0', '60.0 ± 10.0']);
  assert.equal(rowsOf(document, 'differences'), [
    ['seed', '0', '1', '2', '0'],
    ['method', 'fdkd', 'fdkd', 'fdkd', 'kd'],
  ]);
  assert.ok(document.querySelector('td.best'), 'one protocol: the best of each figure is marked');
  assert.not.ok(document.querySelector('p.note'));
});

test('runs of one way have a matrix of means beside their own, by the places of tasks', () => {
  const classesPerTask = [1, 1];
  const [a, b] = [
    plainRecord({ name: 'a', classesPerTask, classOrder: [0, 1], matrix: [[80], [40, 60]] }),
    plainRecord({ name: 'b', classesPerTask, classOrder: [1, 0], matrix: [[90], [60, 80]] }),
  ];
  const begun = plainRecord({ name: 'c', classesPerTask, classOrder: [0, 1], matrix: [[100]] });
  const none = plainRecord({ name: 'd', classesPerTask, classOrder: [0, 1], matrix: [] });
  const other = plainRecord({ name: 'kd', method: 'kd', classesPerTask, matrix: [[70], [60, 60]] });
  const shown = (records: readonly RunRecord[]) =>
    [...page(records).querySelectorAll('.mean-matrix')].map((figure) => ({
      caption: figure.querySelector('figcaption')!.textContent!.replace(/\s+/g, ' '),
      cells: [...figure.querySelectorAll('tbody tr')].map((row) =>
        [...row.querySelectorAll('td')].map((cell) => cell.textContent),
      ),
      shares: [...figure.querySelectorAll('td[style]')].map((cell) => cell.getAttribute('style')),
    }));
  // Of two numbers the deviation is their distance by the square root of 2.
  const [both, ...others] = shown([a!, b!, other, none]);
  assert.is(others.length, 0, 'a single run has no mean');
  assert.equal(both!.cells, [
    ['85.0 ± 7.1', '', '85.0 ± 7.1'],
    ['50.0 ± 14.1', '70.0 ± 14.1', '60.0 ± 14.1'],
  ]);
  assert.equal(both!.shares, ['--share:0.850', '--share:0.500', '--share:0.700']);
  assert.match(both!.caption, /^fdkd: means of 2 runs ± standard deviations\./);
  assert.match(both!.caption, /class orders differ: a column is the task in this place/);
  assert.not.match(both!.caption, /As far as/);
  const [three] = shown([a!, { ...b!, classOrder: [0, 1] }, begun]);
  assert.equal(three!.cells, [['90.0 ± 10.0', '90.0 ± 10.0']]);
  assert.match(three!.caption, /: means of 3 runs .* As far as all of them have learnt\.$/);
});

test('of unlike protocols none is the best, and why is said', () => {
  for (const unlike of [{ dataset: 'mnist' }, { classesPerTask: [10, 15, 15] }, { config: { memory: 7 } }]) {
    const document = page([plainRecord(), plainRecord({ name: 'b', average: 99, ...unlike })]);
    assert.not.ok(document.querySelector('td.best'), JSON.stringify(unlike));
    assert.match(document.querySelector('p.note')!.textContent!, /unlike protocols \((data|classes a task|memory)\)/);
  }
});

test('classes are told by name, and losses, rates, time and memory apart', () => {
  const document = page([countedRecord()]);
  assert.equal(rowsOf(document, 'classes'), [
    ['=cup', '1', '10', '100.0', '70.0', 'pen; ink (30.0)'],
    ['pen; ink', '2', '10', '40.0', '40.0', '=cup (60.0)'],
  ]);
  assert.equal(rowsOf(document, 'class-confusion'), [
    ['=cup', '70.0', '30.0'],
    ['pen; ink', '60.0', '40.0'],
  ]);
  const losses = document.querySelector('svg[aria-label="Training loss of fdkd-0"]')!;
  assert.is(losses.querySelectorAll('g[aria-label=line] path').length, 3, 'the loss, ce and kd');
  assert.ok(document.querySelector('svg[aria-label="Learning rate of fdkd-0"]'));
  assert.equal(rowsOf(document, 'costs')[1], ['2', '1', '1', '5 s', '8', '20', '15.7 kB', '3.00 MB', 'gamma 0.900']);
});

test('figures and commands can be copied, with their version', () => {
  const runs = [countedRecord(), countedRecord({ name: 'b_1', method: 'k&d' })];
  assert.is(
    runsMarkdown(runs),
    '| method | runs | average, % | last, % | forgetting |\n| :-- | --: | --: | --: | --: |\n' +
      '| fdkd | 1 | 77.5 | 55.0 | 30.0 |\n| k&d | 1 | 77.5 | 55.0 | 30.0 |',
  );
  assert.match(runsLatex(runs), /^fdkd & 1 & 77\.5 & 55\.0 & 30\.0 \\\\\nk\\&d & 1 & 77\.5/m);
  assert.match(
    runsLatex([runs[0]!, countedRecord({ config: { ...countedRecord().config, seed: 1 } })]),
    /fdkd & 2 & 77\.5 \$\\pm\$ 0\.0 &/,
  );
  const document = page(runs);
  const texts = [...document.querySelectorAll('pre')].map(({ textContent }) => textContent);
  assert.is(texts[0], `${runsMarkdown(runs)}\n`);
  assert.match(texts[2]!, /^engram train --method fdkd /);
  assert.match(document.body.textContent!, /Version: engram 1\.2\.3\./);
});

test('exemplars are pictures of each class', () => {
  const exemplars = [0, 0, 1].map((label, i) => ({ label, pixels: Uint8Array.from([i, 50, 100, 150]) }));
  const sheet = exemplarSheet({ classes: ['cup', 'pen'], format: { height: 2, width: 2, channels: 1 }, exemplars });
  const { document } = parseHTML(reportPage([countedRecord()], { exemplars: [sheet] }));
  assert.equal(
    [...document.querySelectorAll('.kept')].map((one) => [
      one.querySelector('small')!.textContent,
      one.querySelectorAll('img').length,
    ]),
    [
      ['2', 2],
      ['1', 1],
    ],
  );
  assert.ok(
    [...document.querySelectorAll('img')].every((img) => img.getAttribute('src')!.startsWith('data:image/png;base64,')),
  );
});

test('the command shows what there is of a run, and says what there is not', async () => {
  const counted = folder('counted', { 'run.json': JSON.stringify(countedRecord({ classesPerTask: [1, 1, 1] })) });
  const epoch = { type: 'epoch', task: 0, epoch: 0, loss: 2.25, lr: 0.1, images: 8, seconds: 2 };
  const begun = folder('begun', {
    'config.json': '{"method":"fdkd","data":"glyphs"}',
    'metrics.jsonl': `${JSON.stringify(epoch)}\n`,
    'checkpoint.safetensors': 'no checkpoint',
  });
  const { code, out, errors } = await engram('report', counted, begun, '--out', at('page.html'));
  assert.is(code, 0, errors);
  assert.match(out, /fdkd-0 is unfinished: 2 of 3 tasks\.\nbegun is unfinished: no task yet, and 1 epoch of task 1\./);
  assert.match(out, /The exemplars cannot be shown: .*checkpoint\.safetensors/);
  assert.not.match(out, /NaN/);
  const text = readFileSync(at('page.html'), 'utf8');
  assert.not.match(text, /NaN/);
  assert.match(text, /This run is unfinished: no task yet, and 1 epoch of task 1\./);
  assert.is((await engram('report', begun)).code, 0);
  await refusedIn(home, ['report', at('nowhere')], /there is no such folder/);
  await refusedIn(home, ['report', counted, '--out', at('page.html', 'x.html')], /nothing can be written here/);
  const damaged = folder('damaged', {});
  copyFileSync(at('counted', 'run.json'), join(damaged, 'run.json'));
  writeFileSync(join(damaged, 'metrics.jsonl'), '{"type":"epoch"}\n');
  await refusedIn(home, ['report', counted, damaged, '--out', at('other.html')], /line 1 does not fit a run's log/);
  assert.not.ok(existsSync(at('other.html')));
});

test.run();
