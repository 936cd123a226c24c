/** The records of runs as tables: what a spreadsheet opens is what was recorded. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { csvParse } from 'd3-dsv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { summaryOf } from '../src/continual/benchmark/run-record.ts';
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
  assert.equal([...tables.keys()], ['epochs.csv', 'tasks.csv', 'classes.csv', 'settings.csv']);
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

test('a run is a line with its settings, by which the other tables are grouped', () => {
  const config = { method: 'fdkd', seed: 3, lr: 0.05, classOrder: [2, 0, 1], align: false, data: '/a/path/glyphs' };
  const tables = csvTables([
    countedRecord({ config }),
    plainRecord({ name: 'older', method: 'kd', config: { seed: 4 } }),
  ]);
  const settings = read(tables.get('settings.csv')!);
  assert.equal(settings.columns, [
    ...['run', 'method', 'seed', 'lr', 'classOrder', 'align', 'data'],
    ...['class order', 'classes a task', 'adapter', 'version', 'began'],
  ]);
  const [first, second] = settings;
  assert.equal(Object.values(first!).slice(0, 9), [
    'fdkd-0',
    'fdkd',
    '3',
    '0.05',
    '[2,0,1]',
    'false',
    'glyphs',
    '[1,0]',
    '[1,1]',
  ]);
  assert.equal([second!.run, second!.method, second!.seed, second!.lr], ['older', 'kd', '4', '']);
});

test('every figure of forgetting and transfer is a column', () => {
  const record = countedRecord();
  const [first, second] = read(csvTables([record]).get('tasks.csv')!);
  const summary = summaryOf(record);
  for (const [column, value] of [
    ['forgetting, first - last', summary.firstLastForgetting],
    ['forgetting by increments', summary.counted?.incrementForgetting],
    ['backward transfer', summary.backwardTransfer],
    ['forward transfer', summary.counted?.forwardTransfer],
  ] as const) {
    assert.is(first![column], '', column);
    assert.is(second![column], `${value ?? ''}`, column);
  }
});

test('they are written into the folder of the run, beside several, or where they are asked for', async () => {
  const { code, out, errors } = await engram('export', run, '--csv');
  assert.is(code, 0, errors);
  assert.match(
    out,
    /^table {5}.*run\/csv\/epochs\.csv: 2 lines\ntable .*tasks\.csv: 2 lines\ntable .*classes\.csv: 2 lines\ntable .*settings\.csv: 1 line\n$/,
  );
  assert.equal(read(readFileSync(at('run', 'csv', 'tasks.csv'), 'utf8')).length, 2);
  assert.is((await engram('export', run, older, '--csv')).code, 0);
  assert.equal(read(readFileSync(at('csv', 'tasks.csv'), 'utf8')).length, 5);
  assert.is((await engram('export', older, '--csv', at('deep', 'er'))).code, 0);
  assert.equal(
    readdirSync(at('deep', 'er')).sort(),
    ['epochs.csv', 'settings.csv', 'tasks.csv'],
    'no classes of a run without counts',
  );
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
