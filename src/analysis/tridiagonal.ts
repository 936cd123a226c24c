/** Eigenvalues of symmetric tridiagonal matrices, as Lanczos's iteration makes them. */

/** How many eigenvalues are above x: the signs of the pivots of T − x (Sylvester's law of inertia). */
function above(x: number, diagonal: readonly number[], beside: readonly number[]): number {
  let count = 0;
  let pivot = 1;
  diagonal.forEach((d, i) => {
    const square = i > 0 ? (beside[i - 1] as number) ** 2 : 0;
    // A pivot of nothing is taken for the least above it: the count is then that of a matrix next to this one.
    pivot = d - x - square / pivot || Number.MIN_VALUE;
    if (pivot > 0) count++;
  });
  return count;
}

/**
 * The largest eigenvalues, the largest one first, by bisection between Gershgorin's bounds to the last digit.
 * @param diagonal n numbers, at least one.
 * @param beside the n − 1 numbers next to it.
 * @param count how many; as many as there are at most.
 */
export function largestEigenvalues(diagonal: readonly number[], beside: readonly number[], count: number): number[] {
  const radius = (i: number) => Math.abs(beside[i - 1] ?? 0) + Math.abs(beside[i] ?? 0);
  const least = Math.min(...diagonal.map((d, i) => d - radius(i)));
  const most = Math.max(...diagonal.map((d, i) => d + radius(i)));
  return Array.from({ length: Math.min(count, diagonal.length) }, (_, place) => {
    let [low, high] = [least, most];
    for (let middle = (low + high) / 2; low < middle && middle < high; middle = (low + high) / 2) {
      if (above(middle, diagonal, beside) > place) low = middle;
      else high = middle;
    }
    return high;
  });
}
