/**
 * Makes the pictures of the site's pages that the README shows: `npm run web:pictures`. Small, and of what a visitor sees: the recorded
 * run on the first page, two runs of the command line on the landscape, and what the others find there and then.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import type { PageOptions } from './browser.ts';
import { engram } from './command.ts';
import { drawLetter } from './draw-letter.ts';
import { inFolder } from './in-folder.ts';
import { openSite } from './site.ts';
import { pngs, turned } from './turned-glyphs.ts';

const FOLDER = 'bench/results/site';
const [WIDTH, HEIGHT] = [1200, 900];
/** What they are in the README. */
const SHOWN = 800;

/**
 * A page of the site as it is when something was done there.
 * @param part what is to be seen at the top; the page's own top by default.
 */
async function picture(
  name: string,
  options: PageOptions,
  act: (page: Page) => Promise<unknown>,
  { file = `${name}.html`, part = 'body' } = {},
): Promise<void> {
  const { page, url, close } = await openSite(options);
  await page.setViewportSize({ width: WIDTH, height: HEIGHT });
  await page.goto(`${url}${file}`);
  await act(page);
  await page.evaluate((at) => document.querySelector(at)?.scrollIntoView(), part);
  const into = join(FOLDER, `${name}.webp`);
  const { size } = await sharp(await page.screenshot())
    .resize(SHOWN)
    .webp({ quality: 80 })
    .toFile(into);
  console.log(`${into}: ${size} bytes`);
  await close();
}

const until = (page: Page, text: string) =>
  page.getByRole('status').filter({ hasText: text }).waitFor({ timeout: 900_000 });

/** The first page without WebGPU: what was recorded, to its end. */
const watch = () =>
  picture(
    'watch',
    { webgpu: false },
    async (page) => {
      await page.getByRole('button', { name: 'Start', exact: true }).click();
      await until(page, 'All tasks are learnt');
    },
    { file: 'index.html', part: '#charts' },
  );

/** What the page itself would learn, with fewer test pictures, on the adapter that Node has. */
const RECIPE =
  '--data fashion-mini --width 8 --tasks 3 --base-classes 4 --memory 20 --train-per-class 16 --test-per-class 20 --batch 16 --epochs 15 --no-align --clip 1 --crop 1';

/** A class of its own, taught, and a letter drawn. */
const teach = () =>
  inFolder((folder) =>
    picture(
      'teach',
      {},
      async (page) => {
        await page.locator('#desk').waitFor({ timeout: 120_000 });
        await page.getByLabel('Files', { exact: true }).check();
        await page.getByLabel('This is a').fill('turned B');
        await page.getByLabel('Choose pictures').setInputFiles(await pngs(folder, 'b', turned('B', 0, 10)));
        await page.locator('.thumb').nth(9).waitFor();
        await page.getByRole('button', { name: 'Teach it' }).click();
        await page.locator('#lost tbody tr').nth(1).waitFor({ timeout: 400_000 });
        await page.getByLabel('Draw', { exact: true }).check();
        await drawLetter(page);
        await page.waitForTimeout(3000);
      },
      { part: '#notices' },
    ),
  );

const landscape = () =>
  inFolder(async (folder) => {
    const flags = { replay: [], fdkd: ['--kd-weight', '2'] };
    for (const [method, own] of Object.entries(flags)) {
      const out = ['--out', join(folder, method)];
      const { code, errors } = await engram('train', '--method', method, ...RECIPE.split(' '), ...own, ...out);
      if (code !== 0) throw new Error(errors);
    }
    const files = Object.keys(flags).map((method) => join(folder, method, 'checkpoint.safetensors'));
    await picture('landscape', { drawing: true }, async (page) => {
      await page.getByLabel('Open runs').setInputFiles(files);
      await until(page, 'All points');
      // The last points are drawn in the next frames.
      await page.waitForTimeout(1000);
    });
  });

/** Measured there and then, on the browser's software adapter. */
const gpu = () =>
  picture(
    'gpu',
    {},
    async (page) => {
      await page.getByRole('button', { name: 'Run everything' }).click();
      await until(page, 'All is done');
    },
    { part: '#benchmarks' },
  );

/** The first example, when it has learnt for a while. */
const embed = () =>
  picture(
    'embed',
    { drawing: true },
    async (page) => {
      await page.locator('#plain').getByRole('button', { name: 'Start' }).click();
      await page.waitForTimeout(20_000);
    },
    { part: '#plain' },
  );

const pages = { watch, teach, landscape, gpu, embed };
const wanted = process.argv.slice(2);
await mkdir(FOLDER, { recursive: true });
for (const [name, make] of Object.entries(pages)) if (wanted.length === 0 || wanted.includes(name)) await make();
process.exit(0);
