import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

test('a workload survives the collection of everything it dropped', async () => {
  // A hang is a failure of its own: the process must end by itself, without an explicit exit.
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '.build/test/support/collect-everything.js'],
    { timeout: 120_000, killSignal: 'SIGKILL' },
  );
  assert.is(stdout, '74 values are right\n');
});

test.run();
