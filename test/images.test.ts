/** Images from whatever a user has, as bytes of one format. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ImageDataset } from '../src/data/dataset.ts';
import { DeviceImages } from '../src/data/device-images.ts';
import type { ImageBytes } from '../src/data/image-bytes.ts';
import { type ImageInput, type ImageInputOptions, toImageBytes } from '../src/data/image-input.ts';
import { imagesByClass } from '../src/data/images-by-class.ts';
import { resizeImages } from '../src/data/resize.ts';
import { EngramError } from '../src/errors.ts';
import { engine } from './support/engine.ts';
import { refusal } from './support/refusal.ts';

const folder = await mkdtemp(join(tmpdir(), 'engram-images-'));
test.after(() => rm(folder, { recursive: true, force: true }));

const from = (input: ImageInput, options: Partial<ImageInputOptions> = {}): Promise<ImageBytes> =>
  toImageBytes(engine, input, { where: 'class cup', ...options });

/** The message of the error, which must be one of ours. */
async function refusedWith(promise: Promise<unknown>): Promise<string> {
  const error = await refusal(promise);
  assert.instance(error, EngramError);
  return (error as EngramError).message;
}

/** Bytes that count up. */
const ramp = (count: number, height: number, width: number, channels: number): ImageBytes => ({
  data: Uint8Array.from({ length: count * height * width * channels }, (_, at) => (at * 7) % 256),
  count,
  height,
  width,
  channels,
});

/** As a canvas gives them; Node has no `ImageData`. */
const imageData = (data: number[], width: number, height: number): ImageData =>
  ({ data: Uint8ClampedArray.from(data), width, height, colorSpace: 'srgb' }) as unknown as ImageData;

const png = async (
  data: number[],
  width: number,
  height: number,
  channels: 1 | 3 | 4,
): Promise<Uint8Array<ArrayBuffer>> =>
  Uint8Array.from(await sharp(Uint8Array.from(data), { raw: { width, height, channels } }).png().toBuffer());

const RED_GREEN_BLUE_GREY = [255, 0, 0, 0, 255, 0, 0, 0, 255, 90, 90, 90];
const LUMA = [76, 150, 29, 90];

test('bytes, clamped bytes, floats, numbers and tensors give the same images', async () => {
  const images = ramp(2, 2, 3, 3);
  const { data } = images;
  const shape = [2, 2, 3, 3];
  const floats = Float32Array.from(data, (value) => value / 255);
  using tensor = engine.tensor(floats, shape);
  for (const input of [
    images,
    { data, shape },
    { data: Uint8ClampedArray.from(data), shape },
    { data: floats, shape },
    { data: [...floats], shape },
    tensor,
  ]) {
    assert.equal(await from(input), images);
  }
  assert.is((await from(images)).data, data);
  const shared = new Uint8Array(new SharedArrayBuffer(data.length));
  shared.set(data);
  const owned = await from({ data: shared, shape });
  assert.equal(owned.data, data);
  assert.instance(owned.data.buffer, ArrayBuffer);
});

test('numbers are rounded to the nearest byte, and an image needs no count', async () => {
  const { data, ...format } = await from({
    data: [0, 0.5 / 255 + 1e-9, 0.4999 / 255, 0.999, 0.997, 1],
    shape: [1, 2, 3],
  });
  assert.equal([...data], [0, 1, 0, 255, 254, 255]);
  assert.equal(format, { count: 1, height: 1, width: 2, channels: 3 });
});

test('many of one kind, of several kinds, and nested ones are joined in order', async () => {
  const [a, b] = [ramp(2, 1, 2, 3), ramp(1, 1, 2, 3)];
  const picture = imageData([9, 8, 7, 255, 6, 5, 4, 255], 2, 1);
  const { data, count } = await from([a, [{ data: b.data, shape: [1, 2, 3] }, picture], b]);
  assert.is(count, 5);
  assert.equal([...data], [...a.data, ...b.data, 9, 8, 7, 6, 5, 4, ...b.data]);
});

