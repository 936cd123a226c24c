import { parseHTML } from 'linkedom';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AnalysisRecord } from '../src/analysis/run/analysis-record.ts';
import { namesApart } from '../src/cli/run-names.ts';
import { parseRunRecord, type RunRecord } from '../src/continual/benchmark/run-record.ts';
import { analysisPage } from '../src/report/analysis-page.ts';
import { analysisTable } from '../src/report/analysis-table.ts';
import { html } from '../src/report/html.ts';
import { lineStyles } from '../src/report/line-style.ts';
import { reportPage } from '../src/report/page.ts';
import { curveLabels } from '../src/report/run-curves.ts';
import { matrixTable, summaryTable } from '../src/report/table.ts';
import { terminalComparison } from '../src/report/terminal-comparison.ts';
import { terminalRun } from '../src/report/terminal-run.ts';
import { toldApart } from '../src/report/told-apart.ts';
import { largeAnalysis } from './support/large-records.ts';
import { countedRecord, plainRecord } from './support/run-records.ts';

const record = plainRecord;
const counted = (): RunRecord => countedRecord({ tasks: [], losses: [] });

const cellsOf = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.includes('│'))
    .map((line) =>
      line
        .split('│')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

test('the matrix is printed row by row, with the accuracy on all classes seen', () => {
  assert.equal(cellsOf(matrixTable(record(), { colour: false })), [
    ['after task', 'on 1', 'on 2', 'on 3', 'all seen'],
    ['1', '90.0', '', '', '90.0'],
    ['2', '60.0', '80.0', '', '66.7'],
    ['3', '40.0', '50.0', '100.0', '57.5'],
  ]);
});

test('colours tell how much of a task is kept, and only where they are wanted', () => {
  const coloured = matrixTable(record(), { colour: true });
  const [green, yellow, red] = ['\u001b[32m', '\u001b[33m', '\u001b[31m'];
  for (const cell of [`${green}90.0`, `${yellow}60.0`, `${red}40.0`, `${green}100.0`]) {
    assert.ok(coloured.includes(cell), JSON.stringify(cell));
  }
  assert.not.ok(matrixTable(record(), { colour: false }).includes('\u001b'));
});

test('runs are summed up a line each', () => {
  const lines = cellsOf(
    summaryTable([record(), record({ name: 'replay-0', method: 'replay', last: 9.96 })], { colour: false }),
  );
  assert.equal(lines[1], ['fdkd-0', 'fdkd', '73.9', '57.5', '40.0', '75']);
  assert.equal(lines[2], ['replay-0', 'replay', '73.9', '10.0', '40.0', '75']);
});

test('the page stands alone and shows the numbers of the run', () => {
  const text = reportPage([record()]);
  const { document } = parseHTML(text);
  for (const loaded of ['script', 'link', 'img', 'iframe'])
    assert.is(document.querySelectorAll(loaded).length, 0, loaded);
  assert.not.ok(/url\(|@import/.test(text));
  const cells = [...document.querySelectorAll('table.heat tbody tr')].map((row) =>
    [...row.querySelectorAll('td')].map((cell) => cell.textContent),
  );
  assert.equal(cells, [
    ['90.0', '', '', '90.0'],
    ['60.0', '80.0', '', '66.7'],
    ['40.0', '50.0', '100.0', '57.5'],
  ]);
  assert.is(document.querySelector('table.heat td')?.getAttribute('style'), '--share:0.900');
  const settings = [...document.querySelectorAll('dl dt')].map((name) => [
    name.textContent,
    name.nextElementSibling?.textContent,
  ]);
  assert.equal(
    settings.find(([name]) => name === 'optimizer.rate'),
    ['optimizer.rate', '0.05'],
  );
  // What a run's author wrote is text, never HTML.
  assert.equal(
    settings.find(([name]) => name === 'note'),
    ['note', '<script>alert(1)</script>'],
  );
});

test('a run that was counted shows its figures by name, and one of an older version none of them', () => {
  const { document } = parseHTML(reportPage([counted()]));
  const rowsOf = (table: string) =>
    [...document.querySelectorAll(`table.${table} tbody tr`)].map((row) =>
      [...row.querySelectorAll('th, td')].map((cell) => cell.textContent),
    );
  assert.equal(
    rowsOf('figures').map(([name, value]) => `${name}: ${value}`),
    [
      'average / last: 77.5 / 55.0',
      'task told: 100.0 / 100.0',
      'classifier: 77.5 / 55.0',
      'forgetting, best − last: 30.0',
      'forgetting, first − last: 30.0',
      'forgetting by increments: 0.0',
      'backward transfer: −30.0',
      'forward transfer: −10.0',
      'calibration error: 15.0',
    ],
  );
  // All, old, new, harmonic, task told, classifier, nearest mean, calibration.
  assert.equal(rowsOf('stages'), [
    ['after 1', '100.0', '', '100.0', '', '100.0', '100.0', '', '15.0'],
    ['after 2', '55.0', '70.0', '40.0', '50.9', '100.0', '55.0', '', '15.0'],
  ]);
  assert.equal(rowsOf('confusion'), [
    ['of 1', '70.0', '30.0'],
    ['of 2', '60.0', '40.0'],
  ]);
  assert.equal(
    [...document.querySelectorAll('table.heat tfoot td')].map((cell) => cell.textContent),
    ['15.0', '15.0', '15.0'],
  );
  const old = parseHTML(reportPage([record()])).document;
  for (const table of ['figures', 'stages', 'confusion']) assert.not.ok(old.querySelector(`table.${table}`), table);
  // Of several runs, each one's are folded.
  const both = parseHTML(reportPage([counted(), record({ name: 'b' })])).document;
  assert.is(both.querySelectorAll('details table.figures').length, 1);
  assert.equal(parseRunRecord(JSON.stringify(counted()), 'run.json'), counted());
});

test('where domains bring no classes, curves go on by tasks', () => {
  const [first, second] = counted().tests!;
  const domains = counted();
  domains.tests = [
    [
      {
        ...first![0]!,
        counts: [
          [0, 0, 5],
          [1, 1, 5],
        ],
      },
    ],
    [second![0]!, second![1]!],
  ];
  domains.config = { ...domains.config, domains: 'rotations' };
  const { document } = parseHTML(reportPage([domains]));
  const heads = [...document.querySelectorAll('table.stages thead th')].map((head) => head.textContent);
  assert.equal(heads.slice(1, 4), ['all seen', 'earlier domains', 'newest'], 'no class is new');
  assert.match(terminalRun(domains, { columns: 100, colour: false }), /│ earlier % +│ newest % +│/);
  assert.match(terminalComparison([domains, domains], { columns: 100, colour: false }), /│ earlier +│ newest +│/);
  assert.match(terminalComparison([domains, counted()], { columns: 100, colour: false }), /│ +old │ +new │/);
  const svg = document.querySelector('svg[aria-label="Accuracy over classes seen"]')!;
  assert.match(svg.textContent!, /tasks learnt/);
  assert.not.match(svg.textContent!, /classes seen/);
});

test('the curve has one line a run, at the height of its accuracies', () => {
  const runs = [record(), record({ name: 'replay-0', method: 'replay', matrix: [[100], [0, 0]] })];
  const { document } = parseHTML(reportPage(runs));
  const svg = document.querySelector('svg[aria-label="Accuracy over classes seen"]')!;
  const lines = [...svg.querySelectorAll('g[aria-label=line] path')].map((path) => path.getAttribute('d')!);
  assert.is(lines.length, 2);
  const heights = lines.map((line) =>
    line
      .split(/[ML]/)
      .slice(1)
      .map((point) => Number(point.split(',')[1])),
  );
  // Stairs: a tread and a riser between two points.
  assert.equal(
    heights.map((line) => line.length),
    [5, 3],
  );
  const [top, , bottom] = heights[1]!;
  // Linear from 0 to 100: a height gives the accuracy back.
  const accuracies = heights[0]!
    .filter((_, at) => at % 2 === 0)
    .map((height) => (100 * (bottom! - height)) / (bottom! - top!));
  [90, 200 / 3, 57.5].forEach((expected, task) => {
    assert.ok(Math.abs(accuracies[task]! - expected) < 0.05, `${accuracies}`);
  });
  assert.equal(
    [...document.querySelector('.legend')!.querySelectorAll('li')].map((item) => item.textContent?.trim()),
    ['fdkd', 'replay'],
  );
  const titles = [...svg.querySelectorAll('title')].map((title) => title.textContent);
  assert.ok(titles.includes('fdkd-0: 66.7 % of 30 classes, after task 2'), titles.join('\n'));
});

test('the forgetting curve is that of the first task, and names its lines where they end', () => {
  const other = record({ name: 'replay-0', method: 'replay', matrix: [[90], [70, 80], [41, 50, 90]] });
  const { document } = parseHTML(reportPage([record(), other], { headline: 'A < B', details: ['so far'] }));
  const svg = document.querySelector('svg[aria-label="Accuracy on the first task over classes seen"]')!;
  const titles = [...svg.querySelectorAll('title')].map((title) => title.textContent);
  assert.equal(
    titles.filter((title) => title?.startsWith('fdkd-0')),
    ['90.0', '60.0', '40.0'].map((left, task) => `fdkd-0: ${left} % of the first task, after task ${task + 1}`),
  );
  const names = [...svg.querySelectorAll('g[aria-label=text]')].slice(-2);
  assert.equal(
    names.map((name) => name.textContent),
    ['fdkd', 'replay'],
  );
  const [low, high] = names.map((name) => Number(/translate\([^,]*,([^)]*)\)/.exec(name.innerHTML)?.[1]));
  assert.ok(low! - high! > 12, `one above the other, though the lines end 1 point apart: ${low} ${high}`);
  assert.is(document.querySelector('p.headline')?.textContent, 'A < B');
  const single = parseHTML(reportPage([record({ matrix: [[90]] })])).document;
  assert.not.ok(single.querySelector('svg[aria-label="Accuracy on the first task over classes seen"]'));
});

test('a loss that was not finite leaves a gap', () => {
  const { document } = parseHTML(reportPage([record()]));
  const path = document.querySelector('svg[aria-label="Training loss of fdkd-0"] g[aria-label=line] path')!;
  assert.is(path.getAttribute('d')?.split('M').length, 3);
  assert.not.ok(path.getAttribute('d')?.includes('NaN'));
  const without = parseHTML(reportPage([record({ losses: [] })])).document;
  assert.is(without.querySelectorAll('.wide svg').length, 2, 'the curves, and no losses');
});

test('lines are told apart by method, by name where the method is one, and stay apart beyond the colours', () => {
  const [a, b] = [record({ name: 'a' }), record({ name: 'b', config: { memory: 7 } })];
  assert.equal(curveLabels([a, b]), ['a', 'b'], 'a method in two ways is two lines');
  assert.equal(curveLabels([a, record({ method: 'kd' })]), ['fdkd', 'kd']);
  const alike = [a, record({ name: 'a', config: { memory: 7 } }), record({ name: 'a', config: { memory: 8 } })];
  assert.equal(curveLabels(alike), ['a', 'a (2)', 'a (3)'], 'names that are alike are told apart');
  assert.equal(parseHTML(reportPage(alike)).document.querySelectorAll('.wide .legend li').length % 3, 0);
  const theirs = ['1', '2'].map((methodFingerprint) =>
    record({ name: `of ${methodFingerprint}`, config: { methodFingerprint } }),
  );
  assert.equal(curveLabels(theirs), ['of 1', 'of 2'], 'what another text of a method learnt is no run of the same way');
  const styles = lineStyles(Array.from({ length: 20 }, (_, index) => `run ${index}`));
  assert.is(new Set(styles.map(({ colour, dash }) => colour + dash)).size, 20);
});

test('runs in folders of one name are called by as much of their paths as tells them apart', () => {
  const names = ['seed0', 'seed0', 'other', 'seed0'];
  const told = namesApart(names, ['runs/lr1/seed0', 'runs/lr2/seed0', 'runs/seed0', 'old/lr1/seed0/']);
  assert.equal(told, ['runs/lr1/seed0', 'lr2/seed0', 'other', 'old/lr1/seed0']);
  assert.equal(namesApart(['a', 'a'], ['runs/a', 'runs/a']), ['a', 'a'], 'one folder, named twice');
  assert.equal(toldApart(['a', 'a', 'a (2)', 'b']), ['a', 'a (3)', 'a (2)', 'b']);
});

test('what was measured by other settings is in no mean with the rest, and is named', () => {
  const measured = (name: string, images: number, trace: number): AnalysisRecord => {
    const { parts, ...record } = largeAnalysis(name, 'kd', 0);
    const { hessian, classifier } = parts;
    const unlike = { settings: { images }, result: { ...hessian!.result, trace } };
    return { ...record, parts: { hessian: unlike, classifier: classifier! } };
  };
  const [a, b, c] = [measured('a', 64, 10), measured('b', 1024, 1000), measured('c', 64, 12)];
  const table = analysisTable([a, b, c], { colour: false });
  assert.match(table, /trace +│ +11\.0 ± 1\.41 │/);
  assert.match(table, /Not measured by the same settings in all runs: hessian\./);
  assert.match(analysisPage([a, b, c]), /Not measured by the same settings in all runs: hessian\./);
  assert.not.match(analysisTable([a, c], { colour: false }), /Not measured/);
});

test('templates escape what is put in', () => {
  assert.is(
    html`<a title="${'"&\''}">${['<b>', html`<i>${1}</i>`]}</a>`.text,
    '<a title="&quot;&amp;&#39;">&lt;b&gt;<i>1</i></a>',
  );
});

test('names from files are printed, not obeyed', () => {
  const foreign = record({ name: 'a\u001b[2J\nb\u202e', method: 'kd\u0007' });
  const row = cellsOf(summaryTable([foreign], { colour: false })).at(-1)!;
  assert.equal(row.slice(0, 2), ['a\\u001b[2J\\nb\\u202e', 'kd\\u0007']);
  const { document } = parseHTML(reportPage([foreign]));
  assert.is(document.querySelector('h2')?.textContent, 'a\\u001b[2J\\nb\\u202e');
});

test('a record survives JSON, a damaged one is refused by the part that is wrong', () => {
  assert.equal(parseRunRecord(JSON.stringify(record()), 'run.json'), record());
  const text = JSON.stringify(record());
  assert.throws(() => parseRunRecord(text.slice(0, -5), 'run.json'), /run\.json: this is not JSON/);
  assert.throws(() => parseRunRecord(text.replace('[[90]', '[["x"]'), 'run.json'), /matrix\.0\.0 does not fit/);
  assert.throws(() => reportPage([]), /no run to report on/);
});

test.run();
