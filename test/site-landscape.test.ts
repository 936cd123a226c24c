/** The landscape page: runs of a command line, evaluated and drawn. */
import { join } from 'node:path';
import sharp from 'sharp';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { engram } from './support/command.ts';
import { inFolder } from './support/in-folder.ts';
import { openSite } from './support/site.ts';

const FLAGS = '--tasks 2 --epochs 1 --train-per-class 2 --test-per-class 2 --width 4 --out';

/** Colours of a picture, to the nearest 16th of each channel. */
async function coloursOf(png: Buffer): Promise<Set<string>> {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const found = new Set<string>();
  for (let i = 0; i < data.length; i += info.channels)
    found.add([0, 1, 2].map((c) => (data[i + c] as number) >> 4).join());
  return found;
}

test('runs are evaluated point by point, drawn as surfaces, and turned by keys', () =>
  inFolder(async (folder) => {
    const methods = ['replay', 'fdkd'];
    for (const method of methods) {
      const { code, errors } = await engram('train', '--method', method, ...FLAGS.split(' '), join(folder, method));
      assert.is(code, 0, errors);
    }
    const site = await openSite({ drawing: true });
    const { page } = site;
    try {
      await page.goto(`${site.url}landscape.html`);
      const files = methods.map((method) => join(folder, method, 'checkpoint.safetensors'));
      await page.getByLabel('Open runs').setInputFiles(files);
      await page.getByRole('status').filter({ hasText: 'All points are there' }).waitFor({ timeout: 240_000 });
      const canvases = page.locator('canvas');
      assert.is(await canvases.count(), 2);
      assert.match(
        (await page.locator('figcaption').first().textContent()) ?? '',
        /^replay: \d+ % of all classes right$/,
      );
      const seen = () => canvases.first().screenshot();
      await page.waitForFunction(
        () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))),
      );
      const before = await seen();
      const colours = await coloursOf(before);
      assert.ok(colours.size > 8, `a surface has shades: ${colours.size}`);
      await canvases.first().focus();
      for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowLeft');
      for (let tries = 0; tries < 50 && (await seen()).equals(before); tries++) await page.waitForTimeout(100);
      assert.not((await seen()).equals(before), 'it turned');
      assert.equal(site.errors, []);
      assert.equal(site.strays, []);
    } finally {
      await site.close();
    }
  }));

test.run();
