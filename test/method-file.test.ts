/** `--method ./mine.js`: a method of a user's own on the command line, from its flags to going on with its run. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseRunRecord, type RunRecord } from '../src/continual/benchmark/run-record.ts';
import { readSafetensors } from '../src/nn/safetensors.ts';
import { engram, refusedIn } from './support/command.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-method-'));
test.after(() => rmSync(home, { recursive: true, force: true }));
const at = (...parts: string[]): string => join(home, ...parts);
const refused = (args: string[], ...patterns: RegExp[]): Promise<void> => refusedIn(home, args, ...patterns);
const recordOf = (run: string): RunRecord => parseRunRecord(readFileSync(at(run, 'run.json'), 'utf8'), run);
const configOf = (run: string): Record<string, unknown> => JSON.parse(readFileSync(at(run, 'config.json'), 'utf8'));
const lossesOf = (run: string): number[] => recordOf(run).losses.map(({ loss }) => loss as number);

/** Two tasks of two classes, a network of 4 channels: a few seconds on a rasterizer. */
const tiny =
  '--tasks 2 --class-order 1,3,5,7 --train-per-class 8 --test-per-class 5 --epochs 1 --memory 12 --batch 8 --width 4'.split(
    ' ',
  );

/** Replay that stays near the old logits, if its tensors are of the engine that runs it. */
const MINE = `import { crossEntropy, Tensor } from 'engram';
import { defineMethod, numberSetting } from 'engram/continual';

export default defineMethod({
  name: 'mine',
  summary: 'replay that stays near the old logits',
  settings: { nearness: numberSetting(0.5, { least: 0 }, 'weight of the squared differences') },
  keeps: 'exemplars',
  *learn({ settings: { nearness } }) {
    yield {
      loss({ logits, targets, oldLogits }) {
        if (!(logits instanceof Tensor)) throw new Error('two engines');
        const loss = crossEntropy(logits, targets);
        if (!oldLogits || nearness === 0) return loss;
        const old = logits.slice([null, [0, oldLogits.shape[1]]]);
        return loss.add(old.sub(oldLogits).square().mean().mul(nearness));
      },
    };
  },
});
`;
const mine = at('mine.js');
writeFileSync(mine, MINE);
// Another engram nearby, as a project's own would be, and no "type": what Node does by default is not what is asked for.
mkdirSync(at('node_modules', 'engram'), { recursive: true });
writeFileSync(at('node_modules', 'engram', 'package.json'), '{ "name": "engram", "exports": "./other.cjs" }');
writeFileSync(at('node_modules', 'engram', 'other.cjs'), 'throw new Error("the other engram");');
writeFileSync(at('package.json'), '{ "private": true }');

test('its settings are flags, and it is among the methods of the help', async () => {
  for (const chosen of [['--method', mine], [`--method=${mine}`]]) {
    const { code, out, errors } = await engram('train', '--help', ...chosen);
    assert.is(code, 0, errors);
    assert.match(out, /--nearness <x> +weight of the squared[\s\S]*Methods:\n {4}mine +replay that stays near/);
  }
  assert.not.match((await engram('train', '--help')).out, /nearness|mine +replay/);
  await refused(
    ['train', '--method', mine, '--nearness', '-1'],
    /^--nearness: "-1" does not fit: expected .*at least 0/,
  );
  await refused(['train', '--method', mine, '--pool', 'dense'], /^--pool: the method "mine" has no such setting/);
  await refused(['train', '--method', 'fdkd', '--nearness', '1'], /unknown option '--nearness'/);
});

test('it learns with the modules of the command line, and the run records its name, its file and what that held', async () => {
  const { code, errors } = await engram('train', ...tiny, '--method', mine, '--nearness', '2', '--out', at('run'));
  assert.is(code, 0, errors);
  const { method, methodFile, methodFingerprint, nearness } = configOf('run');
  assert.equal([method, methodFile, nearness], ['mine', mine, 2]);
  assert.match(methodFingerprint as string, /^[0-9a-f]{16}$/);
  assert.is(recordOf('run').method, 'mine');
  const { metadata } = readSafetensors(readFileSync(at('run', 'checkpoint.safetensors')), 'run');
  const { config } = JSON.parse(metadata.benchmark as string);
  assert.equal([config.method, config.methodFingerprint], ['mine', methodFingerprint]);
});

test('without its term it learns what the built-in replay learns, bit by bit', async () => {
  for (const [run, ...flags] of [
    ['zero', '--method', mine, '--nearness', '0'],
    ['replay', '--method', 'replay', '--no-align'],
  ] as const) {
    const { code, errors } = await engram('train', ...tiny, ...flags, '--out', at(run));
    assert.is(code, 0, errors);
  }
  assert.equal(lossesOf('zero'), lossesOf('replay'));
  assert.equal(recordOf('zero').matrix, recordOf('replay').matrix);
  assert.not.equal(lossesOf('run'), lossesOf('zero'), 'and with it something else');
});

