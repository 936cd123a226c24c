/** The same in a page: JavaScript's heap, to the byte in a browser that was started with `--enable-precise-memory-info`. */

const heapBytes = (): number =>
  (performance as Performance & { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize;

export { heapBytes as heldBytes, heapBytes as residentBytes };
