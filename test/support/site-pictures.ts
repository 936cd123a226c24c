/**
 * Makes the pictures of the site's pages that the README shows: `npm run web:pictures`. Small, and of what a visitor sees: the recorded
 * run on the first page, two runs of the command line on the landscape, and what the others find there and then.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { engram } from './command.ts';
import { inFolder } from './in-folder.ts';
import { openSite } from './site.ts';

const FOLDER = 'bench/results/site';
const [WIDTH, HEIGHT] = [1200, 900];
/** What they are in the README. */
const SHOWN = 800;

async function picture(page: Page, name: string): Promise<void> {
  const png = await page.screenshot({ animations: 'disabled' });
  const file = join(FOLDER, `${name}.webp`);
  const { size } = await sharp(png).resize(SHOWN).webp({ quality: 80 }).toFile(file);
  console.log(`${file}: ${size} bytes`);
}

/** The first page without WebGPU: what was recorded, to its end. */
async function watch(): Promise<void> {
  const { page, url, close } = await openSite({ webgpu: false });
  await page.setViewportSize({ width: WIDTH, height: HEIGHT });
  await page.goto(`${url}index.html`);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByRole('status').filter({ hasText: 'All tasks are learnt' }).waitFor({ timeout: 120_000 });
  await page.locator('#charts').scrollIntoViewIfNeeded();
  await page.evaluate(() => document.querySelector('#charts')?.scrollIntoView());
  await picture(page, 'watch');
  await close();
}

/** Two runs as the page itself would learn them. */
async function landscape(): Promise<void> {
  const recipe =
    '--data fashion-mini --width 8 --tasks 3 --base-classes 4 --memory 20 --train-per-class 16 --test-per-class 20 --batch 16 --epochs 15 --no-align --clip 1 --crop 1';
  await inFolder(async (folder) => {
    for (const method of ['replay', 'fdkd']) {
      const own = method === 'fdkd' ? ['--kd-weight', '2'] : [];
      const out = ['--out', join(folder, method)];
      const { code, errors } = await engram('train', '--method', method, ...recipe.split(' '), ...own, ...out);
      if (code !== 0) throw new Error(errors);
    }
    const { page, url, close } = await openSite({ drawing: true });
    await page.setViewportSize({ width: WIDTH, height: HEIGHT });
    await page.goto(`${url}landscape.html`);
    const files = ['replay', 'fdkd'].map((method) => join(folder, method, 'checkpoint.safetensors'));
    await page.getByLabel('Open runs').setInputFiles(files);
    await page.getByRole('status').filter({ hasText: 'All points' }).waitFor({ timeout: 900_000 });
    // The last points are drawn in the next frames.
    await page.waitForTimeout(1000);
    await picture(page, 'landscape');
    await close();
  });
}

/** Measured there and then, on the browser's software adapter. */
async function gpu(): Promise<void> {
  const { page, url, close } = await openSite();
  await page.setViewportSize({ width: WIDTH, height: HEIGHT });
  await page.goto(`${url}gpu.html`);
  await page.getByRole('button', { name: 'Run everything' }).click();
  await page.getByRole('status').filter({ hasText: 'All is done' }).waitFor({ timeout: 900_000 });
  await page.evaluate(() => document.querySelector('#benchmarks')?.scrollIntoView());
  await picture(page, 'gpu');
  await close();
}

/** The first example, when it has learnt for a while. */
async function embed(): Promise<void> {
  const { page, url, close } = await openSite({ drawing: true });
  await page.setViewportSize({ width: WIDTH, height: HEIGHT });
  await page.goto(`${url}embed.html`);
  const card = page.locator('#plain');
  await card.getByRole('button', { name: 'Start' }).click();
  await page.waitForTimeout(20_000);
  await page.evaluate(() => document.querySelector('#plain')?.scrollIntoView());
  await picture(page, 'embed');
  await close();
}

const pages = { watch, landscape, gpu, embed };
const wanted = process.argv.slice(2);
await mkdir(FOLDER, { recursive: true });
for (const [name, make] of Object.entries(pages)) if (wanted.length === 0 || wanted.includes(name)) await make();
process.exit(0);
