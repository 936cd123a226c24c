/** The profiler: the device's time for every kernel, as numbers, a table, a trace, and from the command line. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { LaunchTime } from '../src/gpu/profiler.ts';
import { capture, matmul, type Tensor } from '../src/index.ts';
import { kernelTimes } from '../src/report/kernel-times.ts';
import { kernelTable } from '../src/report/table.ts';
import { traceEvents } from '../src/report/trace.ts';
import { engine, needs } from './support/engine.ts';

const timed = needs('timestamp-query');

timed('every launch is timed, run anew or replayed, in the order of the device', async () => {
  const a = engine.normal([64, 96]);
  const b = engine.normal([96, 32]);
  const step = (x: Tensor) => matmul(x, b).mul(2).sum();
  const replayed = capture(engine, step);
  for (let i = 0; i < 3; i++) await replayed(a).item();
  const anew = await engine.profile(() => engine.scope(() => void step(a)));
  const again = await engine.profile(() => engine.scope(() => void replayed(a)));
  for (const { launches, javascript } of [anew, again]) {
    const names = launches.map(({ name }) => name);
    assert.match(names[0]!, /^matmul/);
    assert.equal(
      names,
      again.launches.map(({ name }) => name),
    );
    assert.is(launches[0]!.flops, 2 * 64 * 96 * 32);
    assert.ok(launches[0]!.bytes >= 4 * (64 * 96 + 96 * 32 + 64 * 32));
    assert.ok(javascript > 0);
    launches.forEach(({ start, duration }, i) => {
      assert.ok(duration > 0, `${duration} ms`);
      const before = launches[i - 1];
      if (before) assert.ok(start >= before.start + before.duration - 1e-3);
    });
  }
  // Nothing is timed any more.
  assert.is(await replayed(a).item(), await step(a).item());
  replayed.dispose();
});

const launch = (name: string, duration: number, flops?: number): LaunchTime => ({
  ...{ name, start: 0, duration, workgroups: [2, 1, 1], flops, bytes: 1e6 },
});

test('kernels are added up, each launch by its median over the steps', () => {
  const steps = [1, 5, 2].map((ms) => [launch('a', ms, 4e6), launch('b', 1), launch('a', 2, 4e6)]);
  const [a, b] = kernelTimes(steps);
  assert.equal(a, { kernel: 'a', launches: 2, ms: 4, share: 0.8, gflops: 2, gbs: 0.5 });
  assert.equal(b, { kernel: 'b', launches: 1, ms: 1, share: 0.2, gflops: null, gbs: 1 });
  assert.match(kernelTable([a!, b!], { colour: false }), /a +│ +2 │ 4\.000 │ 80\.0/);
});

test('a trace has an event a launch, one step after the other, in microseconds', () => {
  const profile = { launches: [launch('a', 1, 4e6), { ...launch('b', 2), start: 1.5 }], javascript: 0.25 };
  const { traceEvents: events } = JSON.parse(traceEvents([profile, profile], 'some adapter')) as {
    traceEvents: { ph: string; name: string; ts: number; dur: number; args: Record<string, number> }[];
  };
  const kernels = events.filter(({ ph, name }) => ph === 'X' && name !== 'record');
  assert.equal(
    kernels.map(({ name, ts, dur }) => [name, ts, dur]),
    [
      ['a', 0, 1000],
      ['b', 1500, 2000],
      ['a', 3500, 1000],
      ['b', 5000, 2000],
    ],
  );
  assert.is(kernels[0]!.args['GFLOP/s'], 4);
  assert.equal(
    events.filter(({ name }) => name === 'record').map(({ ts, dur }) => [ts, dur]),
    [
      [0, 250],
      [250, 250],
    ],
  );
});

const engram = (...args: string[]): Promise<{ code: number; out: string; error: string }> =>
  new Promise((done) => {
    execFile(process.execPath, ['dist/cli.js', ...args], (failure, out, error) => {
      done({ code: failure ? Number(failure.code) : 0, out, error });
    });
  });

timed('the command prints JSON lines and writes the trace', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'engram-profile-'));
  const trace = join(folder, 'trace.json');
  const small = ['--width', '4', '--batch', '2', '--size', '8', '--steps', '2'];
  const { code, out } = await engram('profile', ...small, '--json', '--trace', trace);
  assert.is(code, 0);
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, Record<string, number>>);
  const { step } = lines.pop()!;
  assert.ok(step!.ms! > 0 && step!.javascript! > 0);
  const launches = lines.reduce((sum, line) => sum + (line.launches as unknown as number), 0);
  assert.is(launches, step!.launches);
  const { traceEvents: events } = JSON.parse(await readFile(trace, 'utf8')) as { traceEvents: { cat?: string }[] };
  assert.is(events.filter(({ cat }) => cat === 'kernel').length, 2 * launches);
  await rm(folder, { recursive: true });
});

test('a trace that cannot be written is told before anything is measured', async () => {
  for (const folder of [tmpdir(), 'new/']) {
    const { code, out, error } = await engram('profile', '--trace', folder);
    assert.equal([code, out], [2, '']);
    assert.match(error, /nothing can be written here: this is a folder, a file was expected\. Choose another place/);
  }
});

test('a network that does not exist is refused in one paragraph', async () => {
  const { code, error } = await engram('profile', '--model', 'vgg');
  assert.is(code, 2);
  assert.match(error, /--model: unknown network "vgg"\. Choose resnet8/);
  assert.not.match(error, /at .*\.js/);
});

test.run();
