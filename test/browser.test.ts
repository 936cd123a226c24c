import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Stopwatch } from '../src/index.ts';
import { openPage } from './support/browser.ts';
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
