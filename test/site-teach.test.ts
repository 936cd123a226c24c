/** The page on which visitors teach the network classes of their own: what it learns, keeps and loses, and how it is kept. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ContinualLearner } from '../src/continual/learner.ts';
import { drawLetter } from './support/draw-letter.ts';
import { engine } from './support/engine.ts';
import { inFolder } from './support/in-folder.ts';
import { endGpuProcess, openSite } from './support/site.ts';
import { siteUnderTest } from './support/site-under-test.ts';
import { HELD_UP_MS, traceTasks } from './support/trace-tasks.ts';
import { pngs, turned } from './support/turned-glyphs.ts';

const site = await siteUnderTest();
const { page } = site;

const button = (name: string, of: Page = page) => of.getByRole('button', { name, exact: true });
const alert = (text: string | RegExp, of: Page = page) =>
  of.getByRole('alert').filter({ hasText: text }).waitFor({ timeout: 120_000 });
const ready = (of: Page = page) => of.locator('#desk').waitFor({ timeout: 120_000 });
const card = (name: string, of: Page = page) => of.locator(`[data-class="${name}"]`);
const thumbs = (name: string, of: Page = page) => card(name, of).locator('.thumb');
const rows = (of: Page = page) => of.locator('#lost tbody tr');

async function visit(of: Page = page): Promise<void> {
  await of.goto(`${site.url}teach.html`);
  await ready(of);
}

/** The page as someone has it who was never here. */
async function anew(of: Page = page): Promise<void> {
  await visit(of);
  await button('Start over', of).click();
  await button('Replace it', of).click();
  await of.locator('.own').first().waitFor({ state: 'detached' });
  await rows(of).first().waitFor({ state: 'detached' });
}

async function show(name: string, files: readonly string[], of: Page = page): Promise<void> {
  await of.getByLabel('Files', { exact: true }).check();
  await of.getByLabel('This is a').fill(name);
  const before = await thumbs(name, of).count();
  await of.getByLabel('Choose pictures').setInputFiles([...files]);
  await thumbs(name, of)
    .nth(before + files.length - 1)
    .waitFor({ timeout: 60_000 });
}

/** Teaches what is new. @returns cells of the new row. */
async function teach(of: Page = page): Promise<number[]> {
  const before = Math.max(1, await rows(of).count());
  await button('Teach it', of).click();
  await rows(of).nth(before).waitFor({ timeout: 400_000 });
  const cells = await rows(of).nth(before).locator('td').allTextContents();
  console.log(`${(await rows(of).nth(before).textContent())?.replaceAll(/\s+/g, ' ')}`);
  return cells.slice(0, 4).map((text) => Number.parseInt(text, 10));
}

test('what is drawn is told by both, and a drawing wants a name', async () => {
  await visit();
  assert.match(await page.locator('#notices').innerText(), /right on \d+\.\d % of 5000 pictures/);
  await button('Add the drawing').click();
  await alert('The sheet is empty');
  await drawLetter(page);
  const best = page.locator('.answers li:first-child .label');
  await page.waitForFunction(() => document.querySelector('.answers .label')?.textContent === 'A');
  assert.equal(await best.allTextContents(), ['A', 'A']);
  await button('Add the drawing').click();
  await alert('Say first what it is');
  await page.getByLabel('This is a').fill('A');
  await button('Add the drawing').click();
  await alert('one of the classes that the network knew before');
  await page.getByLabel('This is a').fill('stick');
  await drawLetter(page);
  await button('Add the drawing').click();
  await thumbs('stick').first().waitFor();
  assert.match(await card('stick').innerText(), /2 more pictures, and it can be taught/);
  assert.ok(await button('Teach it').isDisabled());
  await page.reload();
  await ready();
  await thumbs('stick').first().waitFor();
  await card('stick').getByRole('button', { name: 'Remove', exact: true }).click();
  await card('stick').waitFor({ state: 'detached' });
});

