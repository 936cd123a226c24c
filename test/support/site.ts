/** The site as users have it: built, served from below some path, in a headless Chromium. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { preview } from 'vite';
import { launchBrowser } from './browser.ts';

/** A site may lie anywhere. */
const BASE = '/some/path/';

export interface OpenSite {
  /** Not yet on any of the site's pages. */
  readonly page: Page;
  /** Where the site lies, with a slash at its end. */
  readonly url: string;
  /** Addresses that were asked for so far. */
  readonly requests: string[];
  /** What the console and the page told of errors; what the site's policy refuses is among them. */
  readonly errors: string[];
  close(): Promise<void>;
}

/** @param name of a folder below `.build` that the site is built into: test files run side by side. */
export async function openSite(name = 'site-test'): Promise<OpenSite> {
  const folder = `.build/${name}`;
  await promisify(execFile)(process.execPath, ['src/web/site/main.mjs', 'build', folder]);
  const server = await preview({
    configFile: false,
    base: BASE,
    logLevel: 'warn',
    build: { outDir: folder },
    preview: { host: 'localhost', port: 0 },
  });
  const browser = await launchBrowser();
  const page = await browser.newPage();
  const [requests, errors]: [string[], string[]] = [[], []];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  return {
    page,
    url: server.resolvedUrls?.local[0] as string,
    requests,
    errors,
    async close() {
      await browser.close();
      await server.close();
    },
  };
}