test('a data set gives its images, and each class its own in the order of the set', async () => {
  const { data, ...format } = ramp(5, 1, 2, 1);
  const set: ImageDataset = {
    name: 'toys',
    images: data,
    labels: Uint8Array.of(2, 0, 2, 0, 2),
    classes: 3,
    classNames: ['cup', 'pen', 'hat'],
    ...format,
  };
  assert.equal(await from(set), { data, ...format });
  const classes = imagesByClass(set);
  assert.equal([...classes.keys()], ['cup', 'hat']);
  const image = (at: number) => [...data.subarray(2 * at, 2 * at + 2)];
  assert.equal([...classes.get('cup')!.data], [...image(1), ...image(3)]);
  assert.equal([...classes.get('hat')!.data], [...image(0), ...image(2), ...image(4)]);
  assert.is(classes.get('hat')!.count, 3);
  assert.equal([...imagesByClass(set, [2, 0]).keys()], ['hat', 'cup']);
  const { classNames: _, ...nameless } = set;
  assert.equal([...imagesByClass(nameless).keys()], ['0', '2']);
  assert.equal([...imagesByClass(nameless, [2, 0]).keys()], ['2', '0'], 'numbers stay in the order asked for');

  assert.throws(() => imagesByClass(set, [3]), /toys: there is no class 3: the set has 3/);
  assert.throws(() => imagesByClass(set, [1]), /toys: class pen has no images/);
  assert.throws(() => imagesByClass(set, [0, 0]), /class cup was asked for twice/);
  const twins = { ...set, classNames: ['cup', 'pen', 'cup'] };
  assert.throws(() => imagesByClass(twins), /toys: classes 0 and 2 are both cup/);
});

test('ImageData lies over white, and becomes luma where images have one channel', async () => {
  const opaque = imageData([255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 90, 90, 90, 255], 2, 2);
  assert.equal([...(await from(opaque)).data], RED_GREEN_BLUE_GREY);
  const grey = await from(opaque, { format: { height: 2, width: 2, channels: 1 } });
  assert.equal([...grey.data], LUMA);
  // Black at 0, 20, 60 and 100 %.
  const ink = imageData([0, 0, 0, 0, 0, 0, 0, 51, 0, 0, 0, 153, 0, 0, 0, 255], 4, 1);
  assert.equal([...(await from(ink)).data], [255, 255, 255, 204, 204, 204, 102, 102, 102, 0, 0, 0]);
});

test('files are read by path, by address and as blobs', async () => {
  const file = await png(RED_GREEN_BLUE_GREY, 2, 2, 3);
  const path = join(folder, 'four colours.png');
  await writeFile(path, file);
  const address = `data:image/png;base64,${Buffer.from(file).toString('base64')}`;
  for (const input of [path, pathToFileURL(path), new Blob([file]), new File([file], 'x.png'), address]) {
    assert.equal(await from(input), {
      data: Uint8Array.from(RED_GREEN_BLUE_GREY),
      count: 1,
      height: 2,
      width: 2,
      channels: 3,
    });
  }
  const { data } = await from([path, ...Array.from({ length: 9 }, () => new Blob([file]))]);
  assert.is(data.length, 10 * 12);
});

test('grey files have three channels unless one is asked for; depth, alpha and orientation are seen to', async () => {
  const grey = new Blob([await png([10, 20, 30, 40, 50, 60], 3, 2, 1)]);
  assert.equal([...(await from(grey)).data.subarray(0, 6)], [10, 10, 10, 20, 20, 20]);
  const one = await from(grey, { format: { height: 2, width: 3, channels: 1 } });
  assert.equal([...one.data], [10, 20, 30, 40, 50, 60]);

  const clear = new Blob([await png([200, 0, 0, 0, 0, 0, 0, 51], 2, 1, 4)]);
  assert.equal([...(await from(clear)).data], [255, 255, 255, 204, 204, 204]);

  const deep = sharp(Uint16Array.of(0, 65535, 32768, 1000), { raw: { width: 4, height: 1, channels: 1 } });
  const sixteen = new Blob([Uint8Array.from(await deep.toColourspace('grey16').png().toBuffer())]);
  const eight = await from(sixteen, { format: { height: 1, width: 4, channels: 1 } });
  assert.equal([...eight.data], [0, 255, 128, 3]);

  // 6: the top of the picture is the right side of what is stored.
  const stored = sharp(Uint8Array.of(10, 20, 30, 40, 50, 60), { raw: { width: 3, height: 2, channels: 1 } });
  const turned = new Blob([Uint8Array.from(await stored.withMetadata({ orientation: 6 }).png().toBuffer())]);
  const upright = await from(turned, { format: { height: 3, width: 2, channels: 1 } });
  assert.equal([...upright.data], [40, 10, 50, 20, 60, 30]);
});

