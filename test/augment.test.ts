import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Augmentation, keepsToPixels, randomBrightness, randomTransforms } from '../src/data/augment.ts';
import type { ImageDataset } from '../src/data/dataset.ts';
import { DeviceImages } from '../src/data/device-images.ts';
import { Random } from '../src/tensor/random.ts';
import { engine } from './support/engine.ts';

/** Odd sizes, so that images begin in the middle of a word. */
function noise(count: number, height = 5, width = 7, channels = 3): ImageDataset {
  const random = new Random(11);
  const images = Uint8Array.from({ length: count * height * width * channels }, () => random.int(256));
  return { name: 'noise', images, labels: new Uint8Array(count), height, width, channels, classes: 1 };
}

const normalization = { mean: [0.5, 0.4, 0.3], std: [0.25, 0.5, 0.2] };
const set = noise(9);

const normalized = (pixel: number, channel: number): number =>
  (pixel / 255 - normalization.mean[channel]!) / normalization.std[channel]!;

/** A pixel in float64, 0 outside. */
function pixelAt(image: number, x: number, y: number, channel: number): number {
  const { height, width, channels } = set;
  if (x < 0 || y < 0 || x >= width || y >= height) return 0;
  return set.images[((image * height + y) * width + x) * channels + channel]!;
}

/** Every output element by a function of its place, float64. */
function reference(
  indices: readonly number[],
  pixel: (n: number, x: number, y: number, channel: number) => number,
): number[] {
  const { height, width, channels } = set;
  const out: number[] = [];
  indices.forEach((_, n) => {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let channel = 0; channel < channels; channel++) out.push(normalized(pixel(n, x, y, channel), channel));
      }
    }
  });
  return out;
}

function close(actual: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  assert.is(actual.length, expected.length);
  expected.forEach((value, at) => {
    assert.ok(Math.abs(actual[at]! - value) <= tolerance, `element ${at}: ${actual[at]} instead of ${value}`);
  });
}

test('a batch is gathered by index and normalised', async () => {
  const images = new DeviceImages(engine, set, { normalization });
  const indices = [8, 0, 3, 3];
  const batch = images.sample({ indices });
  assert.equal(batch.shape, [4, 5, 7, 3]);
  close(
    await batch.data(),
    reference(indices, (n, x, y, channel) => pixelAt(indices[n]!, x, y, channel)),
    2e-6,
  );
  images.dispose();
});

test('a set in several parts gives the same batch, and an image that does not exist is NaN', async () => {
  const indices = [8, 0, 5, 2, 3];
  const whole = new DeviceImages(engine, set, { normalization });
  const parts = new DeviceImages(engine, set, { normalization, partBytes: 2 * 5 * 7 * 3 + 50 });
  assert.equal(await parts.sample({ indices }).data(), await whole.sample({ indices }).data());
  for (const images of [whole, parts]) {
    const values = await images.sample({ indices: engine.tensor(Uint32Array.of(9, 1)) }).data();
    const half = values.length / 2;
    assert.ok(values.subarray(0, half).every(Number.isNaN));
    assert.ok(values.subarray(half).every(Number.isFinite));
    images.dispose();
  }
});

test('crops and flips keep to whole pixels, and padding is black before normalisation', async () => {
  const images = new DeviceImages(engine, set, { normalization });
  const indices = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2];
  const augmentation: Augmentation = { crop: 2, flip: 0.5 };
  const transforms = randomTransforms(indices.length, set, augmentation, Random.of(3, 'crop'));
  // The same draws, applied as torchvision would: pad, cut a window out, mirror it.
  const random = Random.of(3, 'crop');
  const draws = indices.map(() => ({ left: random.int(5), top: random.int(5), flip: random.chance(0.5) }));
  assert.is(new Set(draws.map((draw) => draw.flip)).size, 2);
  const expected = reference(indices, (n, x, y, channel) => {
    const { left, top, flip } = draws[n]!;
    const inWindow = flip ? set.width - 1 - x : x;
    return pixelAt(indices[n]!, inWindow + left - 2, y + top - 2, channel);
  });
  assert.ok(keepsToPixels(augmentation));
  const nearest = await images.sample({ indices, transforms, interpolate: false }).data();
  close(nearest, expected, 2e-6);
  assert.equal(await images.sample({ indices, transforms }).data(), nearest);
  images.dispose();
});

