/** Tests that need neither files nor processes, once more in headless Chromium; `build/browser-tests.mjs` says which. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openPage } from './support/browser.ts';
import { judge } from './support/outcome.ts';

const FOLDER = '.build/browser-tests';
/** uvu's last line. */
const END = /^ {2}Duration: /m;

// A heap that can be measured: memory that grows is looked for here as well.
const flags = ['--js-flags=--expose-gc', '--enable-precise-memory-info'];
const { page, close } = await openPage('http://localhost', FOLDER, { flags });
await page.route('http://localhost/engram-data/**', (route) => {
  const { pathname } = new URL(route.request().url());
  return route.fulfill({ path: join('src/data/bundled', pathname.slice('/engram-data/'.length)) });
});
// Apart from other origins, as pages must be that share memory between threads.
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
await page.route('http://localhost/', (route) =>
  route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Tests</title>', headers }),
);
test.after(close);

let output = '';
page.on('console', (message) => {
  output += message.text();
});

/** A page of its own for each file: what one leaves behind another does not meet. */
async function run(name: string): Promise<void> {
  await page.goto('http://localhost/');
  output = '';
  await page.evaluate(`import('/${name}.test.js').then(() => undefined)`);
  while (!END.test(output)) await page.waitForTimeout(20);
}

const names = JSON.parse(readFileSync(join(FOLDER, 'names.json'), 'utf8')) as string[];
for (const name of names) {
  test(`${name} in a browser`, async () => {
    const started = performance.now();
    await run(name);
    const { passed, failed, skipped, fault } = judge(output, undefined);
    console.log(
      `${name}: ${passed} passed, ${skipped} skipped, ${((performance.now() - started) / 1000).toFixed(1)} s`,
    );
    assert.ok(failed === 0 && !fault, output);
  });
}

test.run();