test('JPEG and WebP are decoded', async () => {
  const plain = sharp({ create: { width: 16, height: 8, channels: 3, background: { r: 40, g: 90, b: 160 } } });
  for (const file of [await plain.clone().jpeg().toBuffer(), await plain.clone().webp().toBuffer()]) {
    const { data, ...format } = await from(new Blob([Uint8Array.from(file)]));
    assert.equal(format, { count: 1, height: 8, width: 16, channels: 3 });
    const off = data.map((value, at) => Math.abs(value - [40, 90, 160][at % 3]!));
    assert.ok(Math.max(...off) <= 3, `off by ${Math.max(...off)}`);
  }
});

test('images of another size are an error, or resized where that is allowed', async () => {
  const [small, large] = [ramp(2, 4, 4, 3), ramp(3, 6, 5, 3)];
  const format = { height: 4, width: 4, channels: 3 };
  assert.is(
    await refusedWith(from([small, large])),
    'class cup, image 2 of 2: images of 6×5×3 were given where they are 4×4×3. Set `resize: true` to stretch them to this size, or cut them beforehand.',
  );
  assert.match(
    await refusedWith(from(large, { format })),
    /^class cup: images of 6×5×3 were given where they are 4×4×3\./,
  );
  const resized = await resizeImages(engine, large, format);
  assert.equal(await from(large, { format, resize: true }), resized);
  const both = await from([small, large], { resize: true });
  assert.equal({ ...both, data: [...both.data] }, { ...format, count: 5, data: [...small.data, ...resized.data] });
  assert.match(
    await refusedWith(from(ramp(1, 6, 5, 1), { format, resize: true })),
    /images of 6×5×1 were given where they are 4×4×3: the channels differ\. Repeat a grey channel/,
  );
});

