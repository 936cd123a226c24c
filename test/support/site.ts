/** The built site in headless Chromium, as a static server has it under some path; `build:test` builds it. */
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { preview } from 'vite';
import { openPage, type PageOptions } from './browser.ts';

const BASE = '/some/path/';

export interface Site {
  readonly page: Page;
  /** Of the site, with a slash at its end. */
  readonly url: string;
  /** Everything that was asked of other servers. */
  readonly strays: readonly string[];
  /** What the page logged as an error, what its policy refused among it. */
  readonly errors: readonly string[];
  close(): Promise<void>;
}

/** Opens a browser; no page of the site yet. */
export async function openSite(options: PageOptions = {}): Promise<Site> {
  const server = await preview({
    configFile: false,
    base: BASE,
    build: { outDir: '.build/test-site' },
    preview: { port: 0, host: '127.0.0.1' },
    logLevel: 'error',
  });
  const { port } = server.httpServer.address() as AddressInfo;
  const origin = `http://localhost:${port}`;
  const { page, close } = await openPage('http://localhost', '.build/browser', options);
  const [strays, errors]: [string[], string[]] = [[], []];
  page.on('request', (request) => {
    const own = [`${origin}/`, `blob:${origin}/`, 'data:'];
    if (!own.some((start) => request.url().startsWith(start))) strays.push(request.url());
  });
  page.on('pageerror', (error) => errors.push(`${error}`));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  return {
    page,
    url: `${origin}${BASE}`,
    strays,
    errors,
    async close() {
      await close();
      await server.close();
    },
  };
}

/** Ends what drives the GPU, as a driver that crashes does: devices are lost. */
export async function endGpuProcess(page: Page): Promise<void> {
  const session = await (page.context().browser() as Browser).newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  process.kill(processInfo.find(({ type }) => type === 'GPU')!.id, 'SIGKILL');
}