test('rotation and scale about the centre agree with float64', async () => {
  const images = new DeviceImages(engine, set, { normalization });
  const indices = [0, 4, 8, 2, 6, 1, 3, 5];
  const augmentation: Augmentation = { crop: 1, flip: 0.5, rotate: 40, scale: [0.6, 1.5] };
  assert.not.ok(keepsToPixels(augmentation));
  const transforms = randomTransforms(indices.length, set, augmentation, Random.of(8, 'turn'));
  const random = Random.of(8, 'turn');
  const draws = indices.map(() => ({
    angle: (random.uniform(-40, 40) * Math.PI) / 180,
    scale: random.uniform(0.6, 1.5),
    left: random.int(3) - 1,
    top: random.int(3) - 1,
    flip: random.chance(0.5),
  }));
  const expected = reference(indices, (n, outX, outY, channel) => {
    const { angle, scale, left, top, flip } = draws[n]!;
    const fromX = (flip ? set.width - 1 - outX : outX) + left - (set.width - 1) / 2;
    const fromY = outY + top - (set.height - 1) / 2;
    const x = (Math.cos(angle) * fromX - Math.sin(angle) * fromY) / scale + (set.width - 1) / 2;
    const y = (Math.sin(angle) * fromX + Math.cos(angle) * fromY) / scale + (set.height - 1) / 2;
    let value = 0;
    for (const cornerY of [Math.floor(y), Math.floor(y) + 1]) {
      for (const cornerX of [Math.floor(x), Math.floor(x) + 1]) {
        const weight = (1 - Math.abs(x - cornerX)) * (1 - Math.abs(y - cornerY));
        value += weight * pixelAt(indices[n]!, cornerX, cornerY, channel);
      }
    }
    return value;
  });
  close(await images.sample({ indices, transforms }).data(), expected, 5e-5);
  images.dispose();
});

test('brightness is a factor an image, within 0 and 1, before the normalisation', async () => {
  const images = new DeviceImages(engine, set, { normalization, partBytes: 4 * 5 * 7 * 3 });
  const indices = [0, 4, 8, 2, 6, 1];
  const augmentation: Augmentation = { crop: 1, brightness: 0.9 };
  const random = Random.of(4, 'light');
  const transforms = randomTransforms(indices.length, set, augmentation, random);
  const brightness = randomBrightness(indices.length, augmentation, random);
  assert.ok(keepsToPixels(augmentation));
  const expected = reference(indices, (n, x, y, channel) => {
    const [left, top] = [transforms[6 * n + 2]!, transforms[6 * n + 5]!];
    return Math.min(255, pixelAt(indices[n]!, x + left, y + top, channel) * brightness[n]!);
  });
  const brightest = Math.max(...brightness);
  assert.ok(brightest > 1.3 && Math.min(...brightness) < 0.7, 'some are cut off, and some darker');
  close(await images.sample({ indices, transforms, brightness, interpolate: false }).data(), expected, 4e-6);
  const factors = engine.tensor(brightness);
  close(await images.sample({ indices, transforms, brightness: factors }).data(), expected, 4e-6);
  // The same kernel without it gives the very bits of before.
  const ones = new Float32Array(indices.length).fill(1);
  const plain = await images.sample({ indices, transforms, interpolate: false }).data();
  assert.equal(await images.sample({ indices, transforms, brightness: ones, interpolate: false }).data(), plain);
  images.dispose();
});

