/** A sweep's folder where runs are asked for: its finished runs, by the sweep's names. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { csvParse } from 'd3-dsv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { engram, refusedIn } from './support/command.ts';
import { countedRecord } from './support/run-records.ts';
import { resultLine, writeSweepFolder } from './support/small-sweep.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-sweep-reports-'));
test.after(() => rmSync(home, { recursive: true, force: true }));
const sweep = join(home, 'rnd');

const write = (results: readonly object[]) => writeSweepFolder(sweep, results);

for (const [id, seed] of [
  ['10d63cb3c561', 0],
  ['20d63cb3c561', 1],
  ['30d63cb3c561', 0],
] as const) {
  mkdirSync(join(sweep, 'runs', id), { recursive: true });
  const record = countedRecord({ name: id, config: { method: 'fdkd', seed, lr: id.startsWith('3') ? 0.2 : 0.1 } });
  writeFileSync(join(sweep, 'runs', id, 'run.json'), JSON.stringify(record));
}

test('without a finished run there is nothing to tell', async () => {
  write([]);
  await refusedIn(home, ['report', sweep], /rnd: this is a sweep's folder, and no finished run lies in it\. Wait/);
});

test('it stands for its finished runs, which are called as the sweep calls them', async () => {
  const stopped = resultLine('30d63cb3c561', 'lr=0.2', 0, { stopped: 1 });
  const elsewhere = resultLine('40d63cb3c561', 'lr=0.2', 1);
  write([resultLine('10d63cb3c561', 'lr=0.1', 0), resultLine('20d63cb3c561', 'lr=0.1', 1), stopped, elsewhere]);
  const report = await engram('report', sweep);
  assert.is(report.code, 0, report.errors);
  assert.match(report.out, /lr=0\.1, order 0[\s\S]*lr=0\.1, order 1/);
  assert.not.match(report.out, /0d63cb3c561|lr=0\.2/);
  assert.ok(existsSync(join(sweep, 'report.html')), 'the page is in the folder that was given');
  const shown = await engram('show', sweep);
  assert.is(shown.code, 0, shown.errors);
  assert.match(shown.out, /lr=0\.1, order/);
  const tables = await engram('export', sweep, '--csv');
  assert.is(tables.code, 0, tables.errors);
  const rows = csvParse(readFileSync(join(sweep, 'csv', 'settings.csv'), 'utf8').slice(1));
  assert.equal(
    rows.map(({ run }) => run),
    ['lr=0.1, order 0', 'lr=0.1, order 1'],
  );
});

test('what takes runs alone says where they are', async () => {
  const where = /rnd: .* This is a sweep's folder, .*: give \S+rnd\/runs\/ID, or \S+rnd\/runs\/\* where several/;
  await refusedIn(home, ['export', sweep, '--safetensors'], where);
});

test.run();
