import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import { einsum } from '../src/index.ts';
import { sizeOf } from '../src/tensor/shape.ts';
import { engine, errorOf, needs, uniform } from './support/engine.ts';
import { HALF_EPSILON, halves } from './support/half.ts';

/** The definition: a loop over every letter, in float64. The equation names all axes and the result. */
function reference(
  equation: string,
  shapes: readonly (readonly number[])[],
  values: readonly Float64Array[],
): number[] {
  const [left = '', right = ''] = equation.split('->');
  const terms = left.split(',');
  const sizes = new Map(
    terms.flatMap((term, i) => [...term].map((letter, axis) => [letter, shapes[i]![axis]!] as const)),
  );
  const letters = [...new Set(left.replace(/,/g, ''))];
  const placeIn = (term: string, at: ReadonlyMap<string, number>) =>
    [...term].reduce((place, letter) => place * sizes.get(letter)! + at.get(letter)!, 0);
  const out = new Array<number>([...right].reduce((n, letter) => n * sizes.get(letter)!, 1)).fill(0);
  const walk = (depth: number, at: Map<string, number>): void => {
    const letter = letters[depth];
    if (letter === undefined) {
      out[placeIn(right, at)]! += terms.reduce((product, term, i) => product * values[i]![placeIn(term, at)]!, 1);
      return;
    }
    for (let i = 0; i < sizes.get(letter)!; i++) walk(depth + 1, at.set(letter, i));
  };
  walk(0, new Map());
  return out;
}

const cases: [given: string, shapes: number[][], spelt?: string][] = [
  [
    'ij,jk->ik',
    [
      [2, 3],
      [3, 4],
    ],
  ],
  [
    'bij,bjk->bik',
    [
      [2, 3, 4],
      [2, 4, 2],
    ],
  ],
  [
    'bhqd,bhkd->bhqk',
    [
      [2, 2, 3, 4],
      [2, 2, 5, 4],
    ],
  ],
  ['i,j->ij', [[3], [2]]],
  ['i,i->', [[4], [4]]],
  ['ij->ji', [[2, 3]]],
  ['ijk->j', [[2, 3, 2]]],
  ['ii->i', [[3, 3]]],
  ['ii', [[3, 3]], 'ii->'],
  ['ijji->j', [[2, 3, 3, 2]]],
  [
    'iji,jk->ki',
    [
      [2, 3, 2],
      [3, 2],
    ],
  ],
  [
    'ij,jk',
    [
      [2, 3],
      [3, 4],
    ],
    'ij,jk->ik',
  ],
  ['ba', [[2, 3]], 'ba->ab'],
  [
    'ij,kj,lk->il',
    [
      [2, 3],
      [4, 3],
      [2, 4],
    ],
  ],
  [
    'ij,ij,ij->ij',
    [
      [2, 3],
      [2, 3],
      [2, 3],
    ],
  ],
  [
    'ia,ib,ic->abc',
    [
      [2, 2],
      [2, 3],
      [2, 2],
    ],
  ],
  [
    '...ij,...jk->...ik',
    [
      [2, 2, 3],
      [2, 3, 2],
    ],
    'aij,ajk->aik',
  ],
  ['b...,b->...', [[2, 3, 2], [2]], 'bxy,b->xy'],
  [' i j , j -> i ', [[2, 3], [3]], 'ij,j->i'],
];

for (const [given, shapes, spelt = given] of cases) {
  test(`einsum '${given}'`, async () => {
    const inputs = shapes.map((shape, i) =>
      engine.tensor(
        uniform(
          shape.reduce((a, b) => a * b, 1),
          i,
        ),
        shape,
      ),
    );
    await gradcheck(
      (...t) => einsum(given, ...t),
      (...values) => reference(spelt, shapes, values),
      inputs,
    );
  });
}

needs('shader-f16')('f16 operands that are summed before the product', async () => {
  const cases: [string, number[], number[]][] = [
    ['ij,k->ik', [2, 3], [2]],
    ['i,jk->ij', [2], [3, 4]],
    ['ijk,jl->l', [2, 3, 2], [3, 4]],
  ];
  for (const [equation, ...shapes] of cases) {
    const inputs = shapes.map((shape, i) => halves(uniform(sizeOf(shape), i), shape));
    assert.is(einsum(equation, ...inputs).dtype, 'f16');
    await gradcheck(
      (...t) => einsum(equation, ...t),
      (...values) => reference(equation, shapes, values),
      inputs,
      { tolerance: 4 * HALF_EPSILON },
    );
  }
});

test('equations that cannot be meant are refused in words', () => {
  const [a, b] = [engine.zeros([2, 3]), engine.zeros([3, 4])];
  const told = (equation: string, ...operands: (typeof a)[]) => errorOf(() => einsum(equation, ...operands)).message;
  assert.match(told('ij,jk->ik', a), /einsum: 'ij,jk->ik': 2 operands are named, 1 were given/);
  assert.match(told('ijk->i', a), /'ijk' names 3 axes; its operand has the shape \[2, 3\]/);
  assert.match(told('ij,jk->im', a, b), /'m' of the result must be there once, and in an operand/);
  assert.match(told('ij->ii', a), /'i' of the result/);
  assert.match(told('i1->i', a), /'i1' is not a list of letters/);
  assert.match(told('ij->j->i', a), /'->' is there more than once/);
  assert.match(told('ij,ik->jk', a, b), /axes of 'i' have the lengths 2 and 3; shapes \[2, 3\], \[3, 4\]/);
  assert.match(told(''), /needs at least one tensor/);
});

test.run();
