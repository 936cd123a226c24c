/** The page Your GPU, built and served below some path, in headless Chromium. */
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readSafetensors, writeSafetensors } from '../src/nn/safetensors.ts';
import { endGpuProcess, openSite } from './support/site.ts';
import { siteUnderTest } from './support/site-under-test.ts';

/** On a busy machine SwiftShader is slow. */
const PATIENCE = { timeout: 120_000 };

const site = await siteUnderTest();

const sectionOf = (page: Page, title: string): Locator => page.getByRole('region', { name: title });
const stateOf = (page: Page, part: string, state: string): Promise<void> =>
  page.locator(`#${part} .state[data-state="${state}"]`).waitFor(PATIENCE);

/** The bytes of what a button lets one download. */
async function downloaded(page: Page, button: string): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: button }).click(),
  ]);
  return readFile(await download.path(), 'utf8');
}

interface File {
  engine: string;
  userAgent: string;
  adapter: { description: string; kind: string; limits: Record<string, number> };
  states: Record<string, string>;
  failure: { code: string; at: string } | null;
  ceilings: Record<string, number | string>[];
  benchmarks: Record<string, number | string>[];
  variants: { name: string; rule: string; tuned: string; variants: { variant: string; ms: number }[] }[];
  conformance: {
    name: string;
    way: string;
    passed: boolean;
    kernels: string[];
    off: { tensor: string; furthest: { index: number[]; got: number; expected: number }[] }[];
  }[];
}

test('a selection is measured and checked, and can be taken along', async () => {
  const { page, url } = site;
  const references: string[] = [];
  page.on('request', (request) => references.push(...(request.url().match(/[^/]+\.safetensors$/) ?? [])));
  await page.goto(`${url}gpu.html?only=matmul/256+conv2d_3`);
  await page.getByText('swiftshader (software)').waitFor(PATIENCE);
  assert.equal(references, [], 'reference files wait for the button');
  await page.getByRole('button', { name: 'Run everything' }).click();
  await page.getByText('All is done.').waitFor(PATIENCE);

  const row = sectionOf(page, 'Kernels and training steps').getByRole('row', { name: /^256 / });
  assert.match(await row.innerText(), /GFLOP\/s\s+\d+(\.\d+)? %/);
  assert.match(await sectionOf(page, 'Variants of the kernels').innerText(), /tiled rule|blocks rule/);
  assert.match(await sectionOf(page, 'Are the answers right?').innerText(), /^1 case, \d+ ways .*: all passed\.$/m);
  assert.equal(
    references.map((name) => name.replace(/-[^-]*$/, '')),
    ['conv2d_3'],
  );

  const file = JSON.parse(await downloaded(page, 'Everything, as JSON')) as File;
  assert.is(file.adapter.kind, 'software');
  assert.ok((file.adapter.limits.maxBufferSize as number) >= 2 ** 28);
  assert.is(file.failure, null);
  assert.equal([...new Set(Object.values(file.states))], ['done']);
  assert.equal(
    file.benchmarks.map(({ name }) => name),
    ['matmul/256'],
  );
  const [{ ms, gflops }] = file.benchmarks as [{ ms: number; gflops: number }];
  assert.ok(Math.abs((gflops * 1e6 * ms) / (2 * 256 ** 3) - 1) < 1e-2);
  assert.equal(
    file.ceilings.map(({ name }) => name),
    ['ceiling/copy', 'ceiling/fma'],
  );
  const [{ gbs }, { gflops: most }] = file.ceilings as [{ gbs: number }, { gflops: number }];
  assert.ok(gbs > 0 && most > gflops, `${gflops} of ${most} GFLOP/s`);

  const [piece, ...others] = file.variants;
  assert.equal(others, []);
  const names = piece!.variants.map(({ variant }) => variant);
  for (const name of [piece!.rule, piece!.tuned, 'tiled', 'wide-8x8']) assert.ok(names.includes(name), name);
  for (const { variant, ms } of piece!.variants) assert.ok(ms > 0, variant);

  const ways = file.conformance.map(({ name, way }) => `${name} by ${way}`);
  for (const way of ['rules', 'blocks', 'tiled', 'rules for hardware'])
    assert.ok(ways.includes(`conv2d_3 by ${way}`), way);
  const tiled = file.conformance.find(({ way }) => way === 'tiled');
  assert.ok(tiled!.kernels.includes('conv2d_tiled'), `${tiled!.kernels}`);

  const lines = (await downloaded(page, 'Benchmarks, as lines for bench/results')).trimEnd().split('\n');
  assert.equal(
    lines.map((line) => JSON.parse(line)),
    [...file.ceilings, ...file.benchmarks],
  );
});

