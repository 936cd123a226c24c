/** Where the tensors of a recorded step lie: never two in one place at one time, and hardly more bytes than live at once. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mostAlive, planMemory, type Span } from '../src/gpu/recording/memory-plan.ts';

/** Every pair is a conflict for both. */
function mutual(count: number, pairs: readonly (readonly [number, number])[]): number[][] {
  const conflicts = Array.from({ length: count }, (): number[] => []);
  for (const [a, b] of pairs) {
    if (a === b) continue;
    conflicts[a]?.push(b);
    conflicts[b]?.push(a);
  }
  return conflicts;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

const spans = fc.array(
  fc
    .tuple(fc.integer({ min: 4, max: 5000 }), fc.nat(40), fc.nat(20))
    .map(([bytes, first, more]): Span => ({ bytes, first, last: first + more })),
  { minLength: 1, maxLength: 40 },
);

test('tensors that live at one time do not overlap, and those in conflict lie in different buffers', () => {
  const problem = spans.chain((all) => {
    const index = fc.nat(all.length - 1);
    return fc.record({ all: fc.constant(all), pairs: fc.array(fc.tuple(index, index), { maxLength: 60 }) });
  });
  fc.assert(
    fc.property(problem, fc.constantFrom(6000, 20000, 2 ** 31), ({ all, pairs }, maxBytes) => {
      const { arenas, places } = planMemory(all, mutual(all.length, pairs), { alignment: 256, maxBytes });
      for (const [i, a] of all.entries()) {
        const at = places[i]!;
        assert.is(at.offset % 256, 0);
        assert.ok(at.offset + a.bytes <= arenas[at.arena]!);
        for (const [j, b] of all.entries()) {
          const other = places[j]!;
          if (j === i || other.arena !== at.arena) continue;
          const apart = a.last < b.first || b.last < a.first;
          const beside = at.offset + a.bytes <= other.offset || other.offset + b.bytes <= at.offset;
          assert.ok(apart || beside, `${i} and ${j} overlap`);
        }
      }
      for (const [a, b] of pairs) if (a !== b) assert.is.not(places[a]!.arena, places[b]!.arena);
      for (const bytes of arenas) assert.ok(bytes <= maxBytes);
    }),
  );
});

test('a chain of layers with its backward pass takes little more than lives at once', () => {
  const layers = 60;
  const all: Span[] = [];
  const pairs: [number, number][] = [];
  const bytesOf = (layer: number) => 2 ** (20 - Math.floor(layer / 20)) + 400 * layer;
  // Activations live until their layer goes back, gradients for two commands.
  for (let i = 0; i < layers; i++) {
    all.push({ bytes: bytesOf(i), first: i, last: 2 * layers - i });
    if (i > 0) pairs.push([i, i - 1]);
  }
  for (let i = 0; i < layers; i++) {
    const layer = layers - 1 - i;
    const at = all.push({ bytes: bytesOf(layer), first: layers + i, last: layers + i + 1 }) - 1;
    pairs.push([at, layer], i > 0 ? [at, at - 1] : [at, layer]);
  }
  const { arenas } = planMemory(all, mutual(all.length, pairs), { alignment: 256, maxBytes: 2 ** 31 });
  const most = mostAlive(all);
  assert.ok(sum(arenas) < 1.05 * most, `${sum(arenas)} bytes for ${most}`);
  assert.ok(arenas.length <= 4, `${arenas.length} buffers`);
});

test('what is larger than a buffer may be has one of its own', () => {
  const all: Span[] = [
    { bytes: 5000, first: 0, last: 1 },
    { bytes: 100, first: 2, last: 3 },
  ];
  const { arenas, places } = planMemory(all, mutual(2, []), { alignment: 256, maxBytes: 1024 });
  assert.equal(places, [
    { arena: 0, offset: 0 },
    { arena: 0, offset: 0 },
  ]);
  assert.equal(arenas, [5120]);
});

test('nothing to place takes nothing', () => {
  assert.equal(planMemory([], [], { alignment: 256, maxBytes: 1024 }), { arenas: [], places: [] });
  assert.is(mostAlive([]), 0);
});

test.run();
