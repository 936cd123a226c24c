/** What is said of speed is what was measured. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  costTable,
  kernelTable,
  type Measured,
  measuredIn,
  peerTable,
  speedLine,
  withSpeedLine,
  withSpeedTables,
} from '../bench/experiments/speed-tables.ts';

const line = (name: string, more: Partial<Measured> = {}): Measured => ({
  ...{ name, ms: 10, adapter: 'an adapter', date: '2026-11-24' },
  ...more,
});

test('the page of results and the README tell what the records hold', async () => {
  const how = 'npm run -s evidence -- --table makes it';
  const [page, readme] = ['bench/results/README.md', 'README.md'].map((path) => readFileSync(path, 'utf8'));
  assert.is(page, await withSpeedTables(page!), how);
  assert.is(readme, await withSpeedLine(readme!), how);
  for (const name of ['costs', 'steps', 'kernels', 'peers']) assert.match(page!, new RegExp(`<!-- ${name}: made by `));
  assert.match(readme!, /<!-- speed: made by /);
  assert.match(
    speedLine(await measuredIn('peers-lavapipe')),
    /takes \d+ ms .*TensorFlow\.js takes \d+ times, jax-js takes \d+ times/,
  );
});

test('work is told next to the peers that did it', () => {
  const table = peerTable([
    line('peers/matmul/512/engram', { ms: 5.818, gflops: 46.14 }),
    line('peers/matmul/512/tfjs', { ratio: 6.686, version: '4.22.0' }),
    line('peers/matmul/512/jax-js', { ratio: 8.102, date: '2026-11-30' }),
    line('peers/norm/engram', { ms: 1234.5 }),
    line('peers/norm/jax-js', { ratio: 0.96 }),
  ]);
  assert.match(table, /^\| {2}\| Engram \| TensorFlow\.js 4\.22\.0 \| jax-js \|/);
  assert.match(table, /\| matmul\/512 \| 5\.82 ms, 46 GFLOP\/s \| 6\.7 × \| 8\.1 × \|/);
  assert.match(table, /\| norm \| 1235 ms \| {2}\| 1\.0 × \|/);
  assert.match(table, /an adapter, 2026-11-24 to 2026-11-30\.$/);
});

test('kernels are told by their slowest and fastest shape, methods by what they cost', () => {
  const table = kernelTable([
    line('conv2d/forward/a', { gflops: 36.39 }),
    line('conv2d/forward/b', { gflops: 47.48 }),
    line('matmul/512', { gflops: 46.2 }),
    line('softmax/forward/c'),
  ]);
  assert.match(table, /\| conv2d forward \| 2 \| 36 to 47 GFLOP\/s \|\n\| matmul \| 1 \| 46 GFLOP\/s \|\n/);
  assert.not.match(table, /softmax/);
  const costs = costTable([
    line('methods/kd'),
    line('methods/podnet', { ratio: 1.954 }),
    line('methods/lwf', { ratio: 0.79 }),
  ]);
  assert.match(costs, /\| `lwf` \| 0\.79 × \|\n\| `podnet` \| 1\.95 × \|\n/);
});

test.run();
