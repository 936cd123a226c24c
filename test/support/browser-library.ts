/** What test pages import: the library with its further entries, in one file. */
export * from '../../src/entries/benchmark.ts';
export * from '../../src/entries/continual.ts';
export * from '../../src/entries/data.ts';
export * from '../../src/entries/methods.ts';
export * from '../../src/index.ts';
