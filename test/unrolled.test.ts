/** Loops that are written out before a kernel is compiled. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { moduleText } from '../src/gpu/wgsl/kernel.ts';
import { unrolled } from '../src/gpu/wgsl/unrolled.ts';
import { errorOf } from './support/engine.ts';

const words = (text: string): string => text.replace(/\s+/g, ' ').trim();

test('a marked loop becomes a block for each turn, others stay', () => {
  const source = `
for (var i = 0u; i < N; i++) { // unrolled
  a[i] = b.i + i2 * i;
}
for (var k = 0u; k < N; k++) {
  c[k] = 0.0;
}
`;
  assert.is(
    words(unrolled(source, { N: 2 })),
    '{ a[0u] = b.i + i2 * 0u; } { a[1u] = b.i + i2 * 1u; } for (var k = 0u; k < N; k++) { c[k] = 0.0; }',
  );
});

test('loops begin at any bound, may hold others, and may have no turns', () => {
  const source = `
for (var i = LOW; i < 3u; i++) { // unrolled
  for (var j = 0u; j < N; j++) { // unrolled
    if (x) { a[i][j] = 1.0; }
  }
}
for (var i = N; i < LOW; i++) { // unrolled
  never();
}
`;
  const turn = (i: number, j: number) => `{ if (x) { a[${i}u][${j}u] = 1.0; } }`;
  assert.is(
    words(unrolled(source, { LOW: 1, N: 2 })),
    `{ ${turn(1, 0)} ${turn(1, 1)} } { ${turn(2, 0)} ${turn(2, 1)} }`,
  );
});

test('a bound that nobody knows is an error', () => {
  const source = 'for (var i = 0u; i < COUNT; i++) { // unrolled\n}\n';
  assert.match(errorOf(() => unrolled(source, { N: 1 })).message, /bound by COUNT/);
  assert.match(errorOf(() => moduleText(source, { COUNT: 'f32' })).message, /bound by COUNT/);
});

test.run();
