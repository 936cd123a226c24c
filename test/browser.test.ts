import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ContinualLearner } from '../src/entries/continual.ts';
import { type ImageBytes, type Stopwatch, toImageBytes } from '../src/index.ts';
import { openPage } from './support/browser.ts';
import { engine } from './support/engine.ts';
import { type TenSteps, tenSteps, twoTasks } from './support/ten-steps.ts';

type Steps = TenSteps & { learnt: number[] };

/** The steps in Node, on the SwiftShader that Chromium has too. */
async function inNode(): Promise<Steps> {
  const { stdout } = await promisify(execFile)(process.execPath, ['.build/test/support/print-ten-steps.js'], {
    env: { ...process.env, ENGRAM_ADAPTER: 'swiftshader' },
  });
  return JSON.parse(stdout) as Steps;
}

/** The steps of the bundled library in headless Chromium, most of them replayed. */
async function inBrowser(): Promise<Steps> {
  const { page, close } = await openPage();
  try {
    const steps = await page.evaluate<TenSteps>(
      `import('/browser.js').then((library) => (${tenSteps})(library, true))`,
    );
    return { ...steps, learnt: await page.evaluate<number[]>(`import('/browser.js').then(${twoTasks})`) };
  } finally {
    await close();
  }
}

test('the library trains in a browser as in Node, steps that are replayed and learners too', async () => {
  const node = await inNode();
  const browser = await inBrowser();
  assert.match(node.adapter, /swiftshader/i);
  assert.match(browser.adapter, /swiftshader/i);
  assert.is(browser.losses.length, 10);
  assert.is(browser.learnt.length, 2 * (3 + 4));
  assert.ok(node.losses[9]! < node.losses[0]!, `the loss falls: ${node.losses}`);
  for (const of of ['losses', 'learnt'] as const) {
    for (const [step, loss] of browser[of].entries()) {
      const expected = node[of][step]!;
      const isNear = Math.abs(loss - expected) <= 1e-4 * expected;
      assert.ok(isNear, `${of}, step ${step}: ${loss} in the browser, ${expected} in Node`);
    }
  }
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

/** Runs a script in a worker of the page: it is posted a value, and posts its answer, or an error's text. */
async function inWorker<T>(script: string, given: unknown): Promise<T> {
  const worker = new Worker(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })), { type: 'module' });
  try {
    return await new Promise((done, fail) => {
      worker.onmessage = ({ data }) => (typeof data === 'string' ? fail(new Error(data)) : done(data as T));
      worker.onerror = ({ message }) => fail(new Error(message));
      worker.postMessage(given);
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

/** What a learner learnt of drawn pictures: its file, and what it answers. */
interface Learnt {
  readonly adapter: string;
  readonly file: number[];
  readonly answers: readonly { readonly label: string; readonly probability: number }[];
}

/** Learns drawn pictures task by task, `ImageData` and files mixed; then again where it left off, from its own file. */
async function learnDrawn(library: typeof import('./support/browser-library.ts')): Promise<Learnt> {
  const engine = await library.Engine.create();
  const draw = (ink: (context: OffscreenCanvasRenderingContext2D, shift: number) => void) =>
    Array.from({ length: 8 }, (_, shift) => {
      const context = new OffscreenCanvas(12, 12).getContext('2d');
      if (!context) throw new Error('there is no canvas');
      context.fillRect(0, 0, 12, 12);
      context.fillStyle = 'white';
      ink(context, shift % 4);
      return context.getImageData(0, 0, 12, 12);
    });
  const asFile = async ({ data, width, height }: ImageData): Promise<Blob> => {
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext('2d')?.putImageData(new ImageData(data, width, height), 0, 0);
    return canvas.convertToBlob({ type: 'image/png' });
  };
  const bars = draw((context, shift) => context.fillRect(1 + 2 * shift, 0, 2, 12));
  const lines = draw((context, shift) => context.fillRect(0, 1 + 2 * shift, 12, 2));
  const full = draw((context, shift) => context.fillRect(shift, shift, 8, 8));
  const learner = await library.ContinualLearner.create(engine, {
    width: 4,
    epochs: 2,
    batch: 8,
    memory: 9,
    crop: 1,
  });
  for await (const event of learner.learn({ bars, lines })) void event;
  const again = await library.ContinualLearner.load(engine, await learner.save());
  for await (const event of again.learn({ full: await Promise.all(full.map(asFile)) })) void event;
  const answers = await again.predict(bars[0] as ImageData);
  const result = { adapter: engine.adapterDescription, file: [...(await again.save())], answers };
  await engine.destroy();
  return result;
}

test('a learner in a worker learns pictures, and Node goes on with its file', async () => {
  const { page, close } = await openPage();
  try {
    const script = `onmessage = () => import('http://localhost/browser.js')
      .then((library) => (${learnDrawn})(library))
      .then(postMessage, (error) => postMessage(String(error)));`;
    const learnt = await page.evaluate<Learnt>(`(${inWorker})(${JSON.stringify(script)}, null)`);
    assert.match(learnt.adapter, /swiftshader/i);
    const learner = await ContinualLearner.load(engine, Uint8Array.from(learnt.file));
    assert.equal(learner.classes, ['bars', 'lines', 'full']);
    assert.is(learner.exemplars.length, 9);
    const [bars] = learner.exemplars.filter(({ label }) => label === 'bars');
    assert.is(bars?.pixels.length, 12 * 12 * 3);
    const pixels = Uint8Array.from({ length: 12 * 12 * 3 }, (_, at) =>
      [1, 2].includes(Math.floor(at / 3) % 12) ? 255 : 0,
    );
    const here = await learner.predict({ data: pixels, shape: [12, 12, 3] });
    assert.equal(
      here.map(({ label }) => label),
      learnt.answers.map(({ label }) => label),
    );
    here.forEach(({ probability }, i) => {
      assert.ok(Math.abs(probability - (learnt.answers[i]?.probability ?? Number.NaN)) < 1e-3);
    });
    for await (const event of learner.learn({ more: { data: pixels, shape: [1, 12, 12, 3] } })) void event;
    assert.is(learner.classes.length, 4);
    learner.dispose();
  } finally {
    await close();
  }
});

test.run();
