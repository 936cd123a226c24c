/** What a compression came to: losses side by side, and the page that shows them. */
import { parseHTML } from 'linkedom';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compressionPage } from '../src/report/compression-page.ts';
import { bestWeights, compareLosses, compareWeights, edgeNotes } from '../src/report/compression-results.ts';
import { lossTable, networkTable, short, weightTable } from '../src/report/compression-tables.ts';
import { compressionReport, studentResult, studentResults } from './support/compression-report.ts';

test('a difference is of one seed, and a seed that the usual distillation lacks is in none', () => {
  const [dense, kd, scratch, ...others] = compareLosses(studentResults);
  assert.is(others.length, 0, 'decoupled was not run');
  assert.equal(kd!.accuracies, [50, 52, 56], 'by seed');
  assert.is(kd!.difference, null);
  assert.equal([dense!.difference!.runs, dense!.difference!.mean, dense!.difference!.error], [2, 2, 1]);
  assert.equal([dense!.difference!.ahead, dense!.difference!.behind], [2, 0]);
  assert.is(dense!.accuracy.runs, 3);
  assert.equal([scratch!.difference!.mean, scratch!.difference!.behind], [-10, 1]);
  assert.is(kd!.seconds, 11);
  assert.ok(compareLosses([studentResult('dense', 0, 1)]).every(({ difference }) => difference === null));
});

test('tables for the terminal and for Markdown say the same', () => {
  const plain = lossTable(compressionReport(), { colour: false });
  assert.match(plain, /│ dense +│ +│ +3 │ 65\.3 ± 21\.4 │ \+2\.0 ± 1\.0 \(2:0\) │/);
  assert.match(plain, /│ teacher +│ +│ +│ +94\.0 │/);
  assert.match(
    lossTable(compressionReport(), { markdown: true }),
    /\| scratch \| {2}\| 1 \| 40\.0 \| −10\.0 \(0:1\) \| 10 \|/,
  );
  assert.match(
    networkTable(compressionReport(), { markdown: true }),
    /\| student \| 5\.50 k \| 22\.0 k \| 1\.20 M \| 2\.47 k \|/,
  );
  assert.match(
    networkTable(compressionReport(), { markdown: true }),
    /\| smaller, faster \| 14 × \| 14 × \| 15 × \| 14 × \|/,
  );
  assert.equal([999, 1000, 12_345_678, 2e9].map(short), ['999', '1.00 k', '12.3 M', '2.00 G']);
});

test('the page shows each student, is one file and takes names as text', () => {
  const text = compressionPage(compressionReport());
  assert.not.match(text, /<script|https?:\/\/(?!www\.w3\.org)|<b>/);
  const { document } = parseHTML(text);
  const [losses, sizes] = [...document.querySelectorAll('figure .wide svg')];
  const titles = [...losses!.querySelectorAll('title')].map(({ textContent }) => textContent);
  for (const { loss, accuracy } of studentResults)
    assert.ok(titles.includes(`${loss}: ${accuracy.toFixed(1)} %`), loss);
  assert.is(sizes!.querySelectorAll('title').length, 3);
  assert.match(
    document.querySelector('.headline')!.textContent!,
    /dense: 65\.3 % on average of 3 students with 7\.1 %/,
  );
  assert.match(text, /prefers-color-scheme: dark/);
});

test('one student has no spread, and equal ones are drawn too', () => {
  const text = compressionPage(
    compressionReport(compareLosses([studentResult('kd', 0, 94), studentResult('scratch', 0, 94)])),
  );
  assert.not.match(text, /NaN|Infinity/);
});

test('each loss has the weight that tested best, and one at the edge says so', () => {
  const trial = (loss: 'dense' | 'kd', kdWeight: number, seed: number, accuracy: number) => ({
    ...studentResult(loss, seed, accuracy),
    config: { kdWeight },
  });
  const tried = compareWeights([
    ...[trial('kd', 1, 0, 40), trial('kd', 0.1, 0, 50), trial('kd', 0.1, 1, 60), trial('kd', 1, 1, 42)],
    ...[trial('dense', 10, 0, 20), trial('dense', 0.1, 0, 10), trial('dense', 1, 0, 20)],
  ]);
  assert.equal(
    tried.map(({ loss, weight, accuracy }) => [loss, weight, accuracy.mean]),
    [
      ['dense', 0.1, 10],
      ['dense', 1, 20],
      ['dense', 10, 20],
      ['kd', 0.1, 55],
      ['kd', 1, 41],
    ],
  );
  assert.equal(
    [...bestWeights(tried)],
    [
      ['dense', 1],
      ['kd', 0.1],
    ],
    'of equals the least',
  );
  assert.equal(edgeNotes(tried), ['kd tested best at λ = 0.1, the least of --weights: a better one may lie beyond.']);
  const report = { ...compressionReport(), tried };
  const table = weightTable(report, { markdown: true });
  assert.match(table, /\| accuracy %, held out \| λ = 0\.1 \| λ = 1 \| λ = 10 \|/);
  assert.match(table, /\| dense \| 10\.0 \| 20\.0 ← \| 20\.0 \|/);
  assert.match(table, /\| kd \| 55\.0 ± 7\.1 ← \| 41\.0 ± 1\.4 \| {2}\|/);
  assert.is(weightTable(compressionReport()), '');
  const { document } = parseHTML(compressionPage(report));
  assert.ok(
    [...document.querySelectorAll('figcaption')].some(({ textContent }) => /its own weight λ/.test(textContent!)),
  );
});

test.run();
