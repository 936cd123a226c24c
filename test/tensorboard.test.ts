/** TensorBoard's event files, read back by another implementation of everything they are made of. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import protobuf from 'protobufjs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseMetrics } from '../src/continual/benchmark/run-log.ts';
import { parseRunRecord, summaryOf } from '../src/continual/benchmark/run-record.ts';
import { crc32c } from '../src/report/tensorboard/record-frame.ts';
import { engram, refusedIn } from './support/command.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-tensorboard-'));
test.after(() => rmSync(home, { recursive: true, force: true }));
const at = (...parts: string[]): string => join(home, ...parts);
const run = at('fdkd');

/** The parts of TensorFlow's `event.proto`, `summary.proto`, `tensor.proto` and `tensor_shape.proto` that are written. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; SourceMetadata source_metadata = 10; }
  message SourceMetadata { string writer = 1; }
  message Summary { repeated Value value = 1; }
  message Value { string tag = 1; optional float simple_value = 2; Image image = 4; TensorProto tensor = 8; SummaryMetadata metadata = 9; }
  message Image { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4; }
  message TensorProto { int32 dtype = 1; TensorShapeProto tensor_shape = 2; repeated bytes string_val = 8; }
  message TensorShapeProto { repeated Dim dim = 2; }
  message Dim { int64 size = 1; string name = 2; }
  message SummaryMetadata { PluginData plugin_data = 1; }
  message PluginData { string plugin_name = 1; bytes content = 2; }
`);
const Event = root.lookupType('Event');

interface Value {
  tag: string;
  simpleValue?: number;
  image?: { height: number; width: number; colorspace: number; encodedImageString: Uint8Array };
  tensor?: { dtype: number; tensorShape: { dim: { size: number }[] }; stringVal: Uint8Array[] };
  metadata?: { pluginData: { pluginName: string } };
}
interface Read {
  wallTime: number;
  step?: number;
  fileVersion?: string;
  summary?: { value: Value[] };
  sourceMetadata?: { writer: string };
}

/** Bit by bit, where the files are written by a table. */
function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x82f63b78n : crc >> 1n;
  }
  crc ^= 0xffffffffn;
  return Number((((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn);
}

function readEvents(file: string): Read[] {
  const bytes = readFileSync(file);
  const events: Read[] = [];
  for (let place = 0; place < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(place));
    const data = bytes.subarray(place + 12, place + 12 + length);
    assert.is(bytes.readUInt32LE(place + 8), checksum(bytes.subarray(place, place + 8)), 'the checksum of a length');
    assert.is(bytes.readUInt32LE(place + 12 + length), checksum(data), 'the checksum of a record');
    events.push(Event.toObject(Event.decode(data), { longs: Number }) as Read);
    place += 16 + length;
  }
  return events;
}

const eventsIn = (folder: string): Read[] => {
  const names = readdirSync(folder);
  assert.is(names.length, 1, names.join());
  assert.match(names[0]!, /^events\.out\.tfevents\.\d+\.engram$/);
  return readEvents(join(folder, names[0]!));
};

/** Step, wall time and value by tag. */
function scalarsOf(events: readonly Read[]): Map<string, [step: number, time: number, value: number][]> {
  const all = new Map<string, [number, number, number][]>();
  for (const { step = 0, wallTime, summary } of events)
    for (const { tag, simpleValue } of summary?.value ?? [])
      if (simpleValue !== undefined) all.set(tag, [...(all.get(tag) ?? []), [step, wallTime, simpleValue]]);
  return all;
}

const tiny =
  '--data glyphs --class-order 0,1,2,3,4,5 --tasks 3 --train-per-class 8 --test-per-class 4 --epochs 2 --batch 8 --memory 12 --width 2'.split(
    ' ',
  );
{
  const { code, errors } = await engram('train', ...tiny, '--method', 'fdkd', '--out', run, '--tensorboard');
  assert.is(code, 0, errors);
}
const record = parseRunRecord(readFileSync(join(run, 'run.json'), 'utf8'), 'run.json');
const lines = parseMetrics(readFileSync(join(run, 'metrics.jsonl'), 'utf8'), 'metrics.jsonl');

test('the checksum is that of RFC 3720', () => {
  const bytes = (of: (i: number) => number) => Uint8Array.from({ length: 32 }, (_, i) => of(i));
  assert.is(crc32c(bytes(() => 0)), 0x8a9136aa);
  assert.is(crc32c(bytes(() => 0xff)), 0x62a8ab43);
  assert.is(crc32c(bytes((i) => i)), 0x46dd794e);
  assert.is(crc32c(bytes((i) => 31 - i)), 0x113fdb5c);
});

test('an export holds the losses, rates, accuracies, costs and times of the record, at true steps and times', async () => {
  const { code, out, errors } = await engram('export', run, '--tensorboard', at('board'));
  assert.is(code, 0, errors);
  assert.match(out, /^events {4}.*board\/fdkd\/events\.out\.tfevents\.\d+\.engram\n$/);
  const events = eventsIn(at('board', 'fdkd'));
  assert.is(events[0]!.fileVersion, 'brain.Event:2');
  assert.match(events[0]!.sourceMetadata!.writer, /^engram \d/);
  const scalars = scalarsOf(events);
  const expect = (tag: string, expected: readonly (readonly [step: number, date: string, value: number])[]) =>
    assert.equal(
      scalars.get(tag),
      expected.map(([step, date, value]) => [step, Date.parse(date) / 1000, Math.fround(value)]),
      tag,
    );
  let steps = 0;
  const epochs = lines.flatMap((line) => {
    if (line.type === 'task') return [];
    steps += line.steps!;
    return [{ ...line, at: steps }];
  });
  // 2 · 8 images, then with 12 exemplars: batches of 8.
  assert.equal(
    epochs.map((epoch) => epoch.steps),
    [2, 2, 4, 4, 4, 4],
  );
  expect(
    'loss/total',
    epochs.map((e) => [e.at, e.date!, e.loss]),
  );
  expect(
    'loss/ce',
    epochs.map((e) => [e.at, e.date!, e.terms!.ce!]),
  );
  expect(
    'loss/kd',
    epochs.slice(2).map((e) => [e.at, e.date!, e.terms!.kd!]),
  );
  expect(
    'training/learning rate',
    epochs.map((e) => [e.at, e.date!, e.lr]),
  );
  const tasks = lines.flatMap((line) => (line.type === 'task' ? [line] : []));
  const dates = tasks.map(({ date }) => date!);
  expect(
    'accuracy/all classes seen',
    summaryOf(record).curve.map((value, task) => [task + 1, dates[task]!, value]),
  );
  for (const task of [0, 1, 2])
    expect(
      `accuracy by task/${task + 1}`,
      record.matrix.slice(task).map((row, later) => [task + later + 1, dates[task + later]!, row[task]!]),
    );
  expect(
    'accuracy/average incremental',
    [...tasks.keys()].map((task) => {
      const curve = summaryOf(record).curve.slice(0, task + 1);
      return [task + 1, dates[task]!, curve.reduce((sum, one) => sum + one, 0) / curve.length];
    }),
  );
  assert.is(scalars.get('forgetting/best to last')!.at(-1)![2], Math.fround(record.forgetting));
  expect(
    'memory/exemplars',
    tasks.map(({ exemplars }, task) => [task + 1, dates[task]!, exemplars]),
  );
  expect(
    'memory/bytes on the device at most',
    tasks.map(({ peakBytes }, task) => [task + 1, dates[task]!, peakBytes!]),
  );
  expect(
    'time/seconds of the task',
    tasks.map(({ seconds }, task) => [task + 1, dates[task]!, seconds]),
  );
  const split = summaryOf(record).counted!.split;
  expect(
    'accuracy/old classes',
    split.slice(1).map(({ old }, task) => [task + 2, dates[task + 1]!, old!]),
  );
  expect(
    'accuracy/new classes',
    split.map((one, task) => [task + 1, dates[task]!, one.new]),
  );
});

test('matrices are pictures, and the configuration is text', () => {
  const events = eventsIn(at('board', 'fdkd'));
  const values = events.flatMap(({ step = 0, summary }) => (summary?.value ?? []).map((value) => ({ step, ...value })));
  const images = values.filter(({ image }) => image);
  const tags = [...new Set(images.map(({ tag }) => tag))];
  assert.equal(tags, [
    'accuracy after each task (rows) on each task (columns)',
    'confusion/class (rows) taken for class (columns)',
    'confusion/task (rows) taken for task (columns)',
  ]);
  const { image } = images.filter(({ tag }) => tag === tags[0]).at(-1)!;
  const png = decode(image!.encodedImageString);
  assert.equal([png.width, png.height, png.channels], [image!.width, image!.height, image!.colorspace]);
  const cell = png.width / 3;
  const green = (row: number, column: number) =>
    png.data[3 * (Math.floor((row + 0.5) * cell) * png.width + Math.floor((column + 0.5) * cell)) + 1]!;
  for (const [after, row] of record.matrix.entries())
    for (const [task, accuracy] of row.entries())
      assert.ok(Math.abs(250 - (accuracy / 100) * (250 - 88) - green(after, task)) <= 1, `${after} ${task}`);
  assert.is(green(0, 1), 218, 'a task that was not learnt yet');
  const { tensor, metadata, step } = values.find(({ tag }) => tag === 'configuration')!;
  assert.equal([tensor!.dtype, tensor!.tensorShape.dim, step], [7, [{ size: 1 }], 0]);
  assert.is(metadata!.pluginData.pluginName, 'text');
  const text = new TextDecoder().decode(tensor!.stringVal[0]);
  for (const row of ['| method | fdkd |', '| memory | 12 |', '| batch | 8 |', '| run | fdkd |'])
    assert.ok(text.includes(row), text);
});

test('what was written while the run learnt is what is exported afterwards', async () => {
  const live = readdirSync(join(run, 'tensorboard'));
  const before = readFileSync(join(run, 'tensorboard', live[0]!));
  const exported = readFileSync(at('board', 'fdkd', readdirSync(at('board', 'fdkd'))[0]!));
  assert.ok(before.equals(exported), `${before.length} and ${exported.length} bytes`);
  assert.is((await engram('export', run, '--tensorboard')).code, 0);
  assert.equal(readdirSync(join(run, 'tensorboard')), live);
  assert.ok(readFileSync(join(run, 'tensorboard', live[0]!)).equals(before));
});

test('several runs have a folder each, ours are replaced, and a run that is not finished has what there is', async () => {
  const begun = at('begun');
  mkdirSync(begun);
  copyFileSync(join(run, 'config.json'), join(begun, 'config.json'));
  const [first] = readFileSync(join(run, 'metrics.jsonl'), 'utf8').split('\n');
  writeFileSync(join(begun, 'metrics.jsonl'), `${first}\n{"type":"ep`);
  const half = at('board', 'fdkd', 'events.out.tfevents.123.engram.77-0.tmp');
  writeFileSync(half, 'half');
  assert.is((await engram('export', run, begun, '--tensorboard', at('board'))).code, 0);
  assert.equal(readdirSync(at('board')).sort(), ['begun', 'fdkd']);
  assert.not.ok(existsSync(half));
  assert.ok(scalarsOf(eventsIn(at('board', 'fdkd'))).has('accuracy/all classes seen'));
  const scalars = scalarsOf(eventsIn(at('board', 'begun')));
  assert.equal([...scalars.keys()], ['loss/total', 'loss/ce', 'training/learning rate', 'training/images per second']);
});

test('files of others are not written over, and nothing is half done', async () => {
  const others = at('others');
  mkdirSync(join(others, 'fdkd'), { recursive: true });
  // One of PyTorch's: as ours, but for who says to have written it.
  writeFileSync(join(others, 'fdkd', 'events.out.tfevents.1700000000.engram'), 'theirs');
  await refusedIn(home, ['export', run, '--tensorboard', others], /no event file of engram's: events\.out\.tfevents/);
  await refusedIn(home, ['export', run, '--tensorboard', run], /no event file of engram's: /);
  await refusedIn(home, ['export', run, run, '--tensorboard', at('new')], /two runs are called "fdkd"/);
  await refusedIn(home, ['export', at('nowhere'), '--tensorboard'], /there is no such folder/);
  await refusedIn(home, ['export', others, '--tensorboard'], /there is no run here \(no config\.json\)/);
  await refusedIn(home, ['export', run, at('begun'), '--safetensors'], /a network is exported of one run at a time/);
  await refusedIn(home, ['export', run, '--tensorboard', join(run, 'run.json', 'x')], /nothing can be written here/);
  const damaged = at('damaged');
  mkdirSync(damaged);
  for (const name of ['config.json', 'metrics.jsonl']) copyFileSync(join(run, name), join(damaged, name));
  writeFileSync(join(damaged, 'run.json'), '{"name":');
  await refusedIn(home, ['export', run, damaged, '--tensorboard', at('new')], /run\.json: this is not JSON/);
  copyFileSync(join(run, 'run.json'), join(damaged, 'run.json'));
  writeFileSync(join(damaged, 'metrics.jsonl'), '{"type":"task"}\n');
  await refusedIn(home, ['export', damaged, '--tensorboard'], /line 1 does not fit a run's log/);
});

test.run();
