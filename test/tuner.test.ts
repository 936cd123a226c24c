/** The tuner: what is measured is chosen, remembered and no more than asked for; what fails is left out. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Benchmark, parseConfig } from '../src/entries/benchmark.ts';
import { loadDataset } from '../src/entries/data.ts';
import type { Launch } from '../src/gpu/launch.ts';
import type { Runtime } from '../src/gpu/runtime.ts';
import { tunerOf } from '../src/gpu/tuning/tuners.ts';
import { mergeChoices, readChoices } from '../src/gpu/tuning/tuning-cache.ts';
import { tuningCache } from '../src/gpu/tuning/tuning-cache-node.ts';
import { wgsl } from '../src/gpu/wgsl/link-wgsl.ts';
import { Engine, matmul, readSafetensors, type Stopwatch, type Tensor, type TuningCache, tune } from '../src/index.ts';
import { addWideVariants } from '../src/ops/matmul/wide-variants.ts';
import {
  chooseVariant,
  type KernelFamily,
  type KernelVariant,
  preferVariant,
} from '../src/ops/variants/kernel-variants.ts';
import { zeros } from '../src/tensor/create.ts';
import { product } from './support/conv-reference.ts';
import { engine, near, uniform } from './support/engine.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-tuner-'));
process.env.ENGRAM_CACHE = home;
test.after(() => rmSync(home, { recursive: true, force: true }));

/** An engine without a past, whose variants are those for GPUs on every adapter. */
const fresh = (): Engine => Engine.from(engine.device, { kind: 'hardware' });

/** A stopwatch that knows its times: 10 ms for every variant that is not named. */
const telling =
  (ms: Record<string, number>): Stopwatch =>
  async (_, runs) =>
    runs.map(({ variant }) => ms[variant] ?? 10);

const never: Stopwatch = () => assert.unreachable('something was measured') as never;

function inMemory(): TuningCache & { kept: unknown } {
  const store = {
    kept: undefined as unknown,
    read: async () => store.kept,
    update: async (_: string, change: (kept: unknown) => unknown) => {
      store.kept = change(store.kept);
    },
  };
  return store;
}

/** A square product of n rows. */
function square(on: Engine, n: number): () => Tensor {
  const [a, b] = [on.tensor(uniform(n * n, 1), [n, n]), on.tensor(uniform(n * n, 2), [n, n])];
  return () => matmul(a, b);
}

/** Threads of the workgroups of `step`'s first launch, rows × columns. */
function launched(on: Engine, step: () => unknown): string {
  const launches: Launch[] = [];
  on.dispatch = (dispatch) => void launches.push(dispatch);
  step();
  Reflect.deleteProperty(on, 'dispatch'); // the class's own is back
  const { kernel, constants } = launches[0]!;
  return `${kernel.name} ${constants?.THREADS_Y}x${constants?.THREADS_X}`;
}

test('the fastest variant runs from then on, and computes the same', async () => {
  const on = fresh();
  const step = square(on, 64);
  assert.is(launched(on, step), 'matmul_tiled 4x16');
  const { result, pieces } = await tune(on, step, { stopwatch: telling({ 'tiled-16x16': 5 }), store: null });
  const [piece] = pieces;
  assert.is(pieces.length, 1);
  assert.equal([piece!.rule, piece!.variant, piece!.from, piece!.launches], ['tiled', 'tiled-16x16', 'measured', 1]);
  assert.is(piece!.ms.tiled, 10);
  assert.is(launched(on, step), 'matmul_tiled 16x16');
  const expected = product(64, 64, 64, uniform(64 * 64, 1), uniform(64 * 64, 2));
  await near(result, expected);
  await near(step(), expected);
  assert.is(launched(on, square(on, 60)), 'matmul_tiled 4x16', 'other shapes keep the rule');
});

test('the rule stays where others are hardly faster', async () => {
  const on = fresh();
  const stopwatch = telling({ 'wide-8x8': 9.8 });
  const { pieces } = await tune(on, square(on, 64), { stopwatch, store: null });
  assert.is(pieces[0]!.variant, 'tiled');
  assert.is(pieces[0]!.from, 'measured');
});

