/**
 * Pictures that stay in their files: JPEGs of 256×256 brought to 64×64 on their way into ResNet-20, a batch at a time. Reading alone, learning
 * alone, and one beside the other; where the last two take as long, the device is the bound and not the input.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { environmentOptions } from '../../src/cli/environment.ts';
import { type PictureStream, streamPictures } from '../../src/data/picture-stream.ts';
import { capture, crossEntropy, Engine, SGD } from '../../src/index.ts';
import { createResNet } from '../../src/nn/resnet.ts';
import { Random } from '../../src/tensor/random.ts';
import type { ProcessCase, Timing } from '../bench-case.ts';
import { summarize, timed } from '../bench-timing.ts';

const [BATCH, BATCHES, SIDE, SHOWN] = [32, 8, 256, 64];
const CLASSES = 4;

/** Colours that flow into each other, with noise as cameras have it: such a picture takes 15 to 20 kB. */
async function writePicture(path: string, random: Random): Promise<void> {
  const corners = Array.from({ length: 12 }, () => 255 * random.uniform());
  const data = Buffer.alloc(3 * SIDE * SIDE);
  for (let i = 0; i < data.length; i++) {
    const [c, x, y] = [i % 3, (Math.floor(i / 3) % SIDE) / SIDE, Math.floor(i / 3 / SIDE) / SIDE];
    const at = (corner: number) => corners[3 * corner + c] as number;
    const colour = (at(0) * (1 - x) + at(1) * x) * (1 - y) + (at(2) * (1 - x) + at(3) * x) * y;
    data[i] = Math.max(0, Math.min(255, colour + 12 * random.normal()));
  }
  await sharp(data, { raw: { width: SIDE, height: SIDE, channels: 3 } })
    .jpeg({ quality: 85 })
    .toFile(path);
}

/** Does something with a stream of pictures in a folder a class, and takes them away again. */
async function withPictures<T>(use: (stream: PictureStream) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'engram-bench-'));
  try {
    const random = Random.of(1, 'pictures');
    for (let i = 0; i < BATCH * BATCHES; i++) {
      const own = join(folder, `class-${i % CLASSES}`);
      await mkdir(own, { recursive: true });
      await writePicture(join(own, `${i}.jpg`), random);
    }
    const { train } = await streamPictures(folder, { imageSize: SHOWN, batch: BATCH, seed: 1 });
    return await use(train);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A captured step of ResNet-20; given pixels and labels, it learns from them. */
async function learner() {
  const engine = await Engine.create(environmentOptions());
  const model = createResNet(engine, 'resnet20', { classes: CLASSES, seed: 1 });
  const optimizer = new SGD(model, { lr: 0.01, momentum: 0.9 });
  const pixels = new Float32Array(BATCH * SHOWN * SHOWN * 3);
  const images = engine.tensor(pixels, [BATCH, SHOWN, SHOWN, 3]);
  const targets = engine.tensor(new Int32Array(BATCH));
  const step = capture(engine, () => {
    crossEntropy(model.forward(images), targets).backward();
    optimizer.step();
    optimizer.zeroGrad();
  });
  step();
  await engine.sync();
  return {
    async learn(data: Uint8Array, labels: ArrayLike<number>): Promise<void> {
      for (let i = 0; i < pixels.length; i++) pixels[i] = (data[i] as number) / 255;
      engine.write(images.storage, pixels);
      engine.write(targets.storage, Int32Array.from(labels));
      step();
      await engine.sync();
    },
    end: () => engine.destroy(),
  };
}

/** Milliseconds a batch, an epoch a sample. */
async function sampled(batches: number, epoch: (number: number) => Promise<void>, samples = 3): Promise<Timing> {
  const taken = [];
  for (let i = 0; i < samples; i++) taken.push(await timed(batches, () => epoch(i)));
  return summarize(taken);
}

export const streamCases: readonly ProcessCase[] = [
  {
    name: 'stream/jpeg-256-to-64/read',
    onlyNamed: true,
    measure: ({ samples }) =>
      withPictures((stream) =>
        sampled(
          stream.steps,
          async (epoch) => {
            for await (const _ of stream.epoch(epoch));
          },
          samples,
        ),
      ),
  },
  {
    name: 'stream/jpeg-256-to-64/resnet20',
    onlyNamed: true,
    async measure({ samples }) {
      const { learn, end } = await learner();
      const data = new Uint8Array(BATCH * SHOWN * SHOWN * 3).fill(100);
      const labels = Array.from({ length: BATCH }, (_, i) => i % CLASSES);
      const timing = await sampled(
        BATCHES,
        async () => {
          for (let i = 0; i < BATCHES; i++) await learn(data, labels);
        },
        samples,
      );
      await end();
      return timing;
    },
  },
  {
    name: 'stream/jpeg-256-to-64/read-and-resnet20',
    versus: 'stream/jpeg-256-to-64/resnet20',
    onlyNamed: true,
    measure: ({ samples }) =>
      withPictures(async (stream) => {
        const { learn, end } = await learner();
        const timing = await sampled(
          stream.steps,
          async (epoch) => {
            for await (const { images, labels } of stream.epoch(epoch)) await learn(images.data, labels);
          },
          samples,
        );
        await end();
        return timing;
      }),
  },
];
