/** What is said of settings that do not fit: every key of the schema, from the library and from the command line. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSetting } from '../src/cli/config-flags.ts';
import { readConfigFile } from '../src/cli/settings.ts';
import { commonSettings, parseConfig, settingsFor, settingsOf } from '../src/continual/benchmark/config.ts';
import { METHOD_NAMES, methods } from '../src/continual/methods/index.ts';
import { expectedOf, type Settings } from '../src/continual/setting.ts';
import { flagOf, named } from '../src/continual/setting-name.ts';
import { ConfigError } from '../src/errors.ts';
import { inFolder } from './support/in-folder.ts';

/** Every setting there is, by a method that has it. */
const all = METHOD_NAMES.flatMap((method) =>
  Object.entries(settingsOf(methods[method])).map(([key, setting]) => ({ method, key, setting })),
);
const common: Settings = commonSettings;

const told = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    assert.instance(error, ConfigError);
    return (error as Error).message;
  }
  return assert.unreachable('nothing was thrown') as never;
};

/** What no person would say. */
const machine = /Invalid|undefined|NaN|\[object|[<>]=|\(|safe|tuple|guard|picklist/;

test('every setting says in words what it may be', () => {
  assert.ok(all.length > METHOD_NAMES.length * Object.keys(common).length);
  for (const { method, key, setting } of all) {
    const words = expectedOf(setting).replace(/\(depth 6n \+ 2, at most 6002\)/, '');
    assert.match(
      words,
      /^(a (whole |finite |)numbers? ?|a list of |one of |true or false$|a text$|two |a network: )/,
      key,
    );
    assert.not.match(words, machine, key);
    for (const value of [
      null,
      {},
      [{}],
      ['x'],
      Number.NaN,
      Number.POSITIVE_INFINITY,
      [1, Number.POSITIVE_INFINITY],
      -7,
    ]) {
      if (key === 'data' && typeof value === 'string') continue;
      const message = told(() => parseConfig({ method, [key]: value }));
      assert.ok(
        message.startsWith(`configuration: "${key}" does not fit: expected ${expectedOf(setting)}, received `),
        message,
      );
    }
  }
});

test('numbers are told with their bounds', () => {
  const words = Object.fromEntries(all.map(({ key, setting }) => [key, expectedOf(setting)]));
  assert.is(words.epochs, 'a whole number of at least 1');
  assert.is(words.lr, 'a finite number above 0');
  assert.is(words.weightDecay, 'a finite number of at least 0');
  assert.is(words.flip, 'a number from 0 to 1');
  assert.is(words.momentum, 'a number of at least 0 and below 1');
  assert.is(words.milestones, 'a list of whole numbers of at least 0');
  assert.is(words.precision, 'one of f32, f16');
  assert.is(words.temperature, 'a finite number above 0');
  assert.is(words.groups, 'a whole number from 1 to 65536');
});

test('what was received is told, and not too much of it', () => {
  assert.match(
    told(() => parseConfig({ lr: Number.POSITIVE_INFINITY })),
    /above 0, received Infinity\./,
  );
  assert.match(
    told(() => parseConfig({ tasks: 1e300 })),
    /received 1e\+300\./,
  );
  assert.match(
    told(() => parseConfig({ classOrder: [1, -1] })),
    /received \[1, -1\]\./,
  );
  assert.match(
    told(() => parseConfig({ model: 'resnet9\u001b[1m' })),
    /received "resnet9\\u001b\[1m"\./,
  );
  assert.ok(told(() => parseConfig({ mean: Array(1e5).fill('x') })).length < 300);
  assert.match(
    told(() => parseConfig([1])),
    /unknown setting "0"|is not a configuration/,
  );
  assert.match(
    told(() => parseConfig('x')),
    /"x" is not a configuration/,
  );
  assert.match(
    told(() => parseConfig(JSON.parse('{"__proto__": 1}'))),
    /unknown setting "__proto__"/,
  );
  assert.match(
    told(() => parseConfig({ constructor: 1 })),
    /unknown setting "constructor"/,
  );
});

test('a setting is named as programs and as command lines have it', () => {
  assert.is(named('lr'), '`lr` (--lr)');
  assert.is(named('memoryPerClass', 20), '`memoryPerClass: 20` (--memory-per-class 20)');
  assert.is(named('schedule', 'step'), "`schedule: 'step'` (--schedule step)");
  assert.is(named('milestones', [10, 20]), '`milestones: [10, 20]` (--milestones 10,20)');
  assert.is(named('nesterov', false), '`nesterov: false` (--no-nesterov)');
});

test('a method has its own settings and no other method', () => {
  const refused = (input: Record<string, unknown>, expected: RegExp) =>
    assert.match(
      told(() => parseConfig(input)),
      expected,
    );
  refused(
    { method: 'replay', temperature: 3 },
    /the method "replay" has no setting "temperature".*one of kd, tkd, lwf, .*fdkd, rdkd/,
  );
  refused({ method: 'fdkd', groups: 3 }, /the method "fdkd" has no setting "groups".*one of lwf, icarl, .*rdkd/);
  refused(
    { method: 'dkd' },
    /"dkd" is not a built-in method\. Built in are finetune, joint, kd, replay, tkd, lwf, .*fdkd, rdkd/,
  );
  refused({ method: 7 }, /7 is not a built-in method/);
  refused(
    { method: 'rdkd', speed: 1 },
    /unknown setting "speed"\. The settings of runs by "rdkd": data, tasks, .*groups/,
  );
  assert.is(parseConfig({}).method, 'fdkd');
  const given = { lr: 0.2, temperature: 3, groups: 2, align: false };
  assert.equal(settingsFor('replay', given), { lr: 0.2, align: false, method: 'replay' });
  assert.equal(settingsFor('rdkd', given), { ...given, method: 'rdkd' });
  for (const method of METHOD_NAMES) parseConfig(settingsFor(method, given));
});

test('what a scenario leaves open is not written down, so that older runs are gone on with', () => {
  const config = parseConfig({ tasks: 5 });
  for (const key of ['increment', 'taskSizes', 'classOrder', 'domains', 'angles', 'blurry', 'memoryBytes'])
    assert.not.ok(key in config, key);
});

/** What the text of a flag says. */
const flag = (key: keyof typeof commonSettings, text: string): unknown => parseSetting(key, commonSettings[key], text);

test('a flag with a list takes as many numbers as there are, and never drops one', () => {
  assert.equal(flag('scale', '0.9,1.1'), [0.9, 1.1]);
  assert.equal(flag('milestones', '10,20'), [10, 20]);
  assert.equal(flag('milestones', ''), []);
  for (const text of ['1', '1,1,1', '2,1', '0,1', '1,', '1,x', '1,Infinity', '']) {
    assert.match(
      told(() => flag('scale', text)),
      /^--scale: ".*" does not fit: expected two finite numbers above 0, the smaller one first\. It means: random magn/,
    );
  }
  for (const key of ['classOrder', 'milestones', 'mean', 'std'] as const) {
    for (const text of ['1,,2', '1,2,', ',', '1;2', '1,Infinity']) {
      const message = told(() => flag(key, text));
      assert.ok(message.startsWith(`${flagOf(key)}: "${text}" does not fit: expected a list of `), message);
    }
  }
});

test('a flag takes a class order by its name or from a file', () =>
  inFolder(async (folder) => {
    assert.is(flag('classOrder', 'numpy:1993'), 'numpy:1993');
    const path = join(folder, 'order.txt');
    const held = async (text: string) => {
      await writeFile(path, text);
      return flag('classOrder', path);
    };
    for (const text of ['[3, 0, 2]', '[\n  3,\n  0,\n  2\n]\n', '3 0 2', '3,0, 2\n', '3\n0\n2\n'])
      assert.equal(await held(text), [3, 0, 2], text);
    for (const [text, expected] of [
      ['', /order\.txt: there are no numbers/],
      ['[]', /order\.txt: there are no numbers/],
      ['3,,2', /order\.txt: "" is no class number/],
      ['3 -1', /order\.txt: "-1" is no class number\. .*\[3, 0, 2, 1\], or one a line\. `engram data` lists/],
      ['dog, cat', /order\.txt: "dog" is no class number\. .*`engram data` lists the number of each class/],
      ['{"order": [1]}', /is no class number/],
    ] as const) {
      await writeFile(path, text);
      assert.match(
        told(() => flag('classOrder', path)),
        expected,
      );
    }
    assert.match(
      told(() => flag('classOrder', join(folder, 'none.json'))),
      /none\.json: the class order cannot be read: there is no such file\./,
    );
    const config = join(folder, 'config.json');
    await writeFile(path, '2 1 0');
    await writeFile(config, JSON.stringify({ classOrder: path }));
    assert.equal((await readConfigFile(config)).classOrder, [2, 1, 0]);
  }));

test.run();