test('what is hopeless at first sight is not looked at again; of the others the best of several looks counts', async () => {
  let call = 0;
  const looks: Stopwatch = async (_, runs) => {
    call++;
    return runs.map(({ variant }, i) => {
      if (variant === 'tiled-8x8') return call === 1 ? 30 : 1;
      return variant === 'wide-16x16' && i > 6 ? 6 : 10;
    });
  };
  const on = fresh();
  const tuned = await tune(on, square(on, 64), { stopwatch: looks, store: null });
  assert.is(tuned.pieces[0]!.variant, 'wide-16x16');
  assert.is(tuned.pieces[0]!.ms['tiled-8x8'], 30);
});

test('a preferred variant goes before the tuned one, and back', async () => {
  const on = fresh();
  const step = square(on, 64);
  await tune(on, step, { stopwatch: telling({ 'tiled-16x16': 5 }), store: null });
  addWideVariants(on);
  preferVariant(on, 'matmul', 'wide-8x8');
  assert.is(launched(on, step), 'matmul_wide 8x8');
  preferVariant(on, 'matmul', null);
  assert.is(launched(on, step), 'matmul_tiled 16x16');
});

test('what was measured once is not measured again, in this process or the next', async () => {
  const store = inMemory();
  const on = fresh();
  const step = square(on, 64);
  await tune(on, step, { stopwatch: telling({ 'tiled-16x16': 5 }), store });
  assert.is((await tune(on, step, { stopwatch: never, store })).pieces[0]!.from, 'cache');
  const later = fresh();
  const { pieces } = await tune(later, square(later, 64), { stopwatch: never, store });
  assert.equal([pieces[0]!.variant, pieces[0]!.from], ['tiled-16x16', 'cache']);
  const forced = await tune(later, square(later, 64), { stopwatch: telling({ 'wide-8x8': 5 }), store, force: true });
  assert.equal([forced.pieces[0]!.variant, forced.pieces[0]!.from], ['wide-8x8', 'measured']);
});

const adapter = 'Some GPU (driver 1.2, hardware, Vulkan)';
const choice = { variant: 'tiled', ms: { tiled: 1 } };

test("what is damaged, another version's or another adapter's is nothing, and is written over", async () => {
  const good = mergeChoices(undefined, adapter, new Map([['a', choice]]));
  assert.equal(readChoices(good, adapter), new Map([['a', choice]]));
  for (const kept of [undefined, 7, 'text', {}, { ...good, engine: '0.0.1' }, { ...good, adapter: 'another' }]) {
    assert.is(readChoices(kept, adapter).size, 0, JSON.stringify(kept));
    assert.equal(mergeChoices(kept, adapter, new Map([['a', choice]])), good);
  }
  assert.is(readChoices({ ...good, choices: { a: { variant: 3 } } }, adapter).size, 0);

  const on = fresh();
  await tune(on, square(on, 64), { stopwatch: telling({ 'wide-8x8': 5 }) });
  const path = join(home, 'tuned', readdirSync(join(home, 'tuned')).find((name) => name.endsWith('.json'))!);
  const written = readFileSync(path, 'utf8');
  for (const spoilt of ['{"engine":', written.replace(/"engine": ".*?"/, '"engine": "0.0.1"')]) {
    writeFileSync(path, spoilt);
    const later = fresh();
    const { pieces } = await tune(later, square(later, 64), { stopwatch: telling({ 'wide-8x8': 5 }) });
    assert.is(pieces[0]!.from, 'measured');
    assert.is(readFileSync(path, 'utf8'), written);
  }
});