test('what is no image is refused, by its place', async () => {
  const shape = [1, 2, 2, 1];
  const refused = async (input: unknown, options?: Partial<ImageInputOptions>) =>
    refusedWith(from(input as ImageInput, options));
  assert.is(await refused([]), 'class cup: there are no images. Give at least one.');
  assert.match(await refused([[], []]), /there are no images/);
  for (const [input, kind] of [
    [null, 'null'],
    [undefined, 'undefined'],
    [7, 'a number'],
    [{ pixels: 1, size: 2 }, 'an object { pixels, size }'],
    [new Date(), 'a Date'],
  ]) {
    assert.ok((await refused(input)).startsWith(`class cup: ${kind} is no image. Give { data, shape }`), String(kind));
  }
  assert.match(await refused([ramp(1, 1, 1, 1), 'x'.length]), /^class cup, image 2 of 2: a number is no image/);
  assert.match(await refused(Uint8Array.of(1, 2)), /a Uint8Array is no image\. .* new Blob\(\[bytes\]\)/);
  assert.match(
    await refused({ data: Uint8Array.of(1, 2, 3), shape }),
    /3 pixel values do not fill .*\[1, 2, 2, 1\]: 4 were/,
  );
  assert.match(
    await refused({ data: Uint8Array.of(1), shape: [1, 1] }),
    /\[1, 1\] is no shape of images\. .* grey has 1 channel/,
  );
  assert.match(await refused({ data: Uint8Array.of(1), shape: [0, 1, 1, 1] }), /is no shape of images/);
  assert.match(await refused({ data: Uint8Array.of(1), shape: 'wide' }), /a string is no shape of images/);
  assert.match(await refused({ data: new Float64Array(4), shape }), /pixels in a Float64Array are not taken/);
  assert.match(
    await refused({ data: Float32Array.of(0, 1, Number.NaN, 0), shape }),
    /value 2 of the images \[1, 2, 2, 1\] is NaN/,
  );
  assert.match(await refused({ data: Float32Array.of(0, -0.25, 0, 0), shape }), /is -0\.25; .* Undo the normalisation/);
  assert.match(await refused({ data: [0, 1, 0, 131], shape }), /value 3 .* is 131; .* Uint8Array\.from\(data\)/);
  assert.match(await refused({ data: [0, undefined, 0, 1], shape }), /value 1 .* is undefined/);
  assert.match(
    await refused({ ...ramp(2, 2, 2, 1), count: 3 }),
    /8 pixel values do not fill .*\[3, 2, 2, 1\]: 12 were expected/,
  );
  assert.match(await refused({ ...ramp(1, 1, 1, 1), count: 1.5 }), /\[1\.5, 1, 1, 1\] is no shape of images/);
  assert.match(await refused(imageData([1, 2, 3], 1, 1)), /a picture of 1×1 .* holds 4 bytes, RGBA; 3 were given/);
  const half = { data: new Float32Array(4), width: 1, height: 1 };
  assert.match(await refused(half), /holds 4 bytes, RGBA; 4 values of another kind were given/);
  const five = { format: { height: 1, width: 1, channels: 5 } };
  assert.match(await refused(imageData([1, 2, 3, 4], 1, 1), five), /becomes 1 channel or 3; 5 were asked for/);
  assert.match(await refused(engine.tensor(new Int32Array(4), shape)), /a tensor of i32 \[1, 2, 2, 1\] was given/);
  assert.match(await refused(engine.zeros([2, 2])), /\[2, 2\] is no shape of images/);
  assert.match(await refused(engine.full([1, 1, 1], 3.5)), /value 0 .* is 3\.5/);
});

test('files that are missing, cut short or none of images are told by name', async () => {
  const path = join(folder, 'missing.png');
  assert.match(await refusedWith(from(path)), /missing\.png: cannot read this file: no such file or folder/);
  await writeFile(join(folder, 'text.png'), 'not a picture');
  assert.match(
    await refusedWith(from([ramp(1, 1, 1, 3), join(folder, 'text.png')])),
    /^class cup, image 2 of 2 \(.*text\.png\): cannot decode this image: .* Give a whole PNG, JPEG, WebP or AVIF file\./,
  );
  const noise = sharp({
    create: { width: 64, height: 64, channels: 3, background: 'red', noise: { type: 'gaussian', sigma: 30 } },
  });
  for (const file of [await noise.clone().jpeg().toBuffer(), await noise.clone().png().toBuffer()]) {
    const cut = new File([Uint8Array.from(file.subarray(0, file.length >> 1))], 'cut.jpg');
    assert.match(await refusedWith(from(cut)), /^class cup \(cut\.jpg\): cannot decode this image/);
  }
  assert.match(await refusedWith(from(new Blob([]))), /cannot decode this image/);
  assert.match(
    await refusedWith(from('data:image/png;base64,AAAA')),
    /\(data:image\/png;base64,AAAA…\): cannot decode/,
  );
});

test('images without a data set are sampled like those of one', async () => {
  const images = ramp(3, 2, 3, 3);
  const { data, ...format } = images;
  const set: ImageDataset = { name: 'toys', images: data, labels: new Uint8Array(3), classes: 1, ...format };
  const [bare, labelled] = [new DeviceImages(engine, images), new DeviceImages(engine, set)];
  const indices = [2, 0, 1];
  assert.equal(await bare.sample({ indices }).data(), await labelled.sample({ indices }).data());
  bare.dispose();
  labelled.dispose();
  assert.throws(() => new DeviceImages(engine, { ...images, count: 4 }), /54 pixel values do not fill/);
});

test.run();
