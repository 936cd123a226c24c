/** `engram distill` as people have it: a run becomes a small network, and what cannot be compressed leaves nothing behind. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { groupsFor, readGrouping } from '../src/cli/distill/grouping.ts';
import { holdOut } from '../src/cli/distill/weights.ts';
import { ContinualLearner } from '../src/entries/continual.ts';
import { engram, refusedIn, start } from './support/command.ts';
import { engine } from './support/engine.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-distill-'));
test.after(() => rmSync(home, { recursive: true, force: true }));
const at = (...parts: string[]): string => join(home, ...parts);

/** Six classes in three tasks, a network of 4 channels. */
const tiny =
  '--tasks 3 --class-order 1,3,5,7,8,9 --train-per-class 8 --test-per-class 5 --epochs 2 --memory 12 --batch 8 --width 4'.split(
    ' ',
  );
const trained = await engram('train', ...tiny, '--out', at('teacher'));
assert.is(trained.code, 0, trained.errors);

const distill = (...more: string[]): string[] =>
  ['distill', '--teacher', at('teacher'), '--student', 'resnet8', '--width', '2'].concat(more);
const linesOf = (folder: string): Record<string, unknown>[] =>
  existsSync(at(folder, 'results.jsonl'))
    ? readFileSync(at(folder, 'results.jsonl'), 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line))
    : [];
/** What a result says but for the clock. */
const outcomes = (folder: string) =>
  linesOf(folder).map(({ run, loss, seed, accuracy }) => ({ run, loss, seed, accuracy }));

const refused = (args: string[], ...patterns: RegExp[]) => refusedIn(home, args, ...patterns);
const whole = distill('--loss', 'dense,kd', '--seeds', '2', '--groups', '3', '--out', at('whole'));

test('losses are compared from several seeds, and the best student is a learner', async () => {
  const { code, out, errors } = await engram(...whole);
  assert.is(code, 0, errors);
  assert.equal(readdirSync(at('whole')).sort(), [
    'distillation.json',
    'report.html',
    'results.jsonl',
    'student.safetensors',
  ]);
  assert.match(out, /dense, seed 1, epoch 2\/2: loss [\d.]+/);
  assert.match(out, /│ loss +│ λ │ students │ accuracy % │ +Δ kd │ seconds │/);
  assert.match(out, /│ dense +│ 1 │ +2 │ +[\d.]+ ± [\d.]+ │ +[+−]?[\d.]+ ± [\d.]+ \(\d:\d\) │/);
  assert.match(out, /│ network +│ parameters │ +bytes │ FLOP\/image │ +images\/s │/);
  assert.match(out, /│ student \(resnet8\) +│ +1\.\d+ k │/);
  const lines = linesOf('whole');
  assert.equal(
    lines.map(({ loss, seed }) => `${loss} ${seed}`),
    ['dense 0', 'dense 1', 'kd 0', 'kd 1'],
  );
  const about = JSON.parse(readFileSync(at('whole', 'distillation.json'), 'utf8'));
  assert.is(about.groups.length, 3);
  assert.equal(about.settings.batch, 8, 'as the teacher was trained');
  assert.equal(about.groups.flat().sort(), ['Ankle boot', 'Bag', 'Dress', 'Sandal', 'Sneaker', 'Trouser']);
  const page = readFileSync(at('whole', 'report.html'), 'utf8');
  assert.not.match(page, /<script|https?:\/\/(?!www\.w3\.org)/);
  assert.match(page, /Accuracy of students by loss/);
  const learner = await ContinualLearner.load(engine, readFileSync(at('whole', 'student.safetensors')));
  assert.is(learner.classes.length, 6);
  assert.is(learner.training.width, 2);
  const [answer] = await learner.predict({ data: new Uint8Array(784), count: 1, height: 28, width: 28, channels: 1 });
  assert.ok(about.groups.flat().includes(answer!.label));
  learner.dispose();
});

test('what is done is not done again, and one more seed is', async () => {
  const before = readFileSync(at('whole', 'results.jsonl'), 'utf8');
  const again = await engram(...whole);
  assert.is(again.code, 0, again.errors);
  assert.match(again.out, /4 students, 4 of them done before/);
  assert.is(readFileSync(at('whole', 'results.jsonl'), 'utf8'), before);
  const more = await engram(...whole, '--seeds', '3');
  assert.is(more.code, 0, more.errors);
  assert.equal(
    linesOf('whole').map(({ seed }) => seed),
    [0, 1, 0, 1, 2, 2],
  );
});