test('writers at once lose nothing, and one that died does not stop them', async () => {
  const names = Array.from({ length: 20 }, (_, i) => `piece ${i}`);
  const write = (name: string) =>
    tuningCache.update(adapter, (kept) => mergeChoices(kept, adapter, new Map([[name, choice]])));
  await write('first');
  const file = readdirSync(join(home, 'tuned')).find((name) => name.startsWith('some-gpu'))!;
  const lock = join(home, 'tuned', `${file}.lock`);
  writeFileSync(lock, '');
  const long = Date.now() / 1000 - 60;
  utimesSync(lock, long, long);
  await Promise.all(names.map(write));
  assert.equal(new Set(readChoices(await tuningCache.read(adapter), adapter).keys()), new Set(['first', ...names]));
  assert.equal(
    readdirSync(join(home, 'tuned')).filter((name) => /lock|tmp/.test(name)),
    [],
  );
});

test('a lock of a time to come is no lock', async () => {
  const file = readdirSync(join(home, 'tuned')).find((name) => name.startsWith('some-gpu'))!;
  const lock = join(home, 'tuned', `${file}.lock`);
  writeFileSync(lock, '');
  const years = Date.now() / 1000 + 1e8;
  utimesSync(lock, years, years);
  const limit = new Promise((_, late) => setTimeout(late, 5000, new Error('it waits')).unref());
  const later = mergeChoices(undefined, adapter, new Map([['later', choice]]));
  await Promise.race([tuningCache.update(adapter, () => later), limit]);
  assert.ok(readChoices(await tuningCache.read(adapter), adapter).has('later'));
  assert.not.ok(existsSync(lock));
});

test('a cache that cannot be used is a warning', async () => {
  const refuse = async () => {
    throw new Error('no room');
  };
  const on = fresh();
  const warnings: string[] = [];
  const options = { store: { read: refuse, update: refuse }, warn: (message: string) => warnings.push(message) };
  const stopwatch = telling({ 'wide-8x8': 5 });
  const { pieces } = await tune(on, square(on, 64), { ...options, stopwatch });
  assert.is(pieces[0]!.variant, 'wide-8x8');
  assert.is(warnings.length, 2);
  assert.match(warnings.join(), /could not be read: no room.*could not be kept: no room/);
});

test('a spent budget leaves the rest to the rule and to the next time', async () => {
  const on = fresh();
  const steps = [square(on, 32), square(on, 64), square(on, 128)];
  const step = () => steps.map((one) => one());
  let clock = 0;
  const stopwatch: Stopwatch = async (_, runs) => {
    clock += 60; // twice a piece
    return runs.map(({ variant }) => (variant === 'wide-8x8' ? 5 : 10));
  };
  const options = { stopwatch, now: () => clock, store: null };
  const from = async (budget: number) =>
    (await tune(on, step, { ...options, budget })).pieces.map((piece) => `${piece.work.slice(0, 3)} ${piece.from}`);
  assert.equal(await from(0), ['128 rule', '64× rule', '32× rule']);
  assert.equal(await from(200), ['128 measured', '64× measured', '32× rule']);
  assert.equal(await from(200), ['128 cache', '64× cache', '32× measured']);
  assert.is(launched(on, steps[0]!), 'matmul_wide 8x8');
});

interface Copy {
  readonly words: number;
}
interface CopyVariant extends KernelVariant<Copy> {
  dispatch(on: Runtime, words: number, output: Tensor): void;
}

const writer = (name: string, source: string): CopyVariant => ({
  name,
  supports: () => true,
  dispatch: (on, words, output) =>
    on.dispatch({
      kernel: { name: `test_${name}`, source: wgsl`${source}` },
      buffers: [output.storage],
      workgroups: [words],
    }),
});
const working = `@group(0) @binding(0) var<storage, read_write> output: array<f32>;
  @compute @workgroup_size(1) fn main(@builtin(workgroup_id) at: vec3<u32>) { output[at.x] = 1.0; }`;

/** One variant that works, one that does not compile, one that throws. */
const family: KernelFamily<Copy, CopyVariant> = {
  name: 'copy',
  preference: 'copy',
  variants: [
    writer('plain', working),
    writer('broken', working.replace('1.0', 'nothing')),
    {
      ...writer('throwing', working),
      dispatch() {
        throw new RangeError('far too large');
      },
    },
    writer('quick', working),
  ],
  flopsOf: ({ words }) => words,
  describe: ({ words }) => `${words} words`,
  rehearse(on, { words }) {
    const output = on.keep(zeros(on, [words]));
    return { launch: (variant) => variant.dispatch(on, words, output), dispose: () => output.dispose() };
  },
};

