/** The page Embed: four apps whose device an engine shares, each with a network that learns while it runs. */
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';
import sharp from 'sharp';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openSite } from './support/site.ts';
import { siteUnderTest } from './support/site-under-test.ts';
import { STRIPES_FILE, stripesModel } from './support/stripes-model.ts';

const IDS = ['plain', 'typegpu', 'three', 'onnx'] as const;
type Id = (typeof IDS)[number];
const sourceOf = (id: Id) => readFile(`src/web/embed/examples/${id}.ts`, 'utf8');

const site = await siteUnderTest({ drawing: true });
const { page } = site;

/** Keeps the devices of a page where the test finds them. */
const watchDevices = () => {
  const devices: GPUDevice[] = [];
  const lost: string[] = [];
  Object.assign(globalThis, { devices, lost });
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...given) {
    const device = await request.apply(this, given);
    devices.push(device);
    device.lost.then(({ reason }) => lost.push(reason));
    return device;
  };
};
type Watched = typeof globalThis & { devices: GPUDevice[]; lost: string[] };
await page.addInitScript(watchDevices);
// A phone's: a small canvas costs a software adapter less.
await page.setViewportSize({ width: 360, height: 740 });

const card = (id: Id) => page.locator(`#${id}`);
const button = (id: Id, name: string) => card(id).getByRole('button', { name, exact: true });
const status = (id: Id, text: string) =>
  card(id).getByRole('status').filter({ hasText: text }).waitFor({ timeout: 30_000 });
const start = (id: Id) => card(id).getByRole('button', { name: 'Start' }).click();
const figures = async (id: Id) =>
  ((await card(id).locator('.losses').innerText()).match(/\d[\d.e-]*/g) ?? []).map(Number) as [number, number, number];

/** Waits until the loss is that share of the first one. */
async function fallen(id: Id, share: number): Promise<void> {
  await page.waitForFunction(
    ([of, wanted]) => {
      const text = document.querySelector(`#${of} .losses`)?.textContent ?? '';
      const [, first = 0, latest = 1] = (text.match(/\d[\d.e-]*/g) ?? []).map(Number);
      return latest < (wanted as number) * first;
    },
    [id, share] as const,
    { timeout: 60_000 },
  );
}

/** The canvas as it is on the screen: red, green and blue of a place in 0 … 1. */
async function seen(canvas: Locator): Promise<(x: number, y: number) => readonly [number, number, number]> {
  const { data, info } = await sharp(await canvas.screenshot())
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return (x, y) => {
    const at = 3 * (Math.floor(y * info.height) * info.width + Math.floor(x * info.width));
    return [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0];
  };
}
const places = Array.from(
  { length: 60 * 60 },
  (_, i) => [((i % 60) + 0.5) / 60, (Math.floor(i / 60) + 0.5) / 60] as const,
);
type Colour = readonly [number, number, number];
/** The share of the canvas that has such a colour. */
async function share(id: Id, has: (colour: Colour) => boolean): Promise<number> {
  const at = await seen(card(id).locator('canvas'));
  return places.filter(([x, y]) => has(at(x, y))).length / places.length;
}
const between = (value: number, least: number, most: number, what: string) =>
  assert.ok(value > least && value < most, `${what}: ${value}`);

test('each example is one file under a hundred lines, and is shown as it is', async () => {
  await page.goto(`${site.url}embed.html`);
  for (const id of IDS) {
    const source = await sourceOf(id);
    assert.ok(source.trimEnd().split('\n').length < 100, id);
    assert.is(await card(id).locator('pre').textContent(), source.trimEnd());
    assert.is(await card(id).locator('canvas').getAttribute('width'), null, 'nothing runs before it is started');
  }
  assert.is(await page.evaluate(() => (globalThis as Watched).devices.length), 0);
  assert.is(await page.evaluate(() => document.documentElement.scrollWidth), 360, 'it fits on a phone');
});

test('the ONNX model is what its maker makes', async () => {
  assert.equal(new Uint8Array(await readFile(STRIPES_FILE)), stripesModel());
});

test('an app of its own: the network learns, and its particles are seen', async () => {
  await card('plain').getByRole('button', { name: 'Start' }).focus();
  await page.keyboard.press('Enter');
  await fallen('plain', 0.85);
  between(await share('plain', ([r, g, b]) => r + g + b > 60), 0.01, 0.7, 'lit');
  assert.is(await page.evaluate(() => document.activeElement?.textContent), 'Stop');
});

