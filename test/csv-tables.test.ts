/** The records of runs as tables: what a spreadsheet opens is what was recorded. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { csvParse } from 'd3-dsv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { csvTables } from '../src/report/csv-tables.ts';
import { engram, refusedIn } from './support/command.ts';
import { countedRecord, plainRecord } from './support/run-records.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-csv-'));
test.after(() => rmSync(home, { recursive: true, force: true }));
const at = (...parts: string[]): string => join(home, ...parts);

/** A run's folder, of its records alone. */
function folder(name: string, files: Record<string, string>): string {
  mkdirSync(at(name), { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(at(name, file), text);
  return at(name);
}
const run = folder('run', { 'run.json': JSON.stringify(countedRecord()) });
const older = folder('older', { 'run.json': JSON.stringify(plainRecord({ name: 'older' })) });

const read = (text: string) => {
  assert.is(text[0], '\ufeff');
  return csvParse(text.slice(1));
};

test('a phase that has a name is told by it beside its number', () => {
  const [first, second] = countedRecord().losses;
  const balance = { ...second!, phase: 1, phaseName: '=balance' };
  const epochs = read(csvTables([countedRecord({ losses: [first!, second!, balance] })]).get('epochs.csv')!);
  assert.equal(epochs.columns.slice(2, 6), ['task', 'phase', 'phase name', 'epoch']);
  assert.equal(
    epochs.map((row) => [row.phase, row['phase name']]),
    [
      ['1', ''],
      ['1', ''],
      ['2', "'=balance"],
    ],
  );
});

test('epochs, tasks and classes are lines, with the columns of all runs', () => {
  const tables = csvTables([countedRecord(), plainRecord({ name: 'older', method: 'kd' })]);
  assert.equal([...tables.keys()], ['epochs.csv', 'tasks.csv', 'classes.csv']);
  const epochs = read(tables.get('epochs.csv')!);
  assert.equal(epochs.columns, [
    ...['run', 'method', 'task', 'phase', 'epoch', 'steps done', 'loss', 'loss ce', 'loss kd'],
    ...['learning rate', 'images per second', 'seconds', 'date'],
  ]);
  assert.equal(
    epochs.map((row) => [row.run, row.task, row.epoch, row['steps done'], row.loss, row['loss kd']].join(' ')),
    [
      'fdkd-0 1 1 4 2.5 ',
      'fdkd-0 2 1 8 0.75 0.25',
      'older 1 1  2.5 ',
      'older 1 2  1.25 ',
      'older 2 1   ',
      'older 3 1  0.5 ',
    ],
  );
  const tasks = read(tables.get('tasks.csv')!);
  const [, second] = tasks;
  assert.equal(
    [
      ...['new classes', 'accuracy on all %', 'old classes %', 'forgetting, best - last', 'task 1 %', 'task 2 %'],
      ...['exemplars', 'note gamma'],
    ].map((column) => second![column]),
    ['pen; ink', '55', '70', '30', '70', '40', '20', '0.9'],
  );
  assert.equal(tasks.columns.slice(-9), [
    ...['task 1 %', 'task 2 %', 'task 3 %', 'exemplars', 'bytes of exemplars', 'bytes on the device at most'],
    ...['seconds', 'date', 'note gamma'],
  ]);
  assert.equal(
    tasks.map((row) => row['task 3 %']),
    ['', '', '', '', '100'],
  );
  assert.equal(
    read(tables.get('classes.csv')!).map((row) => Object.values(row).slice(2).join(' ')),
    ["1 '=cup 1 10 100 70 pen; ink 30", "2 pen; ink 2 10 40 40 '=cup 60"],
  );
});

test('they are written into the folder of the run, beside several, or where they are asked for', async () => {
  const { code, out, errors } = await engram('export', run, '--csv');
  assert.is(code, 0, errors);
  assert.match(
    out,
    /^table {5}.*run\/csv\/epochs\.csv: 2 lines\ntable .*tasks\.csv: 2 lines\ntable .*classes\.csv: 2 lines\n$/,
  );
  assert.equal(read(readFileSync(at('run', 'csv', 'tasks.csv'), 'utf8')).length, 2);
  assert.is((await engram('export', run, older, '--csv')).code, 0);
  assert.equal(read(readFileSync(at('csv', 'tasks.csv'), 'utf8')).length, 5);
  assert.is((await engram('export', older, '--csv', at('deep', 'er'))).code, 0);
  assert.equal(readdirSync(at('deep', 'er')).sort(), ['epochs.csv', 'tasks.csv'], 'no classes of a run without counts');
  assert.is((await engram('export', run, '--csv', at('deep', 'er'))).code, 0, 'ours are replaced');
});

test('files of others are not written over, and what cannot be read is told before anything is written', async () => {
  folder('theirs', { 'tasks.csv': 'mine,yours\n1,2\n' });
  await refusedIn(
    home,
    ['export', run, '--csv', at('theirs')],
    /tasks\.csv: there is a file here already that is no table/,
  );
  await refusedIn(home, ['export', run, '--csv', at('run', 'run.json')], /nothing can be written here/);
  await refusedIn(home, ['export', run, at('nowhere'), '--csv', at('new')], /there is no such folder/);
  const begun = folder('begun', { 'config.json': '{"method":"fdkd","data":"glyphs"}' });
  await refusedIn(home, ['export', begun, '--csv'], /no epoch is finished yet/);
  assert.not.ok(existsSync(at('new')));
});

test.run();
