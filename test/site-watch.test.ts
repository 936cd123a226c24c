/** The first page of the site: three learners on one stream of tasks, as a visitor has them. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import type { Page, Worker } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { engram } from './support/command.ts';
import { inFolder } from './support/in-folder.ts';
import { endGpuProcess, openSite } from './support/site.ts';
import { siteUnderTest } from './support/site-under-test.ts';
import { HELD_UP_MS, traceTasks } from './support/trace-tasks.ts';

const TINY = {
  v: '1',
  learners: 'finetune rdkd',
  tasks: '3',
  baseClasses: '0',
  memory: '12',
  trainPerClass: '4',
  testPerClass: '4',
  baseEpochs: '2',
  epochs: '2',
  batch: '8',
  width: '4',
};
const site = await siteUnderTest();
const { page } = site;

const visit = (query: Readonly<Record<string, string>> = TINY) =>
  page.goto(`${site.url}index.html?${new URLSearchParams(query)}`);
const button = (name: string, of: Page = page) => of.getByRole('button', { name, exact: true });
const status = page.getByRole('status');
const until = (text: string, of: Page = page) =>
  of.getByRole('status').filter({ hasText: text }).waitFor({ timeout: 120_000 });
const cells = async (of: Page = page) => (await of.locator('table.heat td').allTextContents()).filter(Boolean);

test('an experiment is its address: a preset, a setting, and what is not understood', async () => {
  await visit({});
  await page.getByText('Every setting').click();
  await page.getByLabel('Pictures', { exact: true }).selectOption('glyphs');
  await page.getByLabel('Pictures', { exact: true }).selectOption('fashion-mini');
  await button('A hundred letters, ten at a time.').click();
  assert.is(await page.getByLabel('Pictures', { exact: true }).inputValue(), 'glyphs', 'what was chosen gives way');
  assert.is(new URL(page.url()).searchParams.get('data'), 'glyphs');
  const message = () =>
    page.getByLabel('Learning rate').evaluate((input) => (input as HTMLInputElement).validationMessage);
  await page.getByLabel('Learning rate').fill('70');
  await page.getByLabel('Learning rate').blur();
  assert.match(await message(), /^From .* to /);
  await button('A hundred letters, ten at a time.').click();
  assert.is(await message(), '', 'the value that the preset put there is right');
  await page.getByLabel('Learning rate').fill('0.05');
  await page.getByLabel('Learning rate').blur();
  const { searchParams } = new URL(page.url());
  assert.is(searchParams.get('lr'), '0.05');
  await page.goto(page.url());
  await page.getByText('Every setting').click();
  assert.is(await page.getByLabel('Learning rate').inputValue(), '0.05');
  assert.is(await page.getByLabel('Pictures', { exact: true }).inputValue(), 'glyphs');
  await visit({ ...TINY, v: '9', lr: '7', colour: 'red', learners: 'nobody' });
  const notices = await page.locator('.notice').allTextContents();
  assert.is(notices.length, 4);
  for (const part of ['another version (9)', '“7” does not fit lr', 'no setting “colour”', 'does not fit learners'])
    assert.ok(
      notices.some((notice) => notice.includes(part)),
      part,
    );
});

test('it learns in steps that can be paused and taken one by one, and shows what came of each task', async () => {
  await visit();
  await button('Start').click();
  await page.locator('.loss', { hasText: 'loss' }).first().waitFor({ timeout: 120_000 });
  await button('Pause').click();
  await until('Paused');
  const losses = () => page.locator('.loss').allTextContents();
  const before = await losses();
  await button('One step').click();
  await page.waitForFunction(
    (were) => [...document.querySelectorAll('.loss')].some(({ textContent }, at) => textContent !== were[at]),
    before,
  );
  await until('Paused');
  await button('Go on').click();
  await page.locator('.lights').waitFor({ timeout: 120_000 });
  await until('All tasks are learnt');
  assert.is((await cells()).length, 2 * 6, 'two matrices of three tasks');
  const memory = page.locator('article', { hasText: 'rdkd' }).getByRole('img', { name: 'kept' });
  assert.is(await memory.count(), 10, 'one of each class: twelve are not shared out evenly');
  assert.match(await page.locator('#pool').innerText(), /rdkd was held to 3 groups/);
  assert.is(await page.locator('.groups li').count(), 3);
  const lights = page.locator('.lights');
  assert.equal(await lights.locator('span').allTextContents(), ['1', '2', '1 2']);
  assert.is(await lights.locator('.lit').count(), 1, 'one is drawn in each step');
  await page.getByRole('slider').fill('2');
  await page.getByText('after task 2 of 3').waitFor();
  assert.is((await cells()).length, 2 * 3);
  assert.match(await page.locator('#pool').innerText(), /rdkd was held to one group/);
});

test('nothing takes the page’s own thread for long while it trains', async () => {
  // With nothing asked of the page meanwhile but whether it has finished; in the processor's time, of which other work on the machine
  // takes none.
  const other = await openSite();
  try {
    await other.page.goto(`${other.url}index.html?${new URLSearchParams(TINY)}`);
    const longestTask = await traceTasks(other.page);
    await button('Start', other.page).click();
    await until('All tasks are learnt', other.page);
    const longest = await longestTask();
    assert.ok(longest < HELD_UP_MS, `its longest task took ${longest} ms of the processor`);
  } finally {
    await other.close();
  }
});

test('its runs are those of the command line, there and back', () =>
  inFolder(async (folder) => {
    const [loading] = await Promise.all([page.waitForEvent('download'), button('Download the runs').click()]);
    const archive = join(folder, 'runs.zip');
    await loading.saveAs(archive);
    const files = unzipSync(await readFile(archive));
    const names = ['checkpoint.safetensors', 'config.json', 'metrics.jsonl', 'run.json'];
    const own = Object.keys(files).filter((name) => name.startsWith('rdkd/'));
    assert.equal(
      own.sort(),
      names.map((name) => `rdkd/${name}`),
    );
    const run = join(folder, 'run');
    const record = JSON.parse(strFromU8(files['rdkd/run.json'] as Uint8Array)) as { matrix: number[][] };
    assert.is(record.matrix.length, 3);
    await mkdir(run);
    for (const name of names) await writeFile(join(run, name), files[`rdkd/${name}`] as Uint8Array);
    const { code, out, errors } = await engram('train', '--resume', '--out', run);
    assert.is(code, 0, errors);
    assert.match(out, /average incremental/);
    assert.match(await readFile(join(run, 'report.html'), 'utf8'), /rdkd on fashion-mini/);
    const matrices = await cells();
    await visit();
    await page.getByLabel('Open runs').setInputFiles(archive);
    await until('All tasks are learnt');
    await page.getByRole('slider').fill('2');
    await page.getByText('after task 2 of 3').waitFor();
    assert.equal(await cells(), matrices, 'with what its models said when they were there');
    // Of a command line's run, whose former models are gone.
    const flags = '--tasks 2 --epochs 1 --train-per-class 2 --test-per-class 1 --width 4 --method kd --out';
    assert.is((await engram('train', ...flags.split(' '), join(folder, 'kd'))).code, 0);
    await page.getByLabel('Open runs').setInputFiles(join(folder, 'kd', 'checkpoint.safetensors'));
    const card = page.locator('article').filter({ has: page.getByRole('heading', { name: 'kd', exact: true }) });
    await card.locator('tbody tr').nth(1).waitFor();
    assert.is((await cells()).length, 3);
    assert.match(await page.locator('#learners').innerText(), /The models of that time are gone/);
    await page.getByLabel('Open runs').setInputFiles(join(run, 'config.json'));
    await page.getByRole('alert').filter({ hasText: 'there is no run in it' }).waitFor();
    assert.match((await status.textContent()) ?? '', /It stopped/);
  }));

test('a device that is lost takes no more than the task under way', async () => {
  await visit({ ...TINY, epochs: '4' });
  await button('Start').click();
  await page.locator('table.heat').nth(1).waitFor({ timeout: 120_000 });
  await endGpuProcess(page);
  await page.getByRole('alert').filter({ hasText: 'lost' }).waitFor({ timeout: 60_000 });
  // Nor does one in whose place there is none for a while.
  const worker = page.workers()[0] as Worker;
  await worker.evaluate(() => {
    Object.defineProperty(navigator.gpu, 'requestAdapter', { value: async () => null, configurable: true });
  });
  await button('Go on from there').click();
  await page.getByRole('alert').filter({ hasText: 'gave no adapter' }).waitFor({ timeout: 60_000 });
  await worker.evaluate(() => Reflect.deleteProperty(navigator.gpu, 'requestAdapter'));
  await button('Go on from there').click();
  await until('All tasks are learnt');
  assert.is((await cells()).length, 2 * 6);
});

test('without WebGPU it says which browsers have it, and shows a recorded run', async () => {
  const other = await openSite({ webgpu: false });
  try {
    await other.page.goto(`${other.url}index.html`);
    await button('Start', other.page).click();
    await other.page.getByRole('alert').filter({ hasText: 'Firefox' }).waitFor();
    await other.page.getByText('Recorded on').waitFor();
    await other.page.locator('table.heat').first().waitFor({ timeout: 60_000 });
    assert.equal(other.errors, []);
    assert.equal(other.strays, []);
  } finally {
    await other.close();
  }
});

test.run();
