/** The command as people have it: child processes, their folders, what they say and how they end. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseRunRecord, type RunRecord } from '../src/continual/benchmark/run-record.ts';
import { engram, type Outcome, refusedIn, start } from './support/command.ts';
import { runOutcome } from './support/run-outcome.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-cli-'));
test.after(() => rmSync(home, { recursive: true, force: true }));

const at = (...parts: string[]): string => join(home, ...parts);
const metricsOf = (run: string): string[] =>
  existsSync(at(run, 'metrics.jsonl')) ? readFileSync(at(run, 'metrics.jsonl'), 'utf8').trim().split('\n') : [];
const recordOf = (run: string): RunRecord => parseRunRecord(readFileSync(at(run, 'run.json'), 'utf8'), run);

/** Six classes in three tasks, a network of 4 channels: a few seconds on a rasterizer. */
const tiny =
  '--tasks 3 --class-order 1,3,5,7,8,9 --train-per-class 8 --test-per-class 5 --epochs 4 --memory 12 --batch 8 --width 4'.split(
    ' ',
  );

/** Starts a run, waits until it is in the middle of this task, sends the signal. */
async function stopIn(task: number, signal: NodeJS.Signals, run: string, args: readonly string[]): Promise<Outcome> {
  const { child, ended } = start(args);
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const begun = () => metricsOf(run).some((line) => line.startsWith(`{"type":"epoch","task":${task},`));
  while (!over && !begun()) await new Promise((next) => setTimeout(next, 2));
  child.kill(signal);
  return ended;
}

test('a run leaves its settings, its metrics, a checkpoint, a record and a page', async () => {
  const { code, out, errors } = await engram('train', ...tiny, '--out', at('whole'));
  assert.is(code, 0, errors);
  assert.equal(readdirSync(at('whole')).sort(), [
    'checkpoint.safetensors',
    'config.json',
    'metrics.jsonl',
    'report.html',
    'run.json',
  ]);
  assert.match(out, /^adapter {3}\S/);
  assert.match(out, /after task │ on 1 │ on 2 │ on 3 │ all seen/);
  assert.match(out, /average incremental [\d.]+ %, last [\d.]+ %, forgetting [-\d.]+ points/);
  assert.match(out, /old classes [\d.]+ %, new [\d.]+ %, harmonic mean [\d.]+ %, with the task told [\d.]+ %/);
  assert.match(out, /by the classifier [\d.]+ %, by the nearest mean [\d.]+ %, calibration error [\d.]+ points/);
  assert.match(
    out,
    /forgetting first − last [−\d.]+, by increments [\d.]+, transfer backward [−\d.]+, forward [−\d.]+/,
  );
  assert.not.ok(out.includes('\u001b'), 'no colours, no bar where there is no terminal');
  const config = JSON.parse(readFileSync(at('whole', 'config.json'), 'utf8'));
  assert.is(config.width, 4);
  assert.is(config.method, 'fdkd', 'defaults are written down too');
  const record = recordOf('whole');
  assert.equal(record.classesPerTask, [2, 2, 2]);
  assert.is(record.matrix.length, 3);
  assert.is(record.losses.length, 12);
  assert.equal(
    record.tests?.map((parts) => parts?.length),
    [1, 2, 3],
  );
  assert.is(record.zeroShots?.length, 2);
  assert.is(metricsOf('whole').length, 15, 'one line an epoch and one a task');
});

test('a run that was interrupted, resumed, killed and resumed ends as one that was left alone', async () => {
  const resume = ['train', '--resume', '--out', at('broken')];
  const interrupted = await stopIn(1, 'SIGINT', 'broken', ['train', ...tiny, '--out', at('broken')]);
  assert.is(interrupted.code, 130, interrupted.errors);
  assert.match(
    interrupted.errors,
    /The first task is saved, and \d epochs? of task 2\. To go on: .* train --resume --out .*broken/,
  );
  const killed = await stopIn(2, 'SIGKILL', 'broken', resume);
  assert.is(killed.code, null);
  assert.not.ok(existsSync(at('broken', 'report.html')), 'it was not done yet');
  const kept = metricsOf('broken');
  assert.ok(
    kept.some((line) => line.startsWith('{"type":"epoch","task":2')),
    'the killed run had begun the third task',
  );
  const last = await engram(...resume);
  assert.is(last.code, 0, last.errors);
  assert.match(last.out, /after task 2 of 3/);

  assert.equal(runOutcome(at('broken')), runOutcome(at('whole')));
});

