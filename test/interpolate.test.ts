import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import { type InterpolateOptions, interpolate, supportsF16 } from '../src/index.ts';
import { engine, errorOf, near, uniform } from './support/engine.ts';
import { HALF_EPSILON, halves, rounded } from './support/half.ts';

/** PyTorch's rules in float64, but for the positions of the nearest, which are f32 there too. */
function reference(
  values: ArrayLike<number>,
  [n, h, w, c]: readonly [number, number, number, number],
  [tall, wide]: readonly [number, number],
  { mode, alignCorners, scaleFactor }: InterpolateOptions,
): number[] {
  const sourceOf = (o: number, size: number, wanted: number): [number, number, number] => {
    const scale = typeof scaleFactor === 'number' ? 1 / scaleFactor : size / wanted;
    if (mode === 'nearest') {
      const at = Math.min(size - 1, Math.floor(Math.fround(o * Math.fround(scale))));
      return [at, at, 0];
    }
    const at = alignCorners ? (wanted > 1 ? (o * (size - 1)) / (wanted - 1) : 0) : Math.max(0, (o + 0.5) * scale - 0.5);
    const first = Math.min(size - 1, Math.floor(at));
    return [first, Math.min(size - 1, first + 1), at - first];
  };
  const out: number[] = [];
  for (let image = 0; image < n; image++)
    for (let y = 0; y < tall; y++)
      for (let x = 0; x < wide; x++)
        for (let k = 0; k < c; k++) {
          const [y0, y1, dy] = sourceOf(y, h, tall);
          const [x0, x1, dx] = sourceOf(x, w, wide);
          const at = (row: number, column: number) => values[((image * h + row) * w + column) * c + k]!;
          const upper = at(y0, x0) * (1 - dx) + at(y0, x1) * dx;
          out.push(upper * (1 - dy) + (at(y1, x0) * (1 - dx) + at(y1, x1) * dx) * dy);
        }
  return out;
}

const shape = [2, 3, 5, 2] as const;
const values = uniform(60, 1);

const cases: [InterpolateOptions, [number, number]][] = [
  [{ size: [6, 10] }, [6, 10]],
  [{ size: [2, 3] }, [2, 3]],
  [{ size: 7 }, [7, 7]],
  [{ scaleFactor: 1.7 }, [5, 8]],
  [{ scaleFactor: 0.5 }, [1, 2]],
  [{ size: [3, 5] }, [3, 5]],
];

for (const mode of ['nearest', 'bilinear'] as const) {
  for (const alignCorners of mode === 'bilinear' ? [false, true] : [false]) {
    for (const [given, size] of cases) {
      const options = { ...given, mode, alignCorners };
      test(`interpolate ${JSON.stringify(options)}`, async () => {
        const y = (t: Parameters<typeof interpolate>[0]) => interpolate(t, options);
        assert.equal(y(engine.tensor(values, shape)).shape, [2, ...size, 2]);
        // Shares of neighbours are f32 differences of positions.
        await gradcheck(y, (t) => reference(t!, shape, size, options), [engine.tensor(values, shape)]);
        if (supportsF16(engine)) {
          await near(y(halves(values, shape)), reference(rounded(values), shape, size, options), 2 * HALF_EPSILON);
        }
      });
    }
  }
}

test('a row or a column alone, and large steps down', async () => {
  for (const [from, to] of [
    [
      [1, 1, 9, 1],
      [4, 2],
    ],
    [
      [1, 9, 1, 1],
      [1, 1],
    ],
    [
      [1, 31, 29, 1],
      [3, 2],
    ],
  ] as const) {
    const x = engine.tensor(
      uniform(
        from.reduce<number>((a, b) => a * b, 1),
        2,
      ),
      from,
    );
    for (const options of [
      { mode: 'nearest' },
      { mode: 'bilinear' },
      { mode: 'bilinear', alignCorners: true },
    ] as const) {
      await gradcheck(
        (t) => interpolate(t, { size: to, ...options }),
        (t) => reference(t!, from, to, options),
        [x],
      );
    }
  }
});

test('what cannot be meant is refused', () => {
  const x = engine.zeros([1, 2, 2, 1]);
  const told = (options: InterpolateOptions, of = x) => errorOf(() => interpolate(of, options)).message;
  assert.match(told({}), /takes one of size and scaleFactor/);
  assert.match(told({ size: 2, scaleFactor: 2 }), /takes one of size and scaleFactor/);
  assert.match(told({ size: 0 }), /size is 0; a whole number of at least 1/);
  assert.match(told({ scaleFactor: 0.1 }), /the size by scaleFactor is \[0,0\]/);
  assert.match(told({ size: 2, alignCorners: true }), /mode is nearest with alignCorners/);
  assert.match(told({ size: 2, mode: 'bicubic' as 'nearest' }), /mode is bicubic; nearest or bilinear/);
  assert.match(told({ size: 2 }, engine.zeros([2, 2])), /takes images \[n, h, w, c\], not \[2, 2\]/);
});

test.run();
