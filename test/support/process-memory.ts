/** What the process takes, in Node; `process-memory-browser.ts` stands in for it in a page. */

/** Bytes of memory that are the process's own now. */
export const residentBytes = (): number => process.memoryUsage.rss();

/** Bytes of JavaScript's objects, and of what they hold outside its heap. */
export function heldBytes(): number {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}