test('other losses join a comparison, and students that were trained otherwise are refused', async () => {
  const kd = distill('--loss', 'kd', '--seeds', '2', '--epochs', '1', '--out', at('joined'));
  assert.is((await engram(...kd)).code, 0);
  const scratch = kd.map((word) => (word === 'kd' ? 'scratch' : word));
  const more = await engram(...scratch, '--seeds', '1', '--temperature', '2');
  assert.is(more.code, 0, more.errors);
  assert.equal(
    linesOf('joined').map(({ loss, seed }) => `${loss} ${seed}`),
    ['kd 0', 'kd 1', 'scratch 0'],
  );
  assert.match(more.out, /│ kd +│ 1 │ +2 │[\s\S]*│ scratch +│ +│ +1 │/, 'the table has both');
  const about = JSON.parse(readFileSync(at('joined', 'distillation.json'), 'utf8'));
  assert.equal([about.losses, about.seeds, about.settings.temperature], [['kd', 'scratch'], 2, 4]);
  for (const [command, ...patterns] of [
    [[...kd, '--epochs', '3'], /joined: the students in this folder were trained otherwise: --epochs 1, and now 3\./],
    [
      [...scratch, '--lr', '0.7', '--epochs', '2'],
      /otherwise: --epochs 1, and now 2; --lr [\d.]+, and now 0\.7\. Give/,
    ],
    [[...kd, '--temperature', '2'], /--temperature 4, and now 2\..*choose another --out/],
    [[...kd, '--weights', '1,2'], /--weights none, and now 1,2/],
  ] as const)
    await refused([...command], ...patterns);
  await refused(
    [...whole, '--groups', '2'],
    /--grouping clusters \(3 groups\), and now other groups of clusters \(2 groups\)/,
  );
});

test('one that is interrupted goes on where it was, to the same students', async () => {
  const command = distill('--loss', 'dense,kd', '--seeds', '2', '--groups', '3', '--out', at('broken'));
  const { child, ended } = start(command);
  while (linesOf('broken').length < 1) await new Promise((next) => setTimeout(next, 2));
  child.kill('SIGINT');
  const stopped = await ended;
  assert.is(stopped.code, 130, stopped.errors);
  assert.match(stopped.errors, /the students that are done are saved\. To go on: .* distill --teacher/);
  const done = linesOf('broken').length;
  assert.ok(done >= 1 && done < 4, `${done} students`);
  const last = await engram(...command);
  assert.is(last.code, 0, last.errors);
  assert.equal(outcomes('broken'), outcomes('whole').slice(0, 4));
});

