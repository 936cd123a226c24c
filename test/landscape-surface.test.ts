/** A landscape on the way to the screen: nothing of it passes through the CPU. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LossLandscape } from '../src/entries/analysis.ts';
import { capture, createResNet, crossEntropy, noGrad } from '../src/index.ts';
import { moved, USUAL_CAMERA } from '../src/web/landscape/camera.ts';
import { Surface, surfacePipeline } from '../src/web/landscape/surface.ts';
import { countCalls } from './support/count-calls.ts';
import { engine, uniform } from './support/engine.ts';

const [WIDTH, HEIGHT] = [256, 192];
const FORMAT = 'rgba8unorm';
/** COPY_SRC | RENDER_ATTACHMENT; MAP_READ | COPY_DST. */
const [TEXTURE, READ] = [0x01 | 0x10, 0x01 | 0x08];
const { device } = engine;

/** Pixels of a picture, [height, width, 4]. */
async function pixelsOf(texture: GPUTexture): Promise<Uint8Array> {
  const buffer = device.createBuffer({ size: 4 * WIDTH * HEIGHT, usage: READ });
  const encoder = device.createCommandEncoder();
  encoder.copyTextureToBuffer({ texture }, { buffer, bytesPerRow: 4 * WIDTH }, [WIDTH, HEIGHT]);
  device.queue.submit([encoder.finish()]);
  await buffer.mapAsync(1);
  const rows = new Uint8Array(buffer.getMappedRange().slice(0));
  buffer.destroy();
  return rows;
}

test('from evaluation to picture nothing is mapped, and no buffer is made that could be', async () => {
  const model = createResNet(engine, 'resnet8', { classes: 3, width: 4, inChannels: 1, seed: 1 }).eval();
  const images = engine.tensor(uniform(4 * 64, 1), [4, 8, 8, 1]);
  const labels = engine.tensor(Int32Array.of(0, 1, 2, 0));
  const loss = capture(engine, () => noGrad(engine, () => crossEntropy(model.forward(images), labels)));
  const landscape = new LossLandscape(model, loss, { points: 9 });
  const texture = device.createTexture({ size: [WIDTH, HEIGHT], format: FORMAT, usage: TEXTURE });
  await engine.flush();
  const source = readFileSync('src/web/landscape/surface.wgsl', 'utf8');
  const surface = new Surface(landscape.losses, surfacePipeline(device, FORMAT, source), FORMAT);

  const made: GPUBufferDescriptor[] = [];
  const { createBuffer } = device;
  let mapped = 0;
  device.createBuffer = (descriptor) => {
    made.push(descriptor);
    const buffer = createBuffer.call(device, descriptor);
    const { mapAsync } = buffer;
    buffer.mapAsync = (...args) => {
      mapped++;
      return mapAsync.apply(buffer, args);
    };
    return buffer;
  };
  const counts = countCalls(device, ['createCommandEncoder']);
  for (const { stride } of landscape.evaluate()) {
    await engine.flush();
    if (stride) surface.draw(texture, USUAL_CAMERA, stride);
  }
  await device.queue.onSubmittedWorkDone();
  assert.is(mapped, 0);
  assert.equal(
    made.filter(({ usage }) => (usage & 0x03) !== 0),
    [],
    'MAP_READ or MAP_WRITE',
  );
  assert.ok(counts.createCommandEncoder > 80, 'it was drawn as it came');

  const pixels = await pixelsOf(texture);
  const at = (x: number, y: number) => [...pixels.subarray(4 * (WIDTH * y + x), 4 * (WIDTH * y + x) + 4)];
  assert.equal(at(1, 1), [0, 0, 0, 0], 'nothing is behind it');
  const drawn = Array.from({ length: WIDTH * HEIGHT }, (_, i) => at(i % WIDTH, Math.floor(i / WIDTH))[3] as number);
  const share = drawn.filter((alpha) => alpha > 0).length / drawn.length;
  assert.ok(share > 0.1 && share < 0.9, `${share} of the picture`);

  // From straight above, the model is in the middle.
  surface.draw(texture, moved(USUAL_CAMERA, 0, 9), 1);
  const above = await pixelsOf(texture);
  const isRed = (i: number) => (above[i] as number) > 150 && (above[i + 1] as number) < 110;
  const reds = Array.from({ length: WIDTH * HEIGHT }, (_, i) => 4 * i).filter(isRed);
  assert.ok(reds.length > 0, 'the red dot is seen');
  for (const i of reds) {
    const [x, y] = [(i / 4) % WIDTH, Math.floor(i / 4 / WIDTH)];
    assert.ok(Math.abs(x - WIDTH / 2) < 12 && Math.abs(y - HEIGHT / 2) < 12, `at ${x}, ${y}`);
  }
  device.createBuffer = createBuffer;
  surface.dispose();
  landscape.dispose();
  loss.dispose();
  texture.destroy();
  for (const one of [images, labels]) one.dispose();
  model.dispose();
});

test.run();