test('TypeGPU: what the network knows is like what the function paints; one example runs at a time', async () => {
  await start('typegpu');
  await status('plain', 'Not running');
  assert.is(await page.evaluate(() => (globalThis as Watched).lost.length), 1, 'the other has given up its device');
  await fallen('typegpu', 0.06);
  const at = await seen(card('typegpu').locator('canvas'));
  const brightness = ([r, g, b]: Colour) => r + g + b;
  const pairs = places
    .filter(([x, y]) => x < 0.7 || y < 0.7)
    .map(([x, y]) => [brightness(at(x, y)), brightness(at(0.74 + 0.26 * x, 0.74 + 0.26 * y))] as const);
  const mean = (of: readonly number[]) => of.reduce((sum, value) => sum + value, 0) / of.length;
  const [a, b] = [mean(pairs.map(([one]) => one)), mean(pairs.map(([, other]) => other))];
  const product = (i: 0 | 1, j: 0 | 1) => mean(pairs.map((pair) => (pair[i] - [a, b][i]!) * (pair[j] - [a, b][j]!)));
  between(product(0, 1) / Math.sqrt(product(0, 0) * product(1, 1)), 0.5, 1, 'correlation');
  await button('typegpu', 'Stop').click();
  await status('typegpu', 'Not running');
});

test('three.js: the mesh is where the network says', async () => {
  await start('three');
  await fallen('three', 0.2);
  const at = await seen(card('three').locator('canvas'));
  const background = at(0.5, 0.01);
  const isBody = (colour: Colour) => colour.some((value, i) => Math.abs(value - (background[i] ?? 0)) > 8);
  const radii = Array.from({ length: 64 }, (_, ray) => {
    const [x, y] = [Math.cos((ray * Math.PI) / 32), Math.sin((ray * Math.PI) / 32)];
    const steps = Array.from({ length: 100 }, (_, i) => (0.49 * i) / 100);
    return Math.max(...steps.filter((far) => isBody(at(0.5 + far * x, 0.5 + far * y))));
  });
  between(Math.min(...radii), 0.15, 0.35, 'least radius of its outline');
  between(Math.max(...radii) / Math.min(...radii), 1.12, 1.6, 'a box, where a sphere was');
  await button('three', 'Stop').click();
  await status('three', 'Not running');
});

test('ONNX Runtime: a head learns from a model’s output, also when it is started again', async () => {
  await start('onnx');
  await fallen('onnx', 0.4);
  between(await share('onnx', ([r, , b]) => r > b + 40), 0.04, 0.6, 'found');
  await button('onnx', 'Stop').click();
  await status('onnx', 'Not running');
  await start('onnx');
  await fallen('onnx', 0.7);
  await button('onnx', 'Stop').click();
  await status('onnx', 'Not running');
  const [devices, lost] = await page.evaluate(() => {
    const { devices, lost } = globalThis as Watched;
    return [devices.length, lost];
  });
  assert.is(devices, 5);
  assert.equal(lost, Array(5).fill('destroyed'), 'no device is left');
});

test('who wants less motion takes steps', async () => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await start('typegpu');
  await status('typegpu', 'Paused');
  assert.is((await figures('typegpu'))[0], 1);
  await button('typegpu', 'Step').click();
  await card('typegpu').locator('.losses', { hasText: 'step 2' }).waitFor();
  await page.waitForTimeout(300);
  assert.is((await figures('typegpu'))[0], 2);
  await page.emulateMedia({ reducedMotion: null });
});

test('a device that is lost, and a library that does not come, are told', async () => {
  await button('typegpu', 'Go on').click();
  await page.evaluate(() => (globalThis as Watched).devices.at(-1)?.destroy());
  await card('typegpu').getByRole('alert').filter({ hasText: 'lost' }).waitFor();
  await status('typegpu', 'Not running');
  const blocked = (url: URL) => /\/three-.*\.js$/.test(url.pathname);
  await page.route(blocked, (route) => route.abort());
  await page.reload();
  await start('three');
  await card('three').getByRole('alert').filter({ hasText: 'could not be loaded' }).waitFor();
  await page.unroute(blocked);
  const failed = site.errors.filter((error) => /ERR_FAILED/.test(error));
  assert.is(failed.length, 1, 'what was kept from it');
  (site.errors as string[]).splice(0, site.errors.length, ...site.errors.filter((error) => !failed.includes(error)));
});

test('without WebGPU it says which browsers have it', async () => {
  const other = await openSite({ webgpu: false });
  try {
    const { page }: { page: Page } = other;
    await page.goto(`${other.url}embed.html`);
    await page.locator('#plain').getByRole('button', { name: 'Start' }).click();
    await page.getByRole('alert').filter({ hasText: 'Firefox' }).waitFor();
    assert.equal(other.errors, []);
  } finally {
    await other.close();
  }
});

test.run();