test('after five classes of one’s own the hundred old ones are known with DKD, and forgotten without', () =>
  inFolder(async (folder) => {
    await anew();
    const lessons = [['B'], ['4', 'R'], ['Ж', 'G']];
    let before = Number.NaN;
    let now: number[] = [];
    for (const [at, glyphs] of lessons.entries()) {
      for (const glyph of glyphs) await show(`turned ${glyph}`, await pngs(folder, glyph, turned(glyph, 0, 10)));
      const longestTask = at === 0 ? await traceTasks(page) : null;
      now = await teach();
      const longest = (await longestTask?.()) ?? 0;
      assert.ok(longest < HELD_UP_MS, `the page’s own thread was taken for ${longest} ms of the processor`);
      if (at === 0) before = Number.parseInt((await rows().first().locator('td').first().textContent()) as string, 10);
    }
    const [kept = 0, plain = 0, ownKept = 0] = now;
    assert.ok(before > 85, `${before} % of the old classes in the beginning`);
    assert.ok(kept >= 0.9 * before, `${kept} % of the old classes are left of ${before} %`);
    assert.ok(plain < 0.5 * before, `fine-tuning alone: ${plain} % are left of ${before} %`);
    assert.ok(ownKept >= 70, `${ownKept} % of its own pictures`);
    assert.ok((await page.locator('.galleries article').nth(1).locator('.picture').count()) > 10);
    // A reload, and what is exported, are the same learner.
    const table = await page.locator('#lost table').innerText();
    await page.reload();
    await ready();
    assert.is(await page.locator('#lost table').innerText(), table);
    await card('turned B').getByRole('button', { name: 'Rename turned B' }).click();
    await page.getByLabel('New name of turned B').fill('bee');
    await page.getByLabel('New name of turned B').press('Enter');
    await thumbs('bee').first().waitFor();
    const [loading] = await Promise.all([page.waitForEvent('download'), button('Export the learner').click()]);
    const path = join(folder, 'learner.safetensors');
    await loading.saveAs(path);
    const learner = await ContinualLearner.load(engine, await readFile(path));
    const [bee, ...others] = lessons.flat();
    const names = ['bee', ...others.map((glyph) => `turned ${glyph}`)];
    assert.equal(learner.classes.slice(100), names);
    const fresh = new Map(names.map((name, at) => [name, turned([bee, ...others][at] as string, 10, 20)]));
    const { accuracy } = await learner.evaluate(fresh);
    assert.ok(accuracy > 60, `${accuracy} % of pictures of the five classes that it never saw`);
    // Learnt on by Node, and brought back.
    for await (const event of learner.learn({ 'turned Q': turned('Q', 0, 10) })) void event;
    await writeFile(path, await learner.save());
    learner.dispose();
    await page.getByLabel('Import a learner').setInputFiles(path);
    await button('Replace it').click();
    await card('turned Q').waitFor({ timeout: 60_000 });
    assert.is(await page.locator('.own').count(), 6);
    assert.match(await card('turned Q').innerText(), /taught/);
  }));

test('what cannot be is said, and nothing is lost', () =>
  inFolder(async (folder) => {
    await anew();
    const [first, ...others] = await pngs(folder, 'b', turned('B', 0, 3));
    const text = join(folder, 'notes.txt');
    await writeFile(text, 'no picture');
    await show('bee', [first as string]);
    await page.getByLabel('Choose pictures').setInputFiles([text]);
    await alert('“notes.txt” is no picture');
    assert.is(await thumbs('bee').count(), 1);
    assert.match(await card('bee').innerText(), /2 more pictures/);
    // A photo of forty megapixels, wider than high.
    const photo = join(folder, 'photo.jpg');
    await sharp({ create: { width: 8000, height: 5000, channels: 3, background: '#567' } })
      .jpeg()
      .toFile(photo);
    await show('bee', [photo]);
    await page.getByLabel('Import a learner').setInputFiles(text);
    await button('Replace it').click();
    await alert(/notes\.txt.*(safetensors|file)/);
    const small = await ContinualLearner.create(engine, { width: 4, epochs: 1, memory: 4, crop: 1 });
    const pixels = { data: new Uint8Array(3 * 64).fill(9), shape: [3, 8, 8, 1] };
    for await (const event of small.learn({ a: pixels, b: pixels })) void event;
    const other = join(folder, 'other.safetensors');
    await writeFile(other, await small.save());
    small.dispose();
    await page.getByLabel('Import a learner').setInputFiles(other);
    await button('Replace it').click();
    await alert('its pictures are 8×8×1, where those of this page are 28×28×1');
    assert.is(await thumbs('bee').count(), 2);
    // A device that is lost in the middle of a task.
    await show('bee', others);
    await button('Teach it').click();
    await page.getByRole('status').filter({ hasText: 'loss' }).waitFor({ timeout: 120_000 });
    // Meanwhile a picture is dropped.
    const dropped = await page.evaluateHandle(
      (bytes) => {
        const given = new DataTransfer();
        given.items.add(new File([new Uint8Array(bytes)], 'more.png', { type: 'image/png' }));
        return given;
      },
      [...(await readFile(first as string))],
    );
    await page.locator('body').dispatchEvent('drop', { dataTransfer: dropped });
    await thumbs('bee').nth(4).waitFor();
    await endGpuProcess(page);
    await alert('lost');
    await button('Go on').click();
    await thumbs('bee').nth(4).waitFor({ timeout: 120_000 });
    assert.match(await card('bee').innerText(), /not taught yet/);
    await button('Teach it').click();
    await button('Stop, and leave them as they were').click();
    await button('Teach it').waitFor();
    assert.match(await card('bee').innerText(), /not taught yet/);
  }));

