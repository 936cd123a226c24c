/** The cache folder: whole, and nobody else's. */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigError } from '../src/errors.ts';
import { cachedFolder, cacheFolder } from '../src/gpu/files/cache-node.ts';
import { tuningCache } from '../src/gpu/tuning/tuning-cache-node.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-cache-'));
const before = process.env.ENGRAM_CACHE;
test.before.each(() => {
  process.env.ENGRAM_CACHE = join(home, 'deep', 'cache');
});
test.after.each(() => rmSync(join(home, 'deep'), { recursive: true, force: true }));
test.after(() => {
  rmSync(home, { recursive: true, force: true });
  if (before === undefined) delete process.env.ENGRAM_CACHE;
  else process.env.ENGRAM_CACHE = before;
});

let fills = 0;
const things = () =>
  cachedFolder('things-1', async (folder) => {
    fills++;
    mkdirSync(join(folder, 'lib'));
    writeFileSync(join(folder, 'lib', 'a.so'), 'library', { mode: 0o666 });
    chmodSync(join(folder, 'lib', 'a.so'), 0o666);
    writeFileSync(join(folder, 'note'), '');
  });

/** Times that the folder is filled by asking for it. */
async function fillsOf(folder = things): Promise<number> {
  const had = fills;
  await folder();
  return fills - had;
}

const refused = async (expected: RegExp, ask: () => Promise<unknown> = things): Promise<void> => {
  const error = await ask().then(
    () => assert.unreachable('nothing was thrown'),
    (reason: unknown) => reason,
  );
  assert.instance(error, ConfigError);
  assert.match((error as Error).message, expected);
};

test('a folder is filled once, for its user alone', async () => {
  assert.is(await fillsOf(), 1);
  assert.is(await fillsOf(), 0);
  const folder = await things();
  assert.is(readFileSync(join(folder, 'lib', 'a.so'), 'utf8'), 'library');
  assert.equal(readdirSync(cacheFolder()), ['things-1'], 'nothing half made is left');
  if (process.platform === 'win32') return;
  for (const path of [join(home, 'deep'), cacheFolder(), folder]) assert.is(statSync(path).mode & 0o777, 0o700, path);
  assert.is(statSync(join(folder, 'lib', 'a.so')).mode & 0o022, 0);
});

test('what is missing, cut off or not there at all is made anew', async () => {
  const folder = await things();
  const spoil: (() => void)[] = [
    () => rmSync(join(folder, 'lib'), { recursive: true }),
    () => truncateSync(join(folder, 'lib', 'a.so'), 3),
    () => rmSync(join(folder, 'note')),
    () => rmSync(join(folder, 'manifest.json')),
    () => truncateSync(join(folder, 'manifest.json'), 5),
    () => {
      rmSync(folder, { recursive: true });
      mkdirSync(folder, { mode: 0o700 });
    },
    () => {
      rmSync(folder, { recursive: true });
      writeFileSync(folder, 'a file', { mode: 0o600 });
    },
  ];
  for (const damage of spoil) {
    damage();
    assert.is(await fillsOf(), 1, damage.toString());
    assert.is(await fillsOf(), 0, damage.toString());
    assert.is(readFileSync(join(folder, 'lib', 'a.so'), 'utf8'), 'library');
    assert.equal(readdirSync(cacheFolder()), ['things-1']);
  }
});

test('a fill that fails leaves nothing', async () => {
  const failing = () => cachedFolder('never', () => Promise.reject(new Error('no room')));
  assert.match(String(await failing().catch((error: unknown) => error)), /no room/);
  assert.equal(readdirSync(cacheFolder()), []);
});

const posix = process.platform === 'win32' ? test.skip : test;

posix('what others may write to is not used', async () => {
  const folder = await things();
  for (const path of [cacheFolder(), folder, join(folder, 'lib'), join(folder, 'lib', 'a.so')]) {
    const { mode } = statSync(path);
    for (const bit of [0o002, 0o020]) {
      chmodSync(path, mode | bit);
      await refused(/: other users may write here, .* not used\. Take that away \(chmod -R go-w '/);
    }
    chmodSync(path, mode);
  }
  assert.is(await fillsOf(), 0);
  chmodSync(cacheFolder(), 0o777);
  await refused(/other users may write here/, () => tuningCache.update('gpu', () => ({})));
  assert.not.ok(existsSync(join(cacheFolder(), 'tuned')));
});

posix('in a place like /tmp a folder of the user is the user alone’s', async () => {
  mkdirSync(cacheFolder(), { recursive: true });
  chmodSync(cacheFolder(), 0o1777);
  assert.is(await fillsOf(), 1);
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot('what belongs to somebody else is not used', async () => {
  const folder = await things();
  for (const path of [cacheFolder(), folder, join(folder, 'lib', 'a.so')]) {
    chownSync(path, 12345, 0);
    await refused(/: this belongs to user 12345, .* Delete it, or name a folder of your own in ENGRAM_CACHE/);
    chownSync(path, 0, 0);
  }
  rmSync(folder, { recursive: true });
  mkdirSync(join(home, 'deep', 'theirs'));
  chownSync(join(home, 'deep', 'theirs'), 12345, 0);
  symlinkSync(join(home, 'deep', 'theirs'), folder);
  await refused(/this belongs to user 12345/);
});

/** The cache folder of a process with this environment, started in `home`. */
async function folderWith(env: NodeJS.ProcessEnv): Promise<string> {
  const script = join(process.cwd(), '.build/test/support/print-cache-folder.js');
  const { stdout } = await promisify(execFile)(process.execPath, [script], { env, cwd: home });
  return stdout.trim();
}

const linux = process.platform === 'linux' ? test : test.skip;

linux('without a home in the environment it is the user’s, never a folder of the working directory', async () => {
  const own = join(userInfo().homedir, '.cache', 'engram');
  assert.is(await folderWith({ HOME: '' }), own);
  assert.is(await folderWith({ HOME: 'here' }), own);
  assert.is(await folderWith({ HOME: '/h', XDG_CACHE_HOME: 'here' }), own);
  assert.is(await folderWith({ HOME: '/h' }), '/h/.cache/engram');
  assert.is(await folderWith({ HOME: '', ENGRAM_CACHE: '/c' }), '/c');
});

test.run();
