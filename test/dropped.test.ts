/** Tensors that nobody frees. Apart from the others: their shared engine (`support/engine.ts`) lets none be collected. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { environmentOptions } from '../src/cli/environment.ts';
import { Engine } from '../src/index.ts';
import { collectGarbage } from './support/collect-garbage.ts';

test('a tensor that is dropped comes back to the pool, and is reported where that is asked for', async () => {
  const reports: string[] = [];
  const strict = await Engine.create({
    ...environmentOptions(),
    debug: true,
    onLeak: (message) => reports.push(message),
  });
  const drop = () => {
    strict.ones([5, 7]).add(1);
  };
  drop();
  for (let i = 0; i < 50 && reports.length < 2; i++) {
    await collectGarbage();
    await new Promise((done) => setTimeout(done, 5));
  }
  assert.match(reports.sort()[0]!, /^add \[5, 7\] was dropped without being freed: make it inside engine\.scope\(\)/);
  assert.match(reports[1]!, /^ones \[/);
  assert.is(strict.memory().liveBuffers, 0);
  await strict.destroy();
});

test.run();
