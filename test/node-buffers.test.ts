/** Bytes in Node's Buffer, which is a Uint8Array whose `slice` shares its memory. */
import { Buffer } from 'node:buffer';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { learnerSettings } from '../src/continual/learner-settings.ts';
import { readSettings } from '../src/continual/setting.ts';
import { readTask } from '../src/continual/task-inputs.ts';
import { fingerprint } from '../src/data/fingerprint.ts';
import type { ImageBytes } from '../src/data/image-bytes.ts';
import { ArrayLoader } from '../src/index.ts';
import { engine } from './support/engine.ts';

const bytes = Uint8Array.from({ length: 12 }, (_, i) => i);

test('batches are of the samples, which stay as they are', async () => {
  const data = Buffer.from(bytes);
  const batchesOf = async (data: Uint8Array) => {
    const loader = new ArrayLoader(engine, [{ data, shape: [2] }], { batch: 2, seed: 0 });
    const read: unknown[] = [];
    for (let epoch = 0; epoch < 3; epoch++) for (const [x] of loader.epoch(epoch)) read.push(await x?.array());
    return read;
  };
  assert.equal(await batchesOf(data), await batchesOf(bytes));
  assert.equal([...data], [...bytes]);
});

test('fingerprints are those of the bytes, wherever they lie', () => {
  const pool = Buffer.from([9, ...bytes]);
  assert.is(fingerprint([pool.subarray(1)]), fingerprint([bytes]));
});

test('what is learnt is a copy of the images given', async () => {
  const data = Buffer.from(bytes);
  const given: ImageBytes = { data, count: 3, height: 2, width: 2, channels: 1 };
  const training = readSettings(learnerSettings, { crop: 0 }, 'test', 'a learner');
  const { images } = await readTask(engine, { cup: given }, { known: [], images: null, resize: false, training });
  data.fill(0);
  assert.equal([...(images as ImageBytes).data], [...bytes]);
});

test.run();