test('variants that do not compile or launch are left out, with one warning each', async () => {
  const on = fresh();
  const warnings: string[] = [];
  const { pieces } = await tune(on, () => [4, 8].map((words) => chooseVariant(on, family, { words }).name), {
    stopwatch: telling({ broken: 1, throwing: 1, quick: 2 }),
    store: null,
    warn: (message) => warnings.push(message),
  });
  assert.equal(
    pieces.map(({ variant, ms }) => [variant, ...Object.keys(ms)]),
    [
      ['quick', 'plain', 'quick'],
      ['quick', 'plain', 'quick'],
    ],
  );
  assert.is(warnings.length, 2, warnings.join('\n'));
  assert.match(warnings[0]!, /variant broken of copy is left out: test_broken: the kernel did not compile: line 2/);
  assert.match(warnings[1]!, /variant throwing of copy is left out: far too large/);
  await on.sync(); // nothing of it is left
});

test('the stopwatch tells times, on the device and by the clock', async () => {
  const on = fresh();
  const { pieces } = await tune(on, square(on, 32), { store: null, budget: 1e6 });
  assert.is(pieces[0]!.from, 'measured');
  assert.ok(Object.values(pieces[0]!.ms).every((ms) => Number.isFinite(ms) && ms >= 0));
});

const fashion = await loadDataset('fashion-mini');

/** A digest of the parameters after a few steps, and whether anything was tuned. */
async function learnt(on: Engine, changes: { tune?: boolean }): Promise<[string, boolean]> {
  const few = { classOrder: [1, 8], tasks: 1, trainPerClass: 32, testPerClass: 5, width: 4, epochs: 1, batch: 32 };
  const benchmark = new Benchmark(on, fashion, parseConfig({ ...few, ...changes }));
  for await (const event of benchmark.run()) assert.ok(event);
  const { tensors } = readSafetensors(await benchmark.save());
  benchmark.dispose();
  const hash = createHash('sha256');
  for (const [name, { data }] of tensors)
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return [hash.digest('hex'), tunerOf(on) !== undefined];
}

test('a learner tunes on hardware unless told not to; then rules alone decide, and every bit is the same', async () => {
  const [plain, wasTuned] = await learnt(fresh(), { tune: false });
  assert.is(wasTuned, false);
  assert.equal(await learnt(fresh(), { tune: false }), [plain, false]);
  assert.is((await learnt(fresh(), {}))[1], true);
  const software = () => Engine.from(engine.device, { kind: 'software' });
  const [byRule, ruled] = await learnt(software(), {});
  assert.is(ruled, false);
  assert.equal(await learnt(software(), { tune: false }), [byRule, false]);
});

const engram = (...args: string[]): Promise<{ code: number; out: string; error: string }> =>
  new Promise((done) => {
    // Colours, which are on in continuous integration, would lengthen the lines.
    const env = { ...process.env, NO_COLOR: '1' };
    execFile(process.execPath, ['dist/cli.js', ...args], { env }, (failure, out, error) => {
      done({ code: failure ? Number(failure.code) : 0, out, error });
    });
  });

test('the command measures once, and shows what is in the cache', async () => {
  const small = ['--width', '4', '--batch', '2', '--size', '8'];
  const once = await engram('tune', ...small, '--json');
  assert.is(once.code, 0, once.error);
  const lines = once.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { step } = lines.pop();
  assert.ok(step.tuned > 0 && step.tuned <= step.rules * 1.001);
  assert.ok(lines.every(({ from, variant, ms }) => from === 'measured' && ms[variant] >= 0));
  const again = await engram('tune', ...small);
  assert.match(again.out, /✓ cached/);
  assert.match(again.out, new RegExp(`0 measured, ${lines.length} from the cache`));
  assert.ok(again.out.split('\n').every((line) => line.length <= 110));
});

test.run();
