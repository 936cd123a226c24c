/** How long a page's own thread is taken at a time. */
import type { Browser, Page } from 'playwright-core';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Of the processor, µs: what other processes take meanwhile does not count. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/**
 * Milliseconds of the processor at which a test says that a page is held up. Pages are meant to keep below 50 (the W3C's Long Tasks), and do
 * by far: 13 to 18 on one machine of two cores. A slower one that was busy took 59, and a test is not to fail for its machine.
 */
export const HELD_UP_MS = 150;

/** Watches the tasks of a page from now on. @returns what ends it, and gives the longest one in milliseconds of the processor. */
export async function traceTasks(page: Page): Promise<() => Promise<number>> {
  const browser = page.context().browser() as Browser;
  await browser.startTracing(page, { categories: ['devtools.timeline', 'disabled-by-default-devtools.timeline'] });
  return async () => {
    const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
    const places = trace.traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`);
    const tasks = trace.traceEvents.filter(
      ({ name, ph, pid, tid }) => name === 'RunTask' && ph === 'X' && places.includes(`${pid} ${tid}`),
    );
    if (tasks.length === 0) throw new Error('the trace has no task of a page');
    return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000;
  };
}