test('a folder is a class by its name, and one of folders several', () =>
  inFolder(async (folder) => {
    await anew();
    await page.getByLabel('Files', { exact: true }).check();
    for (const [name, glyph] of [
      ['bees', 'B'],
      ['fours', '4'],
    ] as const) {
      await mkdir(join(folder, 'all', name), { recursive: true });
      await pngs(join(folder, 'all', name), 'p', turned(glyph, 0, 3));
      await writeFile(join(folder, 'all', name, '.hidden'), 'no picture');
    }
    await page.getByLabel('Choose a folder').setInputFiles(join(folder, 'all', 'bees'));
    await thumbs('bees').nth(2).waitFor();
    assert.ok(await button('Teach it').isEnabled());
    await page.getByLabel('Choose a folder').setInputFiles(join(folder, 'all'));
    await thumbs('fours').nth(2).waitFor();
    await thumbs('bees').nth(5).waitFor();
    assert.is(await page.locator('.own').count(), 2);
    assert.is(await page.getByRole('alert').count(), 0);
  }));

test('one tab at a time has the learner', () =>
  inFolder(async (folder) => {
    await anew();
    await show('bee', await pngs(folder, 'b', turned('B', 0, 4)));
    const second = await page.context().newPage();
    try {
      await second.goto(`${site.url}teach.html`);
      await alert('Another tab has this learner', second);
      await button('Go on here', second).click();
      await ready(second);
      await thumbs('bee', second).nth(3).waitFor();
      await alert('Another tab has this learner');
      assert.ok(await page.locator('#desk').isHidden());
      await thumbs('bee', second).first().click();
      await thumbs('bee', second).nth(3).waitFor({ state: 'detached' });
      await button('Go on here').click();
      await ready();
      // It still shows what it had, for as long as it reads what the other one has kept.
      await thumbs('bee').nth(3).waitFor({ state: 'detached' });
      assert.is(await thumbs('bee').count(), 3);
    } finally {
      await second.close();
    }
  }));

test('no room, and no storage, are said', () =>
  inFolder(async (folder) => {
    await anew();
    await show('bee', await pngs(folder, 'b', turned('B', 0, 3)));
    const { origin } = new URL(site.url);
    const session = await page.context().newCDPSession(page);
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1000 });
    await thumbs('bee').first().click();
    await alert('there is no room left');
    await session.send('Storage.overrideQuotaForOrigin', { origin });
    await thumbs('bee').first().click();
    await page.getByText('Kept in this browser: reload').waitFor();
    await page.workers()[0]?.evaluate(() => {
      const refuse = () => Promise.reject(new DOMException('refused', 'SecurityError'));
      Object.defineProperty(navigator.storage, 'getDirectory', { value: refuse });
    });
    await thumbs('bee').first().click();
    await alert('this browser keeps nothing for it');
    await page.getByRole('alert').filter({ hasText: 'Export it before you leave' }).waitFor();
    // What is there, damaged.
    await page.evaluate(async () => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('engram', { create: true });
      const stream = await (await folder.getFileHandle('teach.safetensors', { create: true })).createWritable();
      await stream.write('damaged');
      await stream.close();
    });
    await page.reload();
    await alert('what is kept in this browser');
    await button('Start over without it').click();
    await ready();
    assert.is(await page.locator('.own').count(), 0);
  }));

/** The Chromium of the tests has no cameras: one that is refused, and then a canvas, stand in for what a visitor's has. */
const standIn = (): void => {
  let asked = 0;
  navigator.mediaDevices.getUserMedia = async () => {
    if (++asked === 1) throw new DOMException('Permission denied', 'NotAllowedError');
    const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 });
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    setInterval(() => {
      context.fillStyle = `hsl(${Date.now() % 360} 50% 50%)`;
      context.fillRect(0, 0, canvas.width, canvas.height);
    }, 50);
    return canvas.captureStream();
  };
};

test('a camera that is refused is said, and one that is allowed is asked about', async () => {
  await page.addInitScript(standIn);
  await visit();
  await page.getByLabel('Camera', { exact: true }).check();
  await alert('The camera was refused');
  await page.getByLabel('Draw', { exact: true }).check();
  await page.getByLabel('Camera', { exact: true }).check();
  await page.locator('.answers li').nth(9).waitFor({ timeout: 60_000 });
  await page.getByLabel('This is a').fill('hand');
  await button('Take ten').click();
  await thumbs('hand').nth(9).waitFor({ timeout: 60_000 });
  await page.getByLabel('Draw', { exact: true }).check();
  await page.locator('#video').waitFor({ state: 'hidden' });
});

test('without WebGPU it says which browsers have it', async () => {
  const other = await openSite({ webgpu: false });
  try {
    await other.page.goto(`${other.url}teach.html`);
    await alert('Firefox', other.page);
    assert.equal(other.errors, []);
    assert.equal(other.strays, []);
  } finally {
    await other.close();
  }
});

test.run();