test('a configuration names it too: by its file, or as the config.json of another run does', async () => {
  writeFileSync(at('settings.json'), JSON.stringify({ method: mine, nearness: 2 }));
  const { code, errors } = await engram('train', ...tiny, '--config', at('settings.json'), '--out', at('by-file'));
  assert.is(code, 0, errors);
  assert.equal(configOf('by-file'), configOf('run'));
  assert.equal(lossesOf('by-file'), lossesOf('run'));
  const ofRun = ['train', '--config', at('run', 'config.json')];
  await refused([...ofRun, '--nearness', 'none'], /^--nearness: "none" does not fit/);
  await refused([...ofRun, '--method', 'kd'], /config\.json: unknown setting "nearness"/);
  writeFileSync(at('settings.json'), JSON.stringify({ method: mine, pool: 'dense' }));
  await refused(['train', '--config', at('settings.json')], /"mine" has no setting "pool"/);
  writeFileSync(at('settings.json'), JSON.stringify({ method: 'mine' }));
  await refused(['train', '--config', at('settings.json')], /settings\.json: "mine" is not a built-in method/);
});

test('a recipe and a sweep name it by its place beside them, wherever the command is typed', async () => {
  mkdirSync(at('study', 'methods'), { recursive: true });
  writeFileSync(at('study', 'methods', 'mine.js'), MINE);
  const write = (name: string, content: object) => {
    writeFileSync(at('study', name), JSON.stringify(content));
    return at('study', name);
  };
  const recipe = write('recipe.json', { method: './methods/mine.js', nearness: 2 });
  const { code, errors } = await engram('train', ...tiny, '--config', recipe, '--out', at('beside'));
  assert.is(code, 0, errors);
  assert.equal({ ...configOf('beside'), methodFile: mine }, configOf('run'));
  const listed = async (content: object) => {
    const said = await engram('sweep', write('sweep.json', content), '--list');
    assert.is(said.code, 0, said.errors);
    return said.out
      .replace(/^\w+ {2}/gm, '')
      .trimEnd()
      .split('\n');
  };
  const own = './methods/mine.js';
  assert.equal(await listed({ settings: { method: own }, parameters: { nearness: [1, 2] } }), [
    'nearness=1',
    'nearness=2',
  ]);
  assert.equal(await listed({ parameters: { method: ['kd', own] } }), ['kd', 'mine']);
  assert.equal(await listed({ configurations: [{ method: own, nearness: 3 }] }), ['mine nearness=3']);
  assert.equal(await listed({ config: 'recipe.json', seeds: [1] }), ['all alike  seed 1']);
  assert.equal(await listed({ config: 'recipe.json', settings: { method: own }, parameters: { nearness: [1, 2] } }), [
    'nearness=1',
    'nearness=2',
  ]);
  assert.equal(await listed({ config: 'recipe.json', parameters: { method: ['kd', own] } }), ['kd', 'mine']);
  const lost = write('lost.json', { method: './mine.js' });
  const rule =
    /lost\.json: there is no method file \S+study\/mine\.js: "\.\/mine\.js" is looked for beside the file that names it, not/;
  await refused(['train', '--config', lost], rule, /Put it there, or name it by its path from there\./);
  write('lost.json', { settings: { method: './mine.js' }, seeds: [0] });
  await refused(['sweep', lost, '--list'], rule);
  // From the directory that the command is typed in, where this file of the package lies.
  write('lost.json', { configurations: [{ method: './package.json' }] });
  await refused(['sweep', lost, '--list'], /From there it is "[^"]+\/package\.json"\./);
});

