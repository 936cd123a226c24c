/** The JSON Schema of sweeps: it takes what runs take, refuses what they refuse, and completes what there is. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv } from 'ajv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sweepFileSchema } from '../src/cli/sweep-schema.ts';
import { commonSettings } from '../src/continual/benchmark/config.ts';
import { methods } from '../src/continual/methods/index.ts';
import { engram } from './support/command.ts';

const SWEEPS = 'bench/sweeps';
const schema = sweepFileSchema();
const validate = new Ajv({ allErrors: true }).compile(schema as object);
const fits = (sweep: object): boolean => validate(sweep);

test('every sweep of ours names the schema, and is what it says', () => {
  const names = readdirSync(SWEEPS).filter((name) => name.endsWith('.json'));
  assert.ok(names.length >= 14);
  for (const name of names) {
    const sweep = JSON.parse(readFileSync(`${SWEEPS}/${name}`, 'utf8'));
    assert.ok(fits(sweep), `${name}: ${JSON.stringify(validate.errors)}`);
    assert.ok(existsSync(resolve(SWEEPS, sweep.$schema)), name);
  }
});

test('what the README of the command line shows, and every form of a parameter', () => {
  const [, example = ''] =
    /```json\n(\{[^`]*"configurations"[^`]*)```/.exec(readFileSync('src/cli/README.md', 'utf8')) ?? [];
  assert.ok(fits(JSON.parse(example)), JSON.stringify(validate.errors));
  const parameters = {
    lr: [0.1, 0.05],
    momentum: { values: [0.9] },
    epochs: { value: 3 },
    kdWeight: { min: 0.5, max: 4, distribution: 'log_uniform' },
    method: ['kd', './mine.js'],
    taskSizes: [
      [6, 4],
      [5, 5],
    ],
    'a setting of my own method': [1, 2],
  };
  assert.ok(fits({ method: 'random', runs: 4, parameters, earlyStop: {} }), JSON.stringify(validate.errors));
});

test('what a run would refuse is marked while it is typed', () => {
  for (const sweep of [
    { colour: 'red' },
    { method: 'bayes' },
    { orders: [] },
    { orders: [-1] },
    { name: '../up' },
    { runs: 0 },
    { parameters: { lr: [] } },
    { parameters: { lr: ['fast'] } },
    { parameters: { lr: { min: 0.1 } } },
    { settings: { epochs: 1.5 } },
    { settings: { epochs: '3' } },
    { configurations: [{ method: 'kd', name: 3 }] },
    { configurations: [{ method: 'kd', sizes: 'larger' }] },
    { earlyStop: { margin: -1 } },
  ])
    assert.not.ok(fits(sweep), JSON.stringify(sweep));
});

test('every entry, and every setting of every method, is completed with its meaning', () => {
  const entries = schema.properties as Record<string, { description?: string; properties?: object }>;
  for (const [key, entry] of Object.entries(entries)) assert.ok((entry.description ?? '').length > 5, key);
  const known = [commonSettings, ...Object.values(methods).map(({ settings }) => settings)].flatMap(Object.keys);
  for (const place of ['settings', 'parameters', 'baseline'])
    for (const key of known) assert.ok(key in (entries[place]?.properties ?? {}), `${place}.${key}`);
  const meanings = schema.definitions as Record<string, { description?: string; anyOf?: { description: string }[] }>;
  for (const key of known) {
    // Methods that take one name for unlike things each say what they mean by it.
    const { description, anyOf = [] } = meanings[key] ?? {};
    for (const text of description === undefined ? anyOf.map((one) => one.description) : [description])
      assert.ok(text.length > 5, key);
    assert.ok(description !== undefined || anyOf.length > 1, key);
  }
});

test('the command prints it, and asks for a file where it is given none', async () => {
  const { code, out } = await engram('sweep', '--schema');
  assert.is(code, 0);
  assert.equal(JSON.parse(out), JSON.parse(JSON.stringify(schema)));
  assert.match((await engram('sweep', '--help')).out, /--limit <n> +runs that a sweep may have \(default: 1000\)/);
  const nothing = await engram('sweep');
  assert.is(nothing.code, 2);
  assert.match(nothing.errors, /no file was given\. Name the file of the sweep/);
});

test.run();
