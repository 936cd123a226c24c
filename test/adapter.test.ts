import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { requestAdapter } from '../src/gpu/adapter/adapter-browser.ts';
import { borrowDevice } from '../src/gpu/adapter/open-device.ts';
import { given } from './support/given.ts';

/** Vulkan drivers are found once a process, so every question is asked in a process of its own. */
async function ask(env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['.build/test/support/ask-adapter.js'], {
    env: { ...process.env, ...env },
  });
  return stdout.trim();
}

const NO_DRIVERS = { VK_DRIVER_FILES: '/nonexistent.json', VK_ICD_FILENAMES: '/nonexistent.json' };
const withSwiftShader = given(
  process.platform === 'linux' && process.arch === 'x64',
  'a SwiftShader for this platform',
);

withSwiftShader('without any Vulkan driver, SwiftShader from npm steps in', async () => {
  assert.match(await ask({ ...NO_DRIVERS, ENGRAM_ADAPTER: 'auto' }), /^software: swiftshader \(/);
  assert.match(await ask({ ...NO_DRIVERS, ENGRAM_ADAPTER: 'software' }), /^software: swiftshader \(/);
});

withSwiftShader('SwiftShader runs where it is asked for, whatever is installed', async () => {
  assert.match(await ask({ ENGRAM_ADAPTER: 'swiftshader' }), /^software: swiftshader \(/);
});

withSwiftShader('processes that start at once unpack one SwiftShader, and leave nothing half made', async () => {
  const cache = await mkdtemp(join(tmpdir(), 'engram-cache-'));
  try {
    const env = { ENGRAM_ADAPTER: 'swiftshader', ENGRAM_CACHE: cache };
    const answers = await Promise.all([ask(env), ask(env), ask(env)]);
    for (const answer of answers) assert.match(answer, /^software: swiftshader \(/);
    const made = await readdir(cache);
    assert.is(made.length, 1);
    assert.match(made[0]!, /^swiftshader-[\d.]+$/);
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
});

withSwiftShader('a cache that cannot be written is an error that names the reason', async () => {
  const answer = await ask({ ENGRAM_ADAPTER: 'swiftshader', ENGRAM_CACHE: '/dev/null/cache' });
  assert.match(answer, /^AdapterError: adapter: no WebGPU adapter was found for 'swiftshader': ENOTDIR/);
});

given(process.platform === 'linux', 'Linux')('no GPU where one is demanded: what to install', async () => {
  const answer = await ask({ ...NO_DRIVERS, ENGRAM_ADAPTER: 'hardware' });
  assert.match(answer, /^AdapterError: adapter: .*'hardware'.*Install the GPU's Vulkan driver/);
});

test('an adapter that does not exist is refused by name', async () => {
  assert.match(
    await ask({ ENGRAM_ADAPTER: 'gpu' }),
    /^ConfigError: ENGRAM_ADAPTER: unknown adapter 'gpu'\. Choose one of auto, /,
  );
});

/** What the browser's part makes of an adapter, told as above. */
async function inBrowser(adapter: object): Promise<string> {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  const gpu = { requestAdapter: async () => adapter };
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  try {
    const { kind, description } = await requestAdapter();
    return `${kind}: ${description}`;
  } finally {
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else Reflect.deleteProperty(globalThis, 'navigator');
  }
}

test('browsers that say little of an adapter, or nothing, have one all the same', async () => {
  assert.is(await inBrowser({}), 'hardware: unnamed adapter (hardware)');
  assert.is(await inBrowser({ isFallbackAdapter: true }), 'software: unnamed adapter (software)');
  const info = { vendor: 'apple', architecture: 'metal-3' };
  assert.is(await inBrowser({ info }), 'hardware: apple metal-3 (hardware)');
  assert.is(await inBrowser({ info, isFallbackAdapter: true }), 'software: apple metal-3 (software)');
  const told = { ...info, isFallbackAdapter: false };
  assert.is(await inBrowser({ info: told, isFallbackAdapter: true }), 'hardware: apple metal-3 (hardware)');
  const device = { queue: {}, features: new Set() } as unknown as GPUDevice;
  const { kind, description } = borrowDevice(device, {});
  assert.is(`${kind}: ${description}`, 'hardware: unnamed adapter (hardware)');
});

test.run();
