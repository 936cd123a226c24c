/** The benchmark program: what it can time, one JSON object a line, and what it says to a wrong name. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

interface Ended {
  code: number;
  out: string;
  error: string;
}

const benchIn = (cwd: string, ...args: string[]): Promise<Ended> =>
  new Promise((done) => {
    execFile(process.execPath, [resolve('.build/bench/bench.js'), ...args], { cwd }, (failure, out, error) => {
      done({ code: failure ? Number(failure.code) : 0, out, error });
    });
  });
const bench = (...args: string[]): Promise<Ended> => benchIn('.', ...args);

test('names are prefixes', async () => {
  const { code, out } = await bench('--list', 'train-step/resnet8', 'matmul/2');
  assert.is(code, 0);
  const step = 'train-step/resnet8/b32';
  assert.equal(out.trim().split('\n'), ['matmul/256', step, `${step}/eager`, `${step}/f16`]);
});

test('peers are listed, and each is told as a multiple of Engram', async () => {
  const all = await bench('--list');
  assert.match(all.out, /^peers\/resnet20\/tfjs$/m);
  const { code, out } = await bench('--list', 'peers/resnet8/jax-js');
  assert.is(code, 0);
  assert.equal(out.trim().split('\n'), ['peers/resnet8/engram', 'peers/resnet8/jax-js']);
});

test('a benchmark is one line of JSON, with its rate', async () => {
  const { code, out } = await bench('--json', '--runs', '3', 'linear/forward/32x64-100', 'dkd/weighted-loss/511');
  assert.is(code, 0);
  const [product, loss, ...more] = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number>);
  assert.equal(more, []);
  assert.equal(Object.keys(product!), ['name', 'ms', 'min', 'p90', 'cpu', 'runs', 'gflops', 'adapter', 'date']);
  const { ms, min, p90, runs, gflops } = product as { [key: string]: number; ms: number };
  assert.ok(min! > 0 && min! <= ms && ms <= p90! && runs! % 3 === 0, out);
  assert.ok(Math.abs((gflops! * 1e6 * ms) / (2 * 32 * 64 * 100) - 1) < 1e-2, out);
  assert.ok(loss!.gbs! > 0, out);
});

test('a benchmark that is told as a multiple of another brings that one along', async () => {
  const chart = join(await mkdtemp(join(tmpdir(), 'engram-bench-')), 'dkd.svg');
  const { code, out } = await bench('--json', '--runs', '3', '--chart', chart, 'dkd/dense/4x10', 'dkd/composed/4x10');
  assert.is(code, 0);
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number | string>);
  assert.equal(
    lines.map(({ name, groups, versus }) => [name, groups, versus]),
    [
      ['dkd/whole/4x10', 1, undefined],
      ['dkd/dense/4x10', 15, 'dkd/whole/4x10'],
      ['dkd/composed/4x10', 15, 'dkd/whole/4x10'],
    ],
  );
  for (const { ms, groups, nsPerGroupSample, ratio } of lines as Record<string, number>[]) {
    assert.ok(Math.abs((nsPerGroupSample! * groups! * 128) / (ms! * 1e6) - 1) < 1e-2);
    if (ratio !== undefined) assert.ok(Math.abs((ratio * (lines[0]!.ms as number)) / ms! - 1) < 1e-2);
  }
  assert.match(await readFile(chart, 'utf8'), /^<svg[\s\S]*>dense<\/text>[\s\S]*<\/svg>\n$/);
  await rm(dirname(chart), { recursive: true });
});

test('what a page loads is weighed from the built package: the more of it, the more', async () => {
  const { code, out } = await bench('--json', 'bundle');
  assert.is(code, 0);
  const entries = ['analysis', 'benchmark', 'continual', 'data', 'methods', 'onnx', 'subgroup-matrix', 'testing'];
  const further = entries.map((entry) => `everything+${entry}`);
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string; minified: number; gzip: number });
  assert.equal(
    lines.map(({ name }) => name),
    ['core', 'resnet', 'dkd', 'learner', 'everything', ...further, 'all'].map((part) => `bundle/${part}`),
  );
  // What each one has besides others: the learner and the whole main entry begin with dense distillation.
  const begins = [null, 'core', 'resnet', 'dkd', 'dkd', ...further.map(() => 'everything'), 'everything'];
  const of = (part: string) => lines.find(({ name }) => name === `bundle/${part}`)!;
  lines.forEach(({ gzip, minified }, i) => {
    const smaller = begins[i] ? of(begins[i]).gzip : 0;
    assert.ok(gzip > smaller && gzip < minified, out);
  });
  assert.ok(of('everything').gzip < 125_000, 'the whole main entry stays under 125 kB');
});

test('without a built package one line says how to build it', async () => {
  const { code, out, error } = await benchIn(tmpdir(), 'bundle');
  assert.is(code, 1);
  assert.is(out, '');
  assert.match(error, /^bench: .*dist\/lib\/index\.js is missing\. Run `npm run build` first\.\n$/);
});

test('the profile of some work tells the time of its kernels', async () => {
  const { code, out } = await bench('--profile', 'softmax-cross-entropy/b32x100');
  assert.is(code, 0);
  // Rows that count are counted and summed up, as the losses are.
  assert.match(out, /5 launches/);
  for (const kernel of ['cross_entropy.forward', 'cross_entropy.backward', 'reduce']) assert.match(out, kernel);
});

test('an unknown name, flag or number ends with code 2 and says what there is', async () => {
  const unknown = await bench('matmul', 'warp');
  assert.is(unknown.code, 2);
  assert.match(unknown.error, /no benchmark begins with 'warp'\. There are:[\s\S]*train-step\/resnet8\/b32/);
  const flag = await bench('--fast');
  assert.is(flag.code, 2);
  assert.match(flag.error, /unknown option '--fast'/);
  const runs = await bench('--runs', '0');
  assert.is(runs.code, 2);
  assert.match(runs.error, /'--runs <n>' argument '0' is invalid/);
  assert.is((await bench('--help')).code, 0);
});

test.run();
