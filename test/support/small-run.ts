/** What tests of the learner train on. */
import type { ConfigInput } from '../../src/continual/benchmark/config.ts';
import type { ImageDataset } from '../../src/data/dataset.ts';
import { loadDataset } from '../../src/data/load-dataset.ts';

/** Every image of one channel at half its height and width: a quarter of the work, and its classes are told as easily. */
function halved(dataset: ImageDataset): ImageDataset {
  const [height, width] = [dataset.height / 2, dataset.width / 2];
  const images = new Uint8Array(dataset.labels.length * height * width);
  for (let i = 0; i < images.length; i++) {
    const [row, column] = [Math.floor(i / width), i % width];
    const at = 4 * width * row + 2 * column;
    const below = at + 2 * width;
    const { images: pixels } = dataset;
    images[i] = (pixels[at]! + pixels[at + 1]! + pixels[below]! + pixels[below + 1]!) / 4;
  }
  return { ...dataset, images, height, width };
}

const full = await loadDataset('fashion-mini');
/** Fashion-mini at 14×14. */
export const fashion = { ...full, train: halved(full.train), test: halved(full.test) };

/** Four easily told classes in two tasks, a narrow network, a few epochs: seconds on two cores. */
export const small: ConfigInput = {
  data: 'fashion-mini',
  classOrder: [1, 8, 5, 2],
  tasks: 2,
  trainPerClass: 96,
  testPerClass: 50,
  width: 8,
  epochs: 4,
  batch: 32,
  memory: 40,
  lr: 0.1,
};
