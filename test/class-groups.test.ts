/** Classes that were no tasks in groups: by what their prototypes say, or by lists. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { classGroups, clusterClasses } from '../src/distill/class-groups.ts';

/** Unit vectors by degrees: cosines are those of their differences. */
const directions = (...degrees: number[]): number[] =>
  degrees.flatMap((angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)]);
const messageOf = (fn: () => unknown): string => {
  try {
    fn();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing was thrown';
};

test('classes whose prototypes point the same way are one group', () => {
  const prototypes = directions(0, 90, 5, 200, 95, 10, 205);
  assert.equal(clusterClasses(prototypes, 7, 3), [
    [0, 2, 5],
    [1, 4],
    [3, 6],
  ]);
});

test('lengths do not count, and classes without images resemble nothing', () => {
  const prototypes = directions(0, 90, 4, 94).map((value, i) => value * (i < 2 ? 50 : 1));
  assert.equal(clusterClasses(prototypes, 4, 2), [
    [0, 2],
    [1, 3],
  ]);
  assert.equal(clusterClasses([1, 0, 0, 0, 1, 0.1], 3, 2), [[0, 2], [1]]);
});

test('clusters join by the mean over their classes, not by their closest ones', () => {
  // 20 and 21 join first, then 61 and 79. From 42 it is 21° to the nearest of the one and 19° to that of the other, but 21.5° and
  // 28° on average.
  const prototypes = directions(20, 21, 42, 61, 79);
  assert.equal(clusterClasses(prototypes, 5, 2), [
    [0, 1, 2],
    [3, 4],
  ]);
});

test('no group is beyond twice its even share, however alike classes are', () => {
  const prototypes = directions(0, 1, 2, 3, 4, 5, 6, 7, 90, 180, 270);
  const sizes = clusterClasses(prototypes, 11, 4).map(({ length }) => length);
  assert.is(sizes.length, 4);
  assert.ok(Math.max(...sizes) <= 6, `sizes ${sizes}`);
  assert.equal(
    clusterClasses(prototypes, 11, 11).map(([label]) => label),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  assert.is(clusterClasses(prototypes, 11, 1).length, 1);
});

test('a partition is an order with sizes, and what is none says why', () => {
  assert.equal(classGroups([[4, 0], [2], [1, 3]], 5), { order: [4, 0, 2, 1, 3], sizes: [2, 1, 2] });
  assert.match(
    messageOf(() => classGroups([[0, 1], []], 2)),
    /group 2 has no classes/,
  );
  assert.match(
    messageOf(() => classGroups([[0, 1], [1]], 2)),
    /class 1 is in groups 1 and 2/,
  );
  assert.match(
    messageOf(() => classGroups([[0, 0], [1]], 2)),
    /group 1 has class 0 twice/,
  );
  assert.match(
    messageOf(() => classGroups([[0, 2]], 2)),
    /group 1 has class 2, but there are 0 to 1/,
  );
  assert.match(
    messageOf(() => classGroups([[0]], 3)),
    /class 1 is in no group, and 1 others/,
  );
  assert.match(
    messageOf(() => clusterClasses([1, 0, 0, 1], 2, 3)),
    /2 classes cannot be in 3 groups/,
  );
  assert.match(
    messageOf(() => clusterClasses([1, 0, 0], 2, 1)),
    /no prototypes of 2 classes/,
  );
});

test.run();
