import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ImageBytes, type Stopwatch, toImageBytes } from '../src/index.ts';
import { openPage } from './support/browser.ts';
import { engine } from './support/engine.ts';
import { type TenSteps, tenSteps } from './support/ten-steps.ts';

/** The steps in Node, on the SwiftShader that Chromium has too. */
async function inNode(): Promise<TenSteps> {
  const { stdout } = await promisify(execFile)(process.execPath, ['.build/test/support/print-ten-steps.js'], {
    env: { ...process.env, ENGRAM_ADAPTER: 'swiftshader' },
  });
  return JSON.parse(stdout) as TenSteps;
}

/** The steps of the bundled library in headless Chromium, most of them replayed. */
async function inBrowser(): Promise<TenSteps> {
  const { page, close } = await openPage();
  try {
    return await page.evaluate<TenSteps>(`import('/browser.js').then((library) => (${tenSteps})(library, true))`);
  } finally {
    await close();
  }
}

test('the library trains in a browser as in Node, also when steps are replayed', async () => {
  const node = await inNode();
  const browser = await inBrowser();
  assert.match(node.adapter, /swiftshader/i);
  assert.match(browser.adapter, /swiftshader/i);
  assert.is(browser.losses.length, 10);
  assert.ok(node.losses[9]! < node.losses[0]!, `the loss falls: ${node.losses}`);
  browser.losses.forEach((loss, step) => {
    const expected = node.losses[step]!;
    assert.ok(
      Math.abs(loss - expected) <= 1e-4 * expected,
      `step ${step}: ${loss} in the browser, ${expected} in Node`,
    );
  });
});

/** The kernel of a product before and after tuning, and where a later engine has its choice from. */
async function tuneTwice(library: typeof import('../src/index.ts')): Promise<string[]> {
  const stopwatch: Stopwatch = async (_, runs) => runs.map(({ variant }) => (variant === 'tiled' ? 1 : 10));
  const told: string[] = [];
  for (let turn = 0; turn < 2; turn++) {
    const engine = await library.Engine.create();
    const { pieces } = await library.tune(
      engine,
      () => library.matmul(engine.zeros([64, 64]), engine.zeros([64, 64])),
      { stopwatch, budget: 1e6 },
    );
    told.push(...pieces.map(({ variant, from }) => `${variant} ${from}`));
    await engine.destroy();
  }
  return told;
}

test('what the tuner measured in a page is there for the next engine', async () => {
  const { page, close } = await openPage();
  try {
    const told = await page.evaluate<string[]>(`import('/browser.js').then(${tuneTwice})`);
    assert.equal(told, ['tiled measured', 'tiled cache']);
  } finally {
    await close();
  }
});

type Pixels = Omit<ImageBytes, 'data'> & { data: number[] };

/** Files and a canvas as bytes, each by itself, then all together in one size. */
async function readImages(library: typeof import('../src/index.ts'), encoded: number[][]): Promise<Pixels[]> {
  const engine = await library.Engine.create();
  const canvas = new OffscreenCanvas(2, 1).getContext('2d');
  if (!canvas) throw new Error('there is no canvas');
  canvas.fillStyle = 'rgb(10 20 30)';
  canvas.fillRect(1, 0, 1, 1);
  const blobs = encoded.map((bytes) => new Blob([Uint8Array.from(bytes)]));
  const inputs = [canvas.getImageData(0, 0, 2, 1), ...blobs];
  const read = await Promise.all(inputs.map((input) => library.toImageBytes(engine, input, { where: 'page' })));
  read.push(await library.toImageBytes(engine, blobs, { where: 'page', resize: true }));
  await engine.destroy();
  return read.map((images) => ({ ...images, data: [...images.data] }));
}

/** Runs {@link readImages} in a worker of the page. */
async function inWorker(script: string, encoded: number[][]): Promise<Pixels[]> {
  const worker = new Worker(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })), { type: 'module' });
  try {
    return await new Promise((done, fail) => {
      worker.onmessage = ({ data }) => (typeof data === 'string' ? fail(new Error(data)) : done(data as Pixels[]));
      worker.onerror = ({ message }) => fail(new Error(message));
      worker.postMessage(encoded);
    });
  } finally {
    worker.terminate();
  }
}

test('a page and its workers read the images that Node reads', async () => {
  // Four fields, on their side; and what is half transparent.
  const fields = Uint8Array.from({ length: 32 * 16 * 3 }, (_, at) => {
    const [x, y] = [Math.floor(at / 3) % 32, Math.floor(at / 96)];
    return (x < 16 ? 40 : 200) + (y < 8 ? 0 : 30) + 5 * (at % 3);
  });
  const plain = sharp(fields, { raw: { width: 32, height: 16, channels: 3 } });
  const clear = sharp(Uint8Array.of(0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 128, 90, 160, 30, 255), {
    raw: { width: 4, height: 1, channels: 4 },
  });
  const encoded = [
    await plain.clone().withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer(),
    await plain.clone().webp({ quality: 95 }).toBuffer(),
    await clear.png().toBuffer(),
  ].map((file) => [...file]);
  const blobs = encoded.map((bytes) => new Blob([Uint8Array.from(bytes)]));
  const inNode = await Promise.all(
    [...blobs, blobs].map((input) => toImageBytes(engine, input, { where: 'node', resize: true })),
  );

  const { page, close } = await openPage();
  try {
    const script = `onmessage = ({ data }) => import('http://localhost/browser.js')
      .then((library) => (${readImages})(library, data))
      .then(postMessage, (error) => postMessage(String(error)));`;
    const files = JSON.stringify(encoded);
    for (const [place, expression] of [
      ['page', `import('/browser.js').then((library) => (${readImages})(library, ${files}))`],
      ['worker', `(${inWorker})(${JSON.stringify(script)}, ${files})`],
    ] as const) {
      const [drawn, ...read] = await page.evaluate<Pixels[]>(expression);
      assert.equal(drawn, { data: [255, 255, 255, 10, 20, 30], count: 1, height: 1, width: 2, channels: 3 }, place);
      assert.is(read.length, inNode.length);
      inNode.forEach(({ data, ...format }, at) => {
        const { data: seen, ...seenFormat } = read[at]!;
        assert.equal(seenFormat, format, `${place}, file ${at}`);
        const off = Math.max(...data.map((value, i) => Math.abs(value - seen[i]!)));
        assert.ok(off <= 3, `${place}, file ${at}: off by ${off}`);
      });
      assert.equal([read[0]?.height, read[0]?.width], [32, 16], 'turned');
      assert.equal(read[2]?.data, [0, 0, 0, 255, 255, 255, 127, 127, 127, 90, 160, 30]);
    }
  } finally {
    await close();
  }
});

test('a page that browsers do not trust is told that it has no WebGPU', async () => {
  const { page, close } = await openPage('http://engram.example');
  try {
    const message = await page.evaluate<string>(
      `import('/browser.js').then(({ Engine }) => Engine.create()).then(String, (error) => error.message)`,
    );
    assert.match(message, /^adapter: this page has no navigator\.gpu\. .*secure context/);
  } finally {
    await close();
  }
});

test.run();