test('each loss may choose its weight, on images that no student is compared on', async () => {
  const command = distill('--loss', 'kd,scratch', '--seeds', '1', '--epochs', '1', '--out', at('weighed'));
  const weighed = [...command, '--weights', '1,0.1', '--weight-seeds', '2'];
  const { code, out, errors } = await engram(...weighed);
  assert.is(code, 0, errors);
  assert.match(out, /4 students to choose weights by/);
  assert.match(out, /kd, λ = 0\.1/);
  const trials = readFileSync(at('weighed', 'trials.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(
    trials.map(({ loss, seed, config }) => [loss, seed, config.kdWeight, config.heldOut]),
    [
      ['kd', 1000, 0.1, 0.2],
      ['kd', 1001, 0.1, 0.2],
      ['kd', 1000, 1, 0.2],
      ['kd', 1001, 1, 0.2],
    ],
  );
  const about = JSON.parse(readFileSync(at('weighed', 'distillation.json'), 'utf8'));
  assert.equal([about.weights, about.weightSeeds], [[0.1, 1], 2]);
  const meanAt = (weight: number) =>
    trials.filter(({ config }) => config.kdWeight === weight).reduce((sum, { accuracy }) => sum + accuracy, 0);
  const best = meanAt(0.1) >= meanAt(1) ? 0.1 : 1;
  const [kd, scratch] = linesOf('weighed') as [{ config: { kdWeight: number } }, { config: object }];
  assert.is(kd.config.kdWeight, best);
  assert.not.ok('kdWeight' in scratch.config);
  assert.match(out, new RegExp(`kd tested best at λ = ${best}, the (least|greatest) of --weights`));
  const again = await engram(...weighed);
  assert.is(again.code, 0, again.errors);
  assert.match(again.out, /4 students to choose weights by, 4 of them done before/);
  assert.match(again.out, /2 students, 2 of them done before/);
  const fewer = weighed.map((word) => (word === '1,0.1' ? '1,2' : word));
  await refused(fewer, /otherwise: --weights 0\.1,1, and now 1,2/);
  const wider = await engram(...weighed.map((word) => (word === '1,0.1' ? '1,0.1,2' : word)));
  assert.is(wider.code, 0, wider.errors);
  assert.match(wider.out, /6 students to choose weights by, 4 of them done before/);
  const grown = JSON.parse(readFileSync(at('weighed', 'distillation.json'), 'utf8'));
  assert.equal(grown.weights, [0.1, 1, 2]);
});

test('a fifth of each class is held out, and no image is on both sides', () => {
  const labels = Int32Array.from({ length: 17 }, (_, i) => (i < 5 ? 3 : 0));
  const data = Uint8Array.from({ length: 17 }, (_, i) => i);
  const { learnt, tested } = holdOut({ images: { data, count: 17, height: 1, width: 1, channels: 1 }, labels });
  const rows = [learnt, tested].map(({ images }) => [...images.data]);
  assert.equal(
    [...rows[0]!, ...rows[1]!].sort((a, b) => a - b),
    [...data],
  );
  assert.equal(Array.from(tested.labels).sort(), [0, 0, 3], 'a fifth of twelve, rounded, and of five');
  for (const { images, labels: own } of [learnt, tested]) {
    assert.is(images.count, images.data.length);
    assert.equal(
      Array.from(own),
      [...images.data].map((row) => labels[row]),
    );
  }
  const lone = {
    images: { data, count: 17, height: 1, width: 1, channels: 1 },
    labels: labels.map((_, i) => (i === 0 ? 1 : 0)),
  };
  assert.throws(() => holdOut(lone), /--weights: a class has a single training image/);
});

test("groups may be the run's tasks or a file's, by names or by the data's numbers", async () => {
  const groupsOf = async (how: string, folder: string) => {
    const { code, errors } = await engram(
      ...distill('--loss', 'dense', '--seeds', '1', '--epochs', '1', '--grouping', how, '--out', at(folder)),
    );
    assert.is(code, 0, errors);
    return JSON.parse(readFileSync(at(folder, 'distillation.json'), 'utf8')).groups;
  };
  assert.equal(await groupsOf('tasks', 'by-tasks'), [
    ['Trouser', 'Dress'],
    ['Sandal', 'Sneaker'],
    ['Bag', 'Ankle boot'],
  ]);
  writeFileSync(
    at('shoes.json'),
    JSON.stringify([
      ['Sandal', 7, 'Ankle boot'],
      [8, 1, 'Dress'],
    ]),
  );
  assert.equal(await groupsOf(at('shoes.json'), 'by-file'), [
    ['Sandal', 'Sneaker', 'Ankle boot'],
    ['Bag', 'Trouser', 'Dress'],
  ]);
});

test('by default there are 2 groups at least, and no more than the dense pool takes', async () => {
  const grouping = await readGrouping('clusters', undefined);
  for (const [classes, expected] of [
    [2, 2],
    [10, 3],
    [421, 20],
    [1000, 20],
  ] as const) {
    const names = Array.from({ length: classes }, (_, i) => `class ${i}`);
    // Each in a direction of its own.
    const prototypes = async () =>
      Float32Array.from({ length: classes * 2 }, (_, i) => (i % 2 ? Math.sin : Math.cos)(i));
    const taught = { names, nameOf: String, taskSizes: [classes], compression: { prototypes } };
    assert.is((await groupsFor(grouping, taught)).sizes.length, expected, `${classes} classes`);
  }
});

test('a teacher may be any network', async () => {
  const wide = tiny.flatMap((word, i) => (word === '--width' || tiny[i - 1] === '--width' ? [] : [word]));
  const { code, errors } = await engram(
    'train',
    ...wide,
    '--model',
    'wide_resnet10_1',
    '--epochs',
    '1',
    '--out',
    at('wide'),
  );
  assert.is(code, 0, errors);
  const own = ['--teacher', at('wide'), '--student', 'resnet8', '--width', '2', '--loss', 'kd', '--seeds', '1'];
  const made = await engram('distill', ...own, '--epochs', '1', '--out', at('of-wide'));
  assert.is(made.code, 0, made.errors);
  assert.is(linesOf('of-wide').length, 1);
});

const out = ['--out', at('nothing')];

test('a teacher without weights, of several networks or without data is refused', async () => {
  await refused(
    ['distill', '--teacher', at('nowhere'), '--student', 'resnet8', ...out],
    /nowhere: there are no weights of a run here \(no checkpoint\.safetensors\)\. Give --teacher/,
  );
  await refused(
    distill(...out, '--data', at('no-data')),
    /no-data: the data of the run in .*teacher cannot be read.*--data/,
  );
  await refused(distill(...out, '--data', 'glyphs'), /the checkpoint was made on|not those the run began with|classes/);
  const two = tiny.map((word, i) => (tiny[i - 1] === '--width' ? '2' : word));
  const der = await engram('train', '--method', 'der', ...two, '--out', at('der'));
  assert.is(der.code, 0, der.errors);
  await refused(
    ['distill', '--teacher', at('der'), '--student', 'resnet8', '--width', '1', ...out],
    /the teacher has to be one network, and the model of "der" has 3 of them side by side/,
  );
  writeFileSync(at('cut.safetensors'), readFileSync(at('teacher', 'checkpoint.safetensors')).subarray(0, 5000));
  rmSync(at('der', 'checkpoint.safetensors'));
  writeFileSync(at('der', 'checkpoint.safetensors'), readFileSync(at('cut.safetensors')));
  await refused(['distill', '--teacher', at('der'), '--student', 'resnet8', ...out], /checkpoint\.safetensors: /);
});

test('a student that is larger, or no network, is refused', async () => {
  await refused(
    distill(...out, '--width', '5'),
    /resnet8 would have \d+ parameters, and its teacher has \d+: .*`model` \(--student\), or a smaller `width` \(--width\)/,
  );
  await refused(
    ['distill', '--teacher', at('teacher'), '--student', 'resnet9', ...out],
    /--student: "resnet9" is not a known network/,
  );
  await refused(distill(...out, '--warmup', '2'), /rate rises over 2 epochs/);
  await refused(distill(...out, '--loss', 'dence'), /Did you mean dense\?/);
  await refused(
    distill('--out', at('whole'), '--width', '1'),
    /the students in this folder are of another network: --width 2, and now 1/,
  );
  await refused(distill('--out', at('teacher')), /something here already that is no compression/);
});

test('groups that are none are refused', async () => {
  const file = at('groups.json');
  const given = async (text: string, pattern: RegExp) => {
    writeFileSync(file, text);
    await refused(distill(...out, '--grouping', file), pattern);
  };
  await given('[["Bag"', /groups\.json: this is not JSON/);
  await given('{"a": ["Bag"]}', /groups\.json: this is not a list of lists/);
  await given('[["Bag", "Hat"]]', /groups\.json: the run has no class "Hat"\. Its classes are Trouser, Dress/);
  await given('[["Bag", 0]]', /groups\.json: the run has no class "T-shirt\/top"/);
  await given('[["Bag", 1], [1, 3, 5, 7, 9]]', /groups\.json: class "Trouser" is in groups 1 and 2/);
  await given('[["Bag", 1], [3]]', /groups\.json: class "Sandal" is in no group, and 2 others/);
  await given('[[1, 3, 5, 7, 8, 9]]', /all 6 classes would be one group/);
  await refused(
    distill(...out, '--grouping', 'cluster'),
    /--grouping: "cluster" is neither clusters nor tasks, nor a file/,
  );
  await refused(distill(...out, '--groups', '7'), /--groups: 6 classes cannot be in 7 groups\. Ask for 2 to 6\./);
  await refused(distill(...out, '--groups', '1'), /--groups: all 6 classes would be one group.*Ask for 2 to 6\./);
  await refused(distill(...out, '--groups', '2', '--grouping', 'tasks'), /--groups: it is the number of clusters/);
});

test('weights that cannot be chosen from are refused', async () => {
  const weights = ['--weights', '0.1,1'];
  await refused(
    distill(...out, ...weights, '--kd-weight', '1'),
    /--weights: .*--kd-weight gives one for all.*Give one/,
  );
  await refused(distill(...out, ...weights, '--loss', 'scratch'), /--weights: none of the losses has a weight/);
  for (const list of ['1', '1,x', '0,1', '1,,2'])
    await refused(distill(...out, '--weights', list), /--weights.*At least two numbers above 0/);
});

test.run();