test('of two processes on one folder the second ends with an error that names the first', async () => {
  const args = ['train', ...tiny, '--out', at('twice')];
  const both = async (command: readonly string[]) => {
    const [a, b] = [start(command), start(command)];
    const ended = [
      { ...(await a.ended), other: b.child.pid },
      { ...(await b.ended), other: a.child.pid },
    ];
    const [won, lost] = ended.sort((x, y) => (x.code ?? 3) - (y.code ?? 3));
    assert.equal([won?.code, lost?.code], [0, 2], ended.map(({ out, errors }) => out + errors).join('\n'));
    assert.match(
      lost?.errors ?? '',
      new RegExp(`twice: a run is under way in this folder \\(process ${lost?.other}, since `),
    );
    assert.is(lost?.errors.trimEnd().split('\n').length, 1);
  };
  await both(args);
  assert.is(metricsOf('twice').length, 15, 'no line twice');
  rmSync(at('twice'), { recursive: true });
  assert.is((await stopIn(0, 'SIGINT', 'twice', args)).code, 130);
  await both(['train', '--resume', '--out', at('twice')]);
  assert.equal(runOutcome(at('twice')), runOutcome(at('whole')));
});

test('a finished run that is resumed changes nothing but its page', async () => {
  cpSync(at('whole'), at('again'), { recursive: true });
  const { code, out } = await engram('train', '--resume', '--out', at('again'));
  assert.is(code, 0);
  assert.match(out, /after task 3 of 3/);
  const state = (run: string) =>
    ['checkpoint.safetensors', 'metrics.jsonl'].map((file) => readFileSync(at(run, file), 'utf8'));
  assert.equal(state('again'), state('whole'));
});

test('settings come from flags before the file before the defaults', async () => {
  const file = at('settings.json');
  writeFileSync(file, JSON.stringify({ epochs: 2, seed: 7, classOrder: [0, 1], trainPerClass: 4, width: 2 }));
  const flags = ['--seed', '8', '--tasks', '1', '--test-per-class', '2', '--no-align', '--nesterov'];
  const { code, errors } = await engram('train', '--config', file, ...flags, '--out', at('merged'));
  assert.is(code, 0, errors);
  const config = JSON.parse(readFileSync(at('merged', 'config.json'), 'utf8'));
  assert.equal([config.epochs, config.seed, config.align, config.nesterov, config.memory], [2, 8, false, true, 200]);
});

test('a file may be one recipe for several methods: what another one has of it is left out, and said', async () => {
  const file = at('recipe.json');
  const small = { classOrder: [0, 1], tasks: 1, epochs: 1, trainPerClass: 2, testPerClass: 1, width: 2 };
  writeFileSync(file, JSON.stringify({ ...small, method: 'rdkd', temperature: 3, groups: 2, align: false }));
  const { code, out, errors } = await engram('train', '--config', file, '--method', 'kd', '--out', at('recipe'));
  assert.is(code, 0, errors);
  assert.match(out, /^left out {2}groups: kd has no such settings$/m);
  const config = JSON.parse(readFileSync(at('recipe', 'config.json'), 'utf8'));
  assert.equal([config.method, config.temperature, config.groups, config.align], ['kd', 3, undefined, false]);
});

test('one page from several runs', async () => {
  const page = at('page.html');
  const { code, out } = await engram('report', at('whole'), at('merged'), '--out', page);
  assert.is(code, 0);
  assert.match(out, /whole.*fdkd[\s\S]*merged/);
  const text = readFileSync(page, 'utf8');
  assert.ok(text.includes('<svg') && text.includes('whole') && text.includes('merged'));
});

/** One paragraph on what, where and how to fix it; exit code 2; nothing written. */
const refused = (args: string[], ...patterns: RegExp[]): Promise<void> => refusedIn(home, args, ...patterns);