test('factors are uniform in 1 ± brightness, and 0 draws nothing of the transforms', () => {
  const factors = randomBrightness(4000, { brightness: 0.25 }, new Random(2));
  assert.ok(factors.every((factor) => factor >= 0.75 && factor <= 1.25));
  const share = factors.filter((factor) => factor < 0.875).length / 4000;
  assert.ok(Math.abs(share - 0.25) < 5 * Math.sqrt((0.25 * 0.75) / 4000), `${share}`);
  const size = { height: 9, width: 9 };
  const draw = (augmentation: Augmentation) => randomTransforms(8, size, augmentation, new Random(1));
  assert.equal(draw({ crop: 2, flip: 0.5, brightness: 0.5 }), draw({ crop: 2, flip: 0.5 }));
});

test('transforms depend on the seed alone and reach their whole range', () => {
  const draw = (seed: number) =>
    randomTransforms(600, { height: 9, width: 9 }, { crop: 1, flip: 0.25 }, new Random(seed));
  assert.equal(draw(1), draw(1));
  assert.not.equal(draw(1), draw(2));
  const matrices = Array.from({ length: 600 }, (_, n) => [...draw(1).subarray(6 * n, 6 * n + 6)]);
  const flips = matrices.filter((matrix) => matrix[0] === -1).length;
  assert.ok(Math.abs(flips - 150) < 5 * Math.sqrt(600 * 0.25 * 0.75), `${flips} flips`);
  const tops = new Set(matrices.map((matrix) => matrix[5]));
  assert.equal([...tops].sort(), [-1, 0, 1]);
  const still = randomTransforms(2, { height: 9, width: 9 }, {}, new Random(1));
  assert.equal([...still], [1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0]);
});

test('sampling leaves nothing behind', async () => {
  const before = engine.memory();
  const images = new DeviceImages(engine, set, { normalization });
  for (let step = 0; step < 20; step++) {
    const transforms = randomTransforms(4, set, { crop: 2 }, Random.of(0, step));
    engine.scope(() => {
      images.sample({ indices: [0, 1, 2, 3], transforms });
    });
  }
  images.dispose();
  await engine.sync();
  assert.is(engine.memory().liveBytes, before.liveBytes);
});

test('what cannot be sampled is refused', () => {
  const images = new DeviceImages(engine, set, { normalization });
  assert.throws(() => images.sample({ indices: [0, 9] }), /there is no image 9: the set has 9/);
  assert.throws(() => images.sample({ indices: [0.5] }), /there is no image 0\.5/);
  assert.throws(() => images.sample({ indices: [] }), /no image was asked for/);
  assert.throws(
    () => images.sample({ indices: [0, 1], transforms: new Float32Array(6) }),
    /2 indices .* and 6 numbers of transforms/,
  );
  assert.throws(() => images.sample({ indices: engine.tensor([0, 1]) }), /2 indices \(f32\)/);
  assert.throws(
    () => images.sample({ indices: [0, 1], brightness: new Float32Array(3) }),
    /2 indices and 3 factors of brightness/,
  );
  images.dispose();
  assert.throws(() => images.sample({ indices: [0] }), /was freed/);
  const { mean } = normalization;
  assert.throws(() => new DeviceImages(engine, set, { normalization: { mean, std: [1, 1] } }), /do not fit 3 channel/);
  assert.throws(() => new DeviceImages(engine, set, { normalization: { mean, std: [1, 0, 1] } }), /above 0/);
  const draw = (augmentation: Augmentation) => () => randomTransforms(1, set, augmentation, new Random(0));
  assert.throws(draw({ crop: 1.5 }), /a crop with padding 1\.5/);
  assert.throws(draw({ flip: 2 }), /a flip with probability 2/);
  assert.throws(draw({ rotate: -1 }), /a rotation by ±-1°/);
  assert.throws(draw({ scale: [0, 1] }), /a scale from 0 to 1/);
  assert.throws(draw({ scale: [2, 1] }), /a scale from 2 to 1/);
  assert.throws(draw({ brightness: 1.5 }), /a brightness of 1 ± 1\.5/);
});

test.run();
