/** What is said of settings that do not fit: every key of the schema, from the library and from the command line. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { flagOf, parseSetting } from '../src/cli/config-flags.ts';
import { CONFIG_KEYS, expectedOf, parseConfig } from '../src/continual/config.ts';
import { ConfigError } from '../src/errors.ts';

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
  for (const key of CONFIG_KEYS) {
    const words = expectedOf(key).replace(/\(depth 6n \+ 2, at most 6002\)/, '');
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
      const message = told(() => parseConfig({ [key]: value }));
      assert.ok(
        message.startsWith(`configuration: "${key}" does not fit: expected ${expectedOf(key)}, received `),
        message,
      );
    }
  }
});

test('numbers are told with their bounds', () => {
  const words = Object.fromEntries(CONFIG_KEYS.map((key) => [key, expectedOf(key)]));
  assert.is(words.epochs, 'a whole number of at least 1');
  assert.is(words.lr, 'a finite number above 0');
  assert.is(words.weightDecay, 'a finite number of at least 0');
  assert.is(words.flip, 'a number from 0 to 1');
  assert.is(words.momentum, 'a number of at least 0 and below 1');
  assert.is(words.milestones, 'a list of whole numbers of at least 0');
  assert.is(words.precision, 'one of f32, f16');
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

test('a flag with a list takes as many numbers as there are, and never drops one', () => {
  assert.equal(parseSetting('scale', '0.9,1.1'), [0.9, 1.1]);
  assert.equal(parseSetting('milestones', '10,20'), [10, 20]);
  assert.equal(parseSetting('milestones', ''), []);
  for (const text of ['1', '1,1,1', '2,1', '0,1', '1,', '1,x', '1,Infinity', '']) {
    assert.match(
      told(() => parseSetting('scale', text)),
      /^--scale: ".*" does not fit: expected two finite numbers above 0, the smaller one first\. It means: random magn/,
    );
  }
  for (const key of ['classOrder', 'milestones', 'mean', 'std'] as const) {
    for (const text of ['1,,2', '1,2,', ',', '1;2', '1,Infinity']) {
      const message = told(() => parseSetting(key, text));
      assert.ok(message.startsWith(`${flagOf(key)}: "${text}" does not fit: expected a list of `), message);
    }
  }
});

test.run();