test('mistyped commands, flags and settings', async () => {
  await refused(['train', '--epoch', '3'], /--epoch'.*Did you mean --epochs\?/);
  await refused(['trian'], /unknown command 'trian'.*Did you mean train\?/);
  await refused(['train', '--tasks', 'two'], /^--tasks: "two" does not fit: expected a whole number of at least 1/);
  await refused(['train', '--scale', '1,1,1'], /^--scale: "1,1,1" does not fit: expected two finite numbers/);
  await refused(['train', '--colour\u001b[31m'], /unknown option '--colour\\u001b\[31m'/);
  await refused(['train', '--method', 'fdk'], /^--method: .*Did you mean fdkd\?/);
  await refused(['train', '--pool', 'densse'], /^--pool: .* one of dense, pairs, runs, .*Did you mean dense\?/);
  await refused(['train', '--model', 'resnet9'], /^--model: "resnet9"/);
  await refused(['train', '--resume'], /--out/);
  const file = at('settings.json');
  for (const [text, pattern] of [
    ['{"epoch": 3}', /settings.json: unknown setting "epoch". Did you mean epochs\?/],
    ['{"epochs": "many"}', /settings.json: "epochs" does not fit/],
    ['{"epochs": 3', /settings.json: this is not JSON/],
    ['[]', /settings.json: this is not a configuration/],
  ] as const) {
    writeFileSync(file, text);
    await refused(['train', '--config', file, '--out', at('no')], pattern);
  }
});

test('a flag that another method has is refused by its name, and told whose it is', async () => {
  const finetune = ['train', '--method', 'finetune', '--out', at('no')];
  await refused(
    [...finetune, '--temperature', '3'],
    /^--temperature: the method "finetune" has no such setting\. .*: kd, tkd, lwf, .*fdkd, rdkd\b/m,
  );
  await refused([...finetune, '--no-align'], /^--no-align: the method "finetune" .*: kd, replay, tkd, .*fdkd, rdkd\b/m);
  await refused(
    ['train', '--groups', '2', '--out', at('no')],
    /^--groups: the method "fdkd" .*: lwf, icarl, .*, rdkd\b/m,
  );
});

test('the help tells every setting with its default, and whose it is where not every method has it', async () => {
  const { code, out } = await engram('train', '--help');
  assert.is(code, 0);
  const said = out.replace(/\s+/g, ' ');
  assert.match(said, /Training: --epochs <n> epochs for every task \(default 15\)/);
  assert.match(
    said,
    /--temperature <T> temperature of the distillation \(kd, tkd, lwf, .*fdkd, rdkd; default 2\) --kd/,
  );
  assert.match(said, /--pool <name> groups that are distilled; .*\(fdkd\) groups that are drawn from; .*\(rdkd\)/);
  assert.match(said, /--no-align no weight alignment/);
  assert.not.match(said, / --align /, 'what is on already is not offered');
  for (const line of out.split('\n')) assert.ok(line.length <= 80, line);
});

test('data that is missing, cut off or wrongly labelled', async () => {
  const idx = (shape: number[], bytes: Uint8Array) =>
    Buffer.concat([
      Buffer.from([0, 0, 8, shape.length]),
      ...shape.map((n) => Buffer.from([0, 0, n >> 8, n & 255])),
      bytes,
    ]);
  mkdirSync(at('data'));
  const write = (name: string, bytes: Uint8Array) => writeFileSync(at('data', name), bytes);
  const train = ['train', '--data', at('data'), '--tasks', '1', '--out', at('no')];
  await refused(
    ['train', '--data', at('nowhere'), '--out', at('no')],
    /nowhere: .*neither a bundled data set nor a folder/,
  );
  await refused(train, /no data set in a known format.*train-images-idx3-ubyte/);
  const images = idx([4, 2, 2], new Uint8Array(16));
  const labels = idx([4], Uint8Array.of(0, 1, 0, 9));
  for (const part of ['train', 't10k']) {
    write(`${part}-images-idx3-ubyte`, images);
    write(`${part}-labels-idx1-ubyte`, labels);
  }
  write('classes.json', Buffer.from('["zero", "one"]'));
  await refused(train, /labels-idx1-ubyte: label 9 of image 3 is out of range: there are 2 classes/);
  write('train-images-idx3-ubyte', images.subarray(0, 20));
  await refused(train, /train-images-idx3-ubyte: .*the file is cut off/);
});

test('more tasks than classes, and a memory that is too small', async () => {
  await refused(['train', '--tasks', '11', '--out', at('no')], /10 classes cannot be dealt out to 11 tasks/);
  await refused(['train', '--memory', '9', '--out', at('no')], /9 exemplars are too few for 10 classes/);
  await refused(['train', '--method', 'replay', '--memory', '0', '--out', at('no')], /"replay" needs exemplars/);
  await refused(['train', '--base-classes', '11', '--out', at('no')], /to have 11 classes, but there are only 10/);
  await refused(['train', '--class-order', '3,1,3', '--out', at('no')], /class order: class 3 appears twice/);
  const glyphs = ['train', '--data', 'glyphs', '--out', at('no')];
  await refused([...glyphs, '--tasks', '25', '--pool', 'dense'], /24 old ones/);
  await refused([...glyphs, '--tasks', '66'], /65 old ones/);
  await refused(['train', '--scale', '1.2,0.8', '--out', at('no')], /the smaller one first/);
});

test('a run that diverges leaves no checkpoint, ends with 2 and advises what may help', async () => {
  const { code, out, errors } = await engram(
    'train',
    ...tiny,
    '--optimizer',
    'adam',
    '--lr',
    '1e20',
    '--out',
    at('gone'),
  );
  assert.is(code, 2, errors);
  assert.match(errors, /training diverged at learning rate 100000000000000000000\. Use a smaller `lr` \(--lr\)/);
  assert.not.match(out, /To go on/);
  assert.not.ok(existsSync(at('gone')), 'nothing is in the way of the next try');
});

test('what a method has of settings is written down, those of others are not', async () => {
  for (const [method, given, expected] of [
    ['finetune', [], [undefined, undefined]],
    ['replay', [], [true, undefined]],
    ['replay', ['--no-align'], [false, undefined]],
    ['tkd', ['--align'], [true, 2]],
  ] as const) {
    const run = `owned-${method}-${given.length}`;
    const flags = ['--tasks', '1', '--epochs', '1', '--train-per-class', '2', '--test-per-class', '1', '--width', '2'];
    const { code, errors } = await engram('train', ...flags, '--method', method, ...given, '--out', at(run));
    assert.is(code, 0, errors);
    const config = JSON.parse(readFileSync(at(run, 'config.json'), 'utf8'));
    assert.equal([config.method, config.align, config.temperature], [method, ...expected]);
    assert.equal(recordOf(run).config, config);
  }
});

test('folders that are taken, and runs that are not there', async () => {
  await refused(['train', ...tiny, '--out', at('whole')], /whole: there is something here already/);
  await refused(['demo', '--out', at('whole')], /whole: there is something here already/);
  await refused(['train', ...tiny, '--out', at('settings.json')], /settings.json: there is something here already/);
  await refused(['train', '--resume', '--out', at('no')], /no: no run to resume here/);
  await refused(['report', at('data')], /data: there is no run here/);
  const resume = ['train', '--resume', '--out', at('whole')];
  await refused([...resume, '--epochs', '9'], /^--epochs: the run in .*whole was begun with 4, not with 9/);
  writeFileSync(at('settings.json'), '{"width": 8}');
  await refused([...resume, '--config', at('settings.json')], /"width" in the configuration file: .*begun with 4/);
});

test('a mistake that shows in the first task leaves no folder, and none that was there is lost', async () => {
  const diverging = [...tiny, '--lr', '1e38', '--momentum', '0'];
  await refused(['train', ...diverging, '--out', at('no')], /diverged at learning rate 1e\+38/);
  assert.not.ok(existsSync(at('no')), 'the folder is gone');
  mkdirSync(at('empty'));
  await refused(['train', ...diverging, '--out', at('empty')]);
  assert.equal(readdirSync(at('empty')), [], 'a folder of the user’s stays, as it was');
});

test('networks that no device holds are refused before anything is made', async () => {
  await refused(
    ['train', ...tiny, '--width', '1000000', '--out', at('no')],
    /^--width: this network is too large .*\d+ bytes/,
  );
  await refused(['profile', '--width', '1000000'], /^resnet8: with width 1000000 .* Choose a smaller width/);
  await refused(['train', '--model', 'resnet60000002', '--out', at('no')], /^--model: .* at most 6002/);
  assert.not.ok(existsSync(at('no')));
});

test('a place that cannot be written is said before the work', async () => {
  const under = at('settings.json', 'run');
  for (const args of [
    ['train', '--data', at('nowhere'), '--out', under],
    ['demo', '--out', under],
    ['profile', '--trace', join(under, 'trace.json')],
  ]) {
    const { code, out, errors } = await engram(...args);
    assert.is(code, 2, errors);
    assert.match(errors, /run: nothing can be written here: .*settings\.json is not a folder\. Choose another place/);
    assert.is(out, '', 'nothing was begun');
  }
});

// Root may write anywhere.
(process.getuid?.() === 0 ? test.skip : test)('a folder without permission is said before the work', async () => {
  mkdirSync(at('closed'), { mode: 0o555 });
  await refused(['train', '--data', at('nowhere'), '--out', at('closed', 'run')], /you may not write to .*closed/);
});

test('a checkpoint of another model, and one cut in half', async () => {
  cpSync(at('whole'), at('spoilt'), { recursive: true });
  const checkpoint = at('spoilt', 'checkpoint.safetensors');
  const resume = ['train', '--resume', '--out', at('spoilt')];
  writeFileSync(checkpoint, readFileSync(at('merged', 'checkpoint.safetensors')));
  await refused(resume, /checkpoint.safetensors: the checkpoint was made with "\w+" = /);
  const whole = readFileSync(at('whole', 'checkpoint.safetensors'));
  // A method of somebody's own, by a name as long as a built-in one's.
  writeFileSync(
    checkpoint,
    Buffer.from(whole.toString('latin1').replace('"method\\":\\"fdkd', '"method\\":\\"mine'), 'latin1'),
  );
  await refused(
    resume,
    /checkpoint.safetensors: the checkpoint was made with "method" = "mine", but this run has "fdkd"/,
  );
  writeFileSync(checkpoint, whole.subarray(0, whole.length / 2));
  await refused(resume, /checkpoint.safetensors: /);
});

test.run();
