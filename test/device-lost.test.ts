/** A device that goes away: every later use says so, and what waited for it does not hang. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DeviceLostError, Engine } from '../src/index.ts';

const lost = (error: unknown) => {
  assert.instance(error, DeviceLostError);
  assert.match((error as Error).message, /the GPU device was lost.*create a new engine/);
};

test('reads and operations after the loss of the device say so', async () => {
  const engine = await Engine.create();
  const x = engine.ones([4]);
  assert.equal([...(await x.add(1).data())], [2, 2, 2, 2]);
  const waiting = x.mul(3).data();
  engine.device.destroy();
  lost(
    await waiting.then(
      () => 'was read',
      (error) => error,
    ),
  );
  lost(await x.data().catch((error) => error));
  lost(await engine.sync().catch((error) => error));
  await engine.destroy();
});

test('an engine that was destroyed says so, and destroying it twice is harmless', async () => {
  const engine = await Engine.create();
  const x = engine.ones([4]);
  await engine.destroy();
  await engine.destroy();
  assert.throws(() => x.add(1), /the engine was destroyed/);
  x.dispose();
});

test.run();
