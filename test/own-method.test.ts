/** A method of one's own: it is recorded by its name and its settings, resumes as itself alone, and may not pass for a built-in one. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Benchmark } from '../src/continual/benchmark/benchmark.ts';
import { type ConfigInput, parseConfig } from '../src/continual/benchmark/config.ts';
import { type AnyMethod, defineMethod } from '../src/continual/method.ts';
import { methods } from '../src/continual/methods/index.ts';
import { numberSetting } from '../src/continual/setting.ts';
import { CheckpointError, ConfigError, type EngramError } from '../src/errors.ts';
import { readSafetensors } from '../src/nn/safetensors.ts';
import { crossEntropy } from '../src/ops/cross-entropy.ts';
import { engine } from './support/engine.ts';
import { refusal } from './support/refusal.ts';
import { finish, makeBenchmark } from './support/run-benchmark.ts';
import { fashion, small } from './support/small-run.ts';

const settings: ConfigInput = { ...small, trainPerClass: 16, testPerClass: 10, epochs: 1, batch: 16 };

const named = (name: string, changes: Partial<AnyMethod> = {}): AnyMethod => ({
  ...defineMethod({
    name,
    summary: 'cross entropy on new data and exemplars, made louder',
    settings: { volume: numberSetting(1, { above: 0 }, 'factor of the loss') },
    keeps: 'exemplars',
    *learn({ settings: { volume } }) {
      yield { loss: ({ logits, targets }) => crossEntropy(logits, targets).mul(volume) };
    },
  }),
  ...changes,
});

async function firstTask(method?: AnyMethod): Promise<Uint8Array> {
  const benchmark = makeBenchmark(settings, method);
  await finish(benchmark.runTask());
  const saved = await benchmark.save();
  benchmark.dispose();
  return saved;
}

test('the checkpoint says which method it was, and its settings', async () => {
  const { metadata } = readSafetensors(await firstTask(named('mine')));
  const { config } = JSON.parse(metadata.benchmark as string);
  assert.is(config.method, 'mine');
  assert.is(config.volume, 1);
  const { method, methodSettings } = JSON.parse(metadata.learner as string);
  assert.equal([method, methodSettings], ['mine', { volume: 1 }]);
  const replay = new Benchmark(engine, fashion, parseConfig(settings), methods.replay);
  assert.is(replay.config.method, 'replay', 'a built-in one handed in counts, not the configured one');
  assert.is(replay.learner.method, methods.replay);
  replay.dispose();
});

test('it resumes as itself, and as nothing else', async () => {
  const [mine, builtIn] = [await firstTask(named('mine')), await firstTask()];
  const resume = async (saved: Uint8Array, method?: AnyMethod, changes: ConfigInput = {}): Promise<number> => {
    const benchmark = makeBenchmark({ ...settings, ...changes }, method);
    try {
      await benchmark.resume({ checkpoint: { bytes: saved, where: 'saved' } });
      return benchmark.tasksDone;
    } finally {
      benchmark.dispose();
    }
  };
  const refused = async (promise: Promise<unknown>, expected: RegExp) => {
    const error = await refusal(promise);
    assert.instance(error, CheckpointError);
    assert.match(error.message, expected);
  };
  assert.is(await resume(mine, named('mine')), 1);
  await refused(resume(mine), /"method" = "mine", but this run has "fdkd"/);
  await refused(resume(mine, named('other')), /"method" = "mine", but this run has "other"/);
  await refused(resume(mine, named('mine'), { volume: 2 }), /"volume" = 1, but this run has 2/);
  await refused(resume(builtIn, named('mine')), /"method" = "fdkd", but this run has "mine"/);
  await refused(resume(builtIn, methods.replay), /"method" = "fdkd", but this run has "replay"/);
});

test('no name, or the name of a built-in method, is refused', () => {
  for (const [name, expected] of [
    ['fdkd', /is called "fdkd" as a built-in one is/],
    ['', /has no name/],
  ] as const) {
    for (const make of [
      () => parseConfig(settings, 'configuration', named(name)),
      () => new Benchmark(engine, fashion, parseConfig(settings), named(name)),
    ])
      assert.throws(make, (error: EngramError) => error instanceof ConfigError && expected.test(error.message));
  }
});

test('its settings are its own: checked by it, and no other has them', () => {
  const made = (method: AnyMethod, changes: ConfigInput = {}) => {
    const benchmark = makeBenchmark({ ...settings, ...changes }, method);
    benchmark.dispose();
    return benchmark.learner.methodSettings;
  };
  assert.equal(made(named('mine')), { volume: 1 });
  assert.equal(made(named('mine'), { volume: 3 }), { volume: 3 });
  const refused = (run: () => unknown, expected: RegExp) =>
    assert.throws(run, (error: EngramError) => error instanceof ConfigError && expected.test(error.message));
  refused(() => made(named('mine'), { volume: 0 }), /"volume" does not fit: expected a finite number above 0/);
  refused(() => made(named('mine'), { align: true }), /the method "mine" has no setting "align".*replay/);
  refused(() => made(methods.replay, { volume: 1 }), /unknown setting "volume"/);
  const clash = named('mine', { settings: { lr: numberSetting(1, {}, 'of its own') } });
  refused(() => made(clash), /declares the setting "lr", which every learner has/);
});

test('it says what it cannot do before anything is learnt', () => {
  const check: AnyMethod['check'] = ({ volume }, { taskSizes }) => {
    throw new ConfigError({ where: `volume ${volume}`, message: `${taskSizes.length} tasks are too many.` });
  };
  assert.throws(() => makeBenchmark(settings, named('mine', { check })), /^volume 1: 2 tasks are too many/);
});

test.run();
