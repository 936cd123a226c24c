/** What a compression came to: losses side by side, and the page that shows them. */
import { parseHTML } from 'linkedom';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compressionPage } from '../src/report/compression-page.ts';
import { compareLosses, type StudentResult } from '../src/report/compression-results.ts';
import { type CompressionReport, lossTable, networkTable, short } from '../src/report/compression-tables.ts';

const result = (loss: StudentResult['loss'], seed: number, accuracy: number): StudentResult => ({
  run: `${loss}${seed}`,
  loss,
  seed,
  accuracy,
  seconds: 10 + seed,
  adapter: 'none',
  date: '2026-11-29T00:00:00.000Z',
  version: '0',
  config: {},
});

const results = [
  result('scratch', 0, 40),
  result('kd', 2, 56),
  result('kd', 0, 50),
  result('kd', 1, 52),
  result('dense', 0, 53),
  result('dense', 1, 53),
  result('dense', 3, 90),
];

test('a difference is of one seed, and a seed that the usual distillation lacks is in none', () => {
  const [dense, kd, scratch, ...others] = compareLosses(results);
  assert.is(others.length, 0, 'decoupled was not run');
  assert.equal(kd!.accuracies, [50, 52, 56], 'by seed');
  assert.is(kd!.difference, null);
  assert.equal([dense!.difference!.runs, dense!.difference!.mean, dense!.difference!.error], [2, 2, 1]);
  assert.equal([dense!.difference!.ahead, dense!.difference!.behind], [2, 0]);
  assert.is(dense!.accuracy.runs, 3);
  assert.equal([scratch!.difference!.mean, scratch!.difference!.behind], [-10, 1]);
  assert.is(kd!.seconds, 11);
  assert.ok(compareLosses([result('dense', 0, 1)]).every(({ difference }) => difference === null));
});

const cost = { parameters: 77_000, bytes: 310_000, flops: 18_300_000, imagesPerSecond: 178 };
const report = (losses = compareLosses(results)): CompressionReport => ({
  losses,
  teacher: { name: 'teacher <resnet8>', ...cost },
  student: { name: 'student', parameters: 5500, bytes: 22_000, flops: 1_200_000, imagesPerSecond: 2470 },
  teacherAccuracy: 94,
  about: {
    teacher: 'runs/<b>',
    data: 'glyphs',
    classes: 40,
    train: 2400,
    test: 2000,
    groups: [20, 20],
    adapter: 'none',
    date: '2026-11-29',
    settings: { epochs: 3 },
  },
});

test('tables for the terminal and for Markdown say the same', () => {
  const plain = lossTable(report(), { colour: false });
  assert.match(plain, /│ dense +│ +3 │ 65\.3 ± 21\.4 │ \+2\.0 ± 1\.0 \(2:0\) │/);
  assert.match(plain, /│ teacher +│ +│ +94\.0 │/);
  assert.match(lossTable(report(), { markdown: true }), /\| scratch \| 1 \| 40\.0 \| −10\.0 \(0:1\) \| 10 \|/);
  assert.match(networkTable(report(), { markdown: true }), /\| student \| 5\.50 k \| 22\.0 k \| 1\.20 M \| 2\.47 k \|/);
  assert.match(networkTable(report(), { markdown: true }), /\| smaller, faster \| 14 × \| 14 × \| 15 × \| 14 × \|/);
  assert.equal([999, 1000, 12_345_678, 2e9].map(short), ['999', '1.00 k', '12.3 M', '2.00 G']);
});

test('the page shows each student, is one file and takes names as text', () => {
  const text = compressionPage(report());
  assert.not.match(text, /<script|https?:\/\/(?!www\.w3\.org)|<b>/);
  const { document } = parseHTML(text);
  const [losses, sizes] = [...document.querySelectorAll('figure > svg')];
  const titles = [...losses!.querySelectorAll('title')].map(({ textContent }) => textContent);
  for (const { loss, accuracy } of results) assert.ok(titles.includes(`${loss}: ${accuracy.toFixed(1)} %`), loss);
  assert.is(sizes!.querySelectorAll('title').length, 3);
  assert.match(
    document.querySelector('.headline')!.textContent!,
    /dense: 65\.3 % on average of 3 students with 7\.1 %/,
  );
  assert.match(text, /prefers-color-scheme: dark/);
});

test('one student has no spread, and equal ones are drawn too', () => {
  const text = compressionPage(report(compareLosses([result('kd', 0, 94), result('scratch', 0, 94)])));
  assert.not.match(text, /NaN|Infinity/);
});

test.run();
