import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
// The door as browsers have it; addresses are read through `fetch`, which Node has too.
import { files, readBundled } from '../src/data/files-browser.ts';
import { DataError } from '../src/errors.ts';

/** Has `data.bin`; answers like a single-page application below /app/, like a plain server elsewhere. */
const server = createServer(({ url = '' }, response) => {
  if (url.endsWith('/data.bin')) return response.setHeader('content-type', 'application/gzip').end('bytes');
  if (url.startsWith('/app/'))
    return response.setHeader('content-type', 'text/html; charset=utf-8').end('<!doctype html>');
  response.statusCode = 404;
  return response.end('nothing here');
});
await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
test.after(() => {
  server.closeAllConnections();
  server.close();
});

const told = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => assert.unreachable('nothing was thrown'),
    (reason: unknown) => reason,
  );
  assert.instance(error, DataError);
  return (error as DataError).message;
};

test('bundled data is read from where it is said to be', async () => {
  for (const place of [`${base}/elsewhere`, `${base}/elsewhere/`]) {
    assert.is(new TextDecoder().decode(await readBundled('data.bin', place)), 'bytes');
  }
});

test('bundled data that a server does not have is told by its address, the answer and `bundledBase`', async () => {
  const missing = await told(readBundled('glyphs/classes.json', `${base}/plain`));
  assert.ok(missing.startsWith(`${base}/plain/glyphs/classes.json: `), missing);
  assert.match(missing, /the server answered 404 Not Found\. `bundledBase` must be the address/);
  const page = await told(readBundled('glyphs/classes.json', `${base}/app/`));
  assert.ok(page.startsWith(`${base}/app/glyphs/classes.json: `), page);
  assert.match(page, /the server answered 200 OK with a web page instead of data\. `bundledBase`/);
});

test('without a base the advice is to import the set, or to say where it is served', async () => {
  assert.match(
    await told(readBundled('glyphs/classes.json')),
    /`import \{ glyphs \} from 'engram-data'`.*or say where its files are served: .*bundledBase/,
  );
});

test('a page that stands for every address is no file', async () => {
  assert.is(await files.exists(`${base}/app/train-images-idx3-ubyte`), false);
  assert.is(await files.exists(`${base}/plain/train-images-idx3-ubyte`), false);
  assert.is(await files.exists(`${base}/app/data.bin`), true);
  assert.match(await told(files.read(`${base}/app/x.bin`)), /with a web page instead of data\. Check the address/);
});

test.run();