test('an answer that is off is told first, value by value', async () => {
  const { page, url } = site;
  // The reference, changed on its way to the page: the fault could as well be the kernel's.
  const { tensors, metadata } = readSafetensors(await readFile('test/golden/conv2d_3.safetensors'));
  const dx = tensors.get('dx')!;
  const wrong = (dx.data as Float32Array).slice();
  const [, , , width] = dx.shape as [number, number, number, number];
  wrong[width + 2]! += 100;
  const body = Buffer.from(writeSafetensors(new Map(tensors).set('dx', { ...dx, data: wrong }), metadata));
  await page.route('**/conv2d_3-*.safetensors', (route) => route.fulfill({ body }));
  await page.goto(`${url}gpu.html?only=conv2d_3+metrics`);
  await page.getByText('swiftshader (software)').waitFor(PATIENCE);
  await page.getByRole('button', { name: 'Check' }).click();
  await stateOf(page, 'conformance', 'done');
  await page.unroute('**/conv2d_3-*.safetensors');

  const file = JSON.parse(await downloaded(page, 'Everything, as JSON')) as File;
  const byRules = file.conformance.filter(({ way }) => way === 'rules');
  assert.equal(
    byRules.map(({ name, passed, off }) => [name, passed, off.map(({ tensor }) => tensor)]),
    [
      ['conv2d_3', false, ['dx']],
      ['metrics', true, []],
    ],
  );
  const { index, got, expected } = byRules[0]!.off[0]!.furthest[0]!;
  assert.equal(index, [0, 0, 1, 2]);
  assert.is(expected, wrong[width + 2]);
  assert.ok(Math.abs(got - (dx.data[width + 2] as number)) < 1e-4, `${got}`);

  const section = sectionOf(page, 'Are the answers right?');
  const ways = file.conformance.filter(({ name }) => name === 'conv2d_3').length;
  // The other one launches no kernel with variants: it is checked by the two sets of rules alone.
  const summary = `^2 cases, ${ways} ways to run the kernels, ${ways + 2} checks: ${ways} failed\\.$`;
  assert.match(await section.innerText(), new RegExp(summary, 'm'));
  const told = await section.getByRole('article').first().innerText();
  assert.match(told, /^conv2d_3, by rules\n/);
  assert.match(told, /\[0, 0, 1, 2\]\s/);
  assert.match(told, /Kernels launched: .*conv2d_/);
  const [first] = await section.locator('.cases tbody th').allInnerTexts();
  assert.is(first, 'conv2d_3');
});

test('what is stopped keeps what it found, and can be run again', async () => {
  const { page, url } = site;
  await page.goto(`${url}gpu.html?only=herding+metrics+matmul/256`);
  await page.getByText('swiftshader (software)').waitFor(PATIENCE);
  await page.locator('#ceilings button').click();
  await stateOf(page, 'ceilings', 'done');
  await page.locator('#variants button').click();
  await page.getByText('1 of 1: matmul/256').waitFor(PATIENCE);
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('Stopped. What was found until then is kept below.').waitFor();
  await stateOf(page, 'variants', 'stopped');
  assert.match(await page.locator('#ceilings').innerText(), /Memory\s+\d.* GB\/s/);
  await page.locator('#conformance button').click();
  await stateOf(page, 'conformance', 'done');
  assert.match(await sectionOf(page, 'Are the answers right?').innerText(), /^2 cases, 2 ways .*: all passed\.$/m);
});

test('when the device is lost, the page says at what, keeps what it found, and goes on with another', async () => {
  const { page, url } = site;
  await page.goto(`${url}gpu.html?only=metrics+matmul/256`);
  await page.getByText('swiftshader (software)').waitFor(PATIENCE);
  await page.locator('#benchmarks button').click();
  await stateOf(page, 'benchmarks', 'done');
  await page.locator('#variants button').click();
  await page.getByText('1 of 1: matmul/256').waitFor(PATIENCE);
  await endGpuProcess(page);
  const alert = page.getByRole('alert');
  await alert.waitFor(PATIENCE);
  assert.match(
    await alert.innerText(),
    /^The GPU device was lost .*It came at matmul\/256\. What was found .* is kept/,
  );
  await stateOf(page, 'variants', 'failed');
  const { failure, benchmarks } = JSON.parse(await downloaded(page, 'Everything, as JSON')) as File;
  assert.equal([failure?.code, failure?.at], ['device-lost', 'matmul/256']);
  assert.is(benchmarks.length, 1);
  await page.locator('#conformance button').click();
  await stateOf(page, 'conformance', 'done');
});

test('a page without WebGPU says so', async () => {
  const { page, url, errors, close } = await openSite({ webgpu: false });
  try {
    await page.goto(`${url}gpu.html`);
    const alert = page.getByRole('alert');
    await alert.waitFor(PATIENCE);
    assert.match(await alert.innerText(), /^Adapter: .*(no navigator\.gpu|gave no adapter)/);
    await stateOf(page, 'adapter', 'failed');
    assert.equal(errors, []);
  } finally {
    await close();
  }
});

test.run();
