/**
 * Makes what the site's first page shows where there is no WebGPU: the page's usual experiment, learnt in headless Chromium
 * and taken from the runs that it gives to download. `npm run web:record`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { unzipSync } from 'fflate';
import { openSite } from './site.ts';

const RECORDED = 'src/web/watch/recorded.safetensors.gz';
/** Fewer test pictures than usual: they are most of the file. */
const QUERY = '?v=1&testPerClass=20';

const { page, url, close } = await openSite();
await page.goto(`${url}index.html${QUERY}`);
await page.getByRole('button', { name: 'Start', exact: true }).click();
await page.getByRole('status').filter({ hasText: 'All tasks are learnt' }).waitFor({ timeout: 1_800_000 });
const [download] = await Promise.all([
  page.waitForEvent('download'),
  page.getByRole('button', { name: 'Download the runs' }).click(),
]);
const files = unzipSync(await readFile(await download.path()));
const recording = gzipSync(files['recording.safetensors'] as Uint8Array, { level: 9 });
await writeFile(RECORDED, recording);
console.log(`${RECORDED}: ${recording.length} bytes`);
await close();
process.exit(0);