test('its run is gone on with by the same method alone', async () => {
  // After the first task, as if it had been stopped there.
  writeFileSync(
    at('stops.mjs'),
    `${MINE.replace('({ settings: { nearness } }) {', '({ index, settings: { nearness } }) {\n    if (index > 0 && process.env.STOP) throw new Error("stopped");')}`,
  );
  const half = ['train', ...tiny, '--method', at('stops.mjs'), '--nearness', '2', '--out', at('half')];
  process.env.STOP = '1';
  const stopped = await engram(...half);
  delete process.env.STOP;
  assert.match(stopped.errors, /method "mine", task 2: learn\(\) threw Error: stopped/);
  const resume = ['train', '--resume', '--out', at('half')];
  const content = readFileSync(at('stops.mjs'), 'utf8');

  await refused(
    [...resume, '--method', 'replay'],
    /^--method: the run in .*half was begun with "mine", not with "replay"/,
  );
  await refused([...resume, '--method', mine], /mine\.js: this is not the file that the run in .*half was begun with/);
  await refused([...resume, '--nearness', '1'], /^--nearness: the run in .*half was begun with 2, not with 1/);
  await refused(
    ['train', '--resume', '--out', at('replay'), '--method', mine],
    /^--method: the run in .*replay was begun with "replay", not with the method in .*mine\.js/,
  );
  writeFileSync(at('stops.mjs'), `${content}// Something else.\n`);
  await refused(resume, /stops\.mjs: this is not the file .* Give it back its content of then, or start another run/);
  // Nothing is begun by what only reads the run.
  for (const reads of [
    ['export', at('half'), '--onnx'],
    ['analyse', at('half')],
  ])
    await refused(reads, /stops\.mjs: this is not the file .* Put it back as it was, or say by --method FILE where/);
  // What the folder says can be changed; the checkpoint knows.
  const config = readFileSync(at('half', 'config.json'), 'utf8');
  writeFileSync(
    at('half', 'config.json'),
    config.replace(configOf('half').methodFingerprint as string, configOf('run').methodFingerprint as string),
  );
  await refused([...resume, '--method', mine], /checkpoint\.safetensors: .*"methodFingerprint"/);
  writeFileSync(at('half', 'config.json'), config);

  writeFileSync(at('stops.mjs'), content);
  renameSync(at('stops.mjs'), at('moved.mjs'));
  await refused(
    resume,
    /stops\.mjs: the method "mine", .*half was begun with, is not there\. Say where .* --method FILE/,
  );
  const moved = await engram(...resume, '--method', at('moved.mjs'));
  assert.is(moved.code, 0, moved.errors);
  assert.match(moved.out, /after task 1 of 2/);
  assert.equal(lossesOf('half'), lossesOf('run'));
  assert.equal(recordOf('half').matrix, recordOf('run').matrix);
  assert.is(configOf('half').methodFile, at('moved.mjs'), 'where the next one looks for it');
  assert.is((await engram(...resume)).code, 0);
});

test('names that are none, and files that are missing, fail or export no method', async () => {
  const train = (method: string): string[] => ['train', ...tiny, '--method', method, '--out', at('no')];
  await refused(
    train('mine'),
    /^--method: "mine" is not a built-in method\. Did you mean \w+\?.* such as \.\/mine\.js/,
  );
  await refused(train(at('none.js')), /none\.js: cannot read this file: no such file/);
  await refused(train(`${home}/`), /cannot read this file: this is a folder/);
  for (const [name, content, pattern] of [
    [
      'throws.mjs',
      'throw new Error("one\\ntwo");',
      /throws\.mjs: it fails when it is loaded: Error: one\\ntwo\. Correct/,
    ],
    ['cut.js', 'export default {', /cut\.js: it fails when it is loaded: SyntaxError: /],
    ['wrong.js', 'import { nothing } from "engram"; nothing;', /does not provide an export named 'nothing'/],
    ['common.js', 'module.exports = {};', /module is not defined in ES module scope/],
    ['common.cjs', 'module.exports = {};', /common\.cjs: a method file is an ES module, .* call it \.mjs or \.js/],
    ['empty.js', '', /empty\.js: it exports nothing\. It looks like: import .*defineMethod/],
    ['two.js', 'export const a = 1, b = 2;', /two\.js: it exports a, b, and none of them as default/],
    ['number.js', 'export default 3;', /number\.js: 3 was given, which is not a method/],
    ['name.js', MINE.replace("'mine'", "'fdkd'"), /name\.js: .* is called "fdkd" as a built-in one is/],
    ['lr.js', MINE.replace('{ nearness:', '{ lr:'), /lr\.js: .* the setting "lr", which every learner has/],
    ['tasks.js', MINE.replace('{ nearness:', '{ tasks:'), /tasks\.js: .* the setting "tasks", which every run has/],
    ['out.js', MINE.replace('{ nearness:', '{ out:'), /"out", but --out is a flag of the command line itself/],
    [
      'asks.js',
      MINE.replace('{ nearness:', '{ farness:'),
      /the setting "nearness", which it does not declare\. It declares farness/,
    ],
    ['number-loss.js', MINE.replace('return loss;', 'return 3;'), /task 1: loss\(\) gave 3, not a tensor/],
  ] as const) {
    writeFileSync(at(name), content);
    await refused(train(at(name)), pattern);
  }
});

// Node runs TypeScript from 22.18 on.
test('a file in TypeScript runs where Node can, and elsewhere says what to do', async () => {
  writeFileSync(
    at('typed.ts'),
    MINE.replace('const old =', 'const old: unknown =').replace('old.sub', '(old as Tensor).sub'),
  );
  const args = ['train', ...tiny, '--method', at('typed.ts'), '--nearness', '2', '--out', at('typed')];
  if ((process.features as { typescript?: unknown }).typescript) {
    const { code, errors } = await engram(...args);
    assert.is(code, 0, errors);
    assert.equal(lossesOf('typed'), lossesOf('run'));
  } else {
    await refused(
      args,
      /typed\.ts: this Node \(v\S+\) does not run files of this kind\. For TypeScript use Node 22\.18/,
    );
  }
});

test.run();
