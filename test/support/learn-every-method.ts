/**
 * `node learn-every-method.js FOLDER METHOD…`: a small run by each method in a folder of its own, one after the other. What was begun
 * is gone on with, what is finished is only opened: killed at any moment and run again, it ends as if it never was.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { environmentOptions } from '../../src/cli/environment.ts';
import { learn } from '../../src/cli/learn.ts';
import { RunFolder } from '../../src/cli/run-folder.ts';
import { type Config, parseConfig, settingsFor } from '../../src/continual/benchmark/config.ts';
import { silenceDrivers } from '../../src/gpu/adapter/driver-chatter-node.ts';
import '../../src/index.ts';
import { Engine } from '../../src/tensor/engine.ts';
import { fashion } from './small-run.ts';

const [folder = '', ...names] = process.argv.slice(2);
/** Of every method as little as has all its phases. */
const settings = {
  tasks: 2,
  classOrder: [1, 8, 5],
  trainPerClass: 6,
  testPerClass: 2,
  epochs: 2,
  memory: 6,
  batch: 4,
  width: 2,
  lr: 0.02,
  balancedEpochs: 2,
  correctionEpochs: 2,
  compressionEpochs: 2,
};

/** Every second row and column: 7×7. */
const tiny = (part: typeof fashion.train) => {
  const images = part.images.filter((_, at) => at % 2 === 0 && Math.floor(at / 14) % 2 === 0);
  return { ...part, images, height: 7, width: 7 };
};

silenceDrivers();
const engine = await Engine.create(environmentOptions());
const split = { train: tiny(fashion.train), test: tiny(fashion.test) };
console.log(engine.adapterDescription);
for (const name of names) {
  const path = join(folder, name);
  if (existsSync(join(path, 'report.html'))) {
    // A process that was killed after its last file still had the lock, which whoever opens the folder next takes away.
    await (await RunFolder.open(path)).close();
    continue;
  }
  const begun = existsSync(join(path, 'config.json')) ? await RunFolder.open(path) : null;
  const config = parseConfig(settingsFor(name, { ...settings, crop: 1 }), name);
  const folderOf = async (complete: Config) => begun ?? RunFolder.create(path, complete);
  await learn(engine, split, config, folderOf, { quiet: true, saveEvery: 1 });
}
process.exit(0);
