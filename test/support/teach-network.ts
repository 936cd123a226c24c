/**
 * Makes the network that the page *Teach* begins with: all bundled glyphs at once, then three exemplars of each. It stands in the
 * repository with its accuracy on faces that it never saw. `npm run web:network`: ten minutes on two cores.
 */
import { rename, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { ContinualLearner } from '../../src/continual/learner.ts';
import { firstPerClass } from '../../src/data/dataset.ts';
import { joinImages } from '../../src/data/image-bytes.ts';
import { imagesByClass } from '../../src/data/images-by-class.ts';
import { loadDataset } from '../../src/data/load-dataset.ts';
import '../../src/index.ts';
import { Engine } from '../../src/tensor/engine.ts';
import { RECIPE } from '../../src/web/teach/recipe.ts';
import { writeTested } from '../../src/web/teach/tested-pictures.ts';

const NETWORK = 'src/web/teach/network.safetensors.gz';
const TESTED = 'src/web/teach/tested.safetensors.gz';
/** Test pictures of each glyph that the page looks at: all would take it longer than what it teaches. */
const PER_CLASS = 5;
/** Where the recipe of what is taught later differs. */
const BASE = { width: 8, memoryPerClass: 3, batch: 64, lr: 0.1, epochs: 20, seed: 1 };

const engine = await Engine.create();
const { train, test } = await loadDataset('glyphs');
const learner = await ContinualLearner.create(engine, { ...RECIPE, ...BASE });
let accuracy = 0;
for await (const event of learner.learn(imagesByClass(train), { test: imagesByClass(test) })) {
  if (event.type === 'epoch')
    console.error(`epoch ${event.epoch + 1} of ${BASE.epochs}: loss ${event.loss.toFixed(3)}`);
  if (event.type === 'task') accuracy = event.evaluation?.accuracy ?? 0;
}
const taught = await learner.fork(RECIPE);
const { length: pictures } = test.labels;
const few = [...imagesByClass(firstPerClass(test, PER_CLASS))];
const labels = few.flatMap(([name, { count }]) => new Array<string>(count).fill(name));
const images = joinImages(
  few.map(([, one]) => one),
  'tested',
);
const files = {
  [TESTED]: writeTested({ images, labels }),
  [NETWORK]: await taught.save({ accuracy: accuracy.toFixed(1), pictures: `${pictures}` }),
};
for (const [path, content] of Object.entries(files)) {
  const bytes = gzipSync(content, { level: 9 });
  await writeFile(`${path}.part`, bytes);
  await rename(`${path}.part`, path);
  console.log(`${path}: ${bytes.length} bytes`);
}
console.log(`It is right on ${accuracy.toFixed(1)} % of ${pictures} pictures in faces that it never saw.`);
process.exit(0);
