/** The model after each task, kept beside a run's state where that is asked for: what drift and stability are told by. */
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Interrupted } from '../src/cli/exit.ts';
import { learn } from '../src/cli/learn.ts';
import { RunFolder } from '../src/cli/run-folder.ts';
import { parseConfig } from '../src/continual/benchmark/config.ts';
import { readSafetensors, type SafetensorsEntry } from '../src/nn/safetensors.ts';
import { engine } from './support/engine.ts';
import { said } from './support/folder-files.ts';
import { refusal } from './support/refusal.ts';
import { fashion } from './support/small-run.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-stages-'));
test.after(() => rmSync(home, { recursive: true, force: true }));
const at = (...parts: string[]): string => join(home, ...parts);

const config = parseConfig({
  method: 'replay',
  tasks: 3,
  classOrder: [1, 3, 5],
  trainPerClass: 4,
  testPerClass: 2,
  epochs: 1,
  memory: 3,
  batch: 4,
  width: 2,
});

/** Makes a run, or goes on with it where it is there; stopped after so many tasks. */
const run = (name: string, { keepStages, stopAfter }: { keepStages?: boolean; stopAfter?: number } = {}) =>
  said(async () => {
    const isThere = readdirSync(home).includes(name);
    const folder = isThere ? await RunFolder.open(at(name)) : await RunFolder.create(at(name), config);
    const add = folder.addMetrics.bind(folder);
    folder.addMetrics = async (line) => {
      await add(line);
      if (line.type === 'task' && line.task + 1 === stopAfter) process.emit('SIGINT', 'SIGINT');
    };
    await learn(engine, fashion, folder.config, async () => folder, keepStages ? { keepStages } : {});
  });

const stages = (name: string): string[] =>
  readdirSync(at(name))
    .filter((file) => file.startsWith('stage'))
    .sort();
const bytes = (name: string, file: string): string => readFileSync(at(name, file), 'hex');
const shapes = (tensors: ReadonlyMap<string, SafetensorsEntry>) =>
  new Map([...tensors].map(([name, { shape, data }]) => [name, [shape, Array.from(data as Float32Array)]]));

await run('whole', { keepStages: true });

test('the weights after each task are kept, the last ones those of the checkpoint, and none unless asked for', async () => {
  assert.equal(stages('whole'), ['stage-1.safetensors', 'stage-2.safetensors', 'stage-3.safetensors']);
  const [first, , last] = stages('whole').map((file) => readSafetensors(readFileSync(at('whole', file))).tensors);
  const saved = readSafetensors(readFileSync(at('whole', 'checkpoint.safetensors'))).tensors;
  const model = new Map(
    [...saved].flatMap(([name, entry]) => (name.startsWith('model.') ? [[name.slice(6), entry] as const] : [])),
  );
  assert.equal(shapes(last!), shapes(model));
  assert.equal(first!.get('fc.weight')?.shape[0], 1, 'one class after the first task');
  await run('plain');
  assert.equal(stages('plain'), []);
});

test('a run that goes on keeps them on, the same as if it had never stopped, and makes one that is missing', async () => {
  assert.instance(await refusal(run('half', { keepStages: true, stopAfter: 2 })), Interrupted);
  assert.equal(stages('half'), ['stage-1.safetensors', 'stage-2.safetensors']);
  // Killed between the checkpoint and its stage.
  renameSync(at('half', 'stage-2.safetensors'), at('half', 'stage-2.safetensors.1-1.tmp'));
  // Of a state that was lost since.
  writeFileSync(at('half', 'stage-7.safetensors'), 'later');
  await run('half');
  assert.equal(stages('half'), stages('whole'));
  for (const file of stages('whole')) assert.is(bytes('half', file), bytes('whole', file), file);
});

test('a run that was begun without may keep them from where it is', async () => {
  assert.instance(await refusal(run('late', { stopAfter: 2 })), Interrupted);
  assert.equal(stages('late'), []);
  await run('late', { keepStages: true });
  assert.equal(stages('late'), ['stage-2.safetensors', 'stage-3.safetensors']);
  assert.is(bytes('late', 'stage-2.safetensors'), bytes('whole', 'stage-2.safetensors'));
});

test.run();
