/** What the pages of the site weigh, as a server that compresses them sends them. */
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { siteUnderTest } from './support/site-under-test.ts';

const site = await siteUnderTest();
const { page } = site;

/** In bytes; data sets, networks and recorded runs are not in it. */
const MOST = 400 * 1000;
/** Each with what begins its work, where it does not begin by itself. */
const PAGES = { index: 'Start', teach: null, landscape: 'Start', gpu: 'Run everything', embed: null } as const;

for (const [name, begin] of Object.entries(PAGES)) {
  test(`${name} weighs less than 400 KB with its worker`, async () => {
    const weights = new Map<string, number>();
    const asked: Promise<void>[] = [];
    const weigh = async (url: string, body: Promise<Buffer>) => {
      weights.set(url, gzipSync(await body, { level: 9 }).length);
    };
    page.on('response', (response) => {
      const { pathname } = new URL(response.url());
      if (/\.(html|css|js)$/.test(pathname)) asked.push(weigh(pathname, response.body()));
    });
    await page.goto(`${site.url}${name}.html`);
    const working = page.waitForEvent('worker');
    if (begin) await page.getByRole('button', { name: begin, exact: true }).click();
    if (name !== 'embed') await working;
    else working.catch(() => {});
    await page.waitForTimeout(2000);
    await Promise.all(asked);
    page.removeAllListeners('response');
    const total = [...weights.values()].reduce((sum, bytes) => sum + bytes, 0);
    console.log(`${name}: ${total} bytes in ${weights.size} files`);
    assert.ok(weights.size >= 3, [...weights.keys()].join());
    if (name !== 'embed')
      assert.ok(
        [...weights.keys()].some((path) => path.includes('worker')),
        'its worker is weighed',
      );
    assert.ok(total < MOST, JSON.stringify(Object.fromEntries(weights)));
  });
}

test('what it carries is named with its licence', async () => {
  await page.goto(`${site.url}teach.html`);
  await page.getByRole('link', { name: 'Licences' }).click();
  const text = await page.locator('body').innerText();
  for (const name of ['fflate', 'lit-html', 'onnxruntime-web', 'three', 'typegpu', 'uplot', 'valibot'])
    assert.match(text, new RegExp(`^${name} [0-9.]+ \\(.+\\)$`, 'm'));
});

test.run();
