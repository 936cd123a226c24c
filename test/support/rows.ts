/** Float64 mathematics on rows, for references. */

/** A row-major array as rows. */
export const rowsOf = (values: ArrayLike<number>, columns: number): number[][] =>
  Array.from({ length: values.length / columns }, (_, row) =>
    Array.from({ length: columns }, (_, column) => values[row * columns + column] as number),
  );

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
export const mean = (values: readonly number[]): number => sum(values) / values.length;
export const dot = (a: readonly number[], b: readonly number[]): number => sum(a.map((value, i) => value * b[i]!));
export const cosine = (a: readonly number[], b: readonly number[]): number =>
  dot(a, b) / (Math.hypot(...a) * Math.hypot(...b));

export function logSumExp(row: readonly number[]): number {
  const most = Math.max(...row);
  return most + Math.log(sum(row.map((value) => Math.exp(value - most))));
}

export const logSoftmax = (row: readonly number[]): number[] => row.map((value) => value - logSumExp(row));
export const softmax = (row: readonly number[]): number[] => logSoftmax(row).map(Math.exp);

/** Mean cross entropy over the rows. */
export const crossEntropy = (rows: readonly number[][], targets: readonly number[]): number =>
  mean(rows.map((row, i) => -logSoftmax(row)[targets[i]!]!));

/** Σ_c p_c (log p_c − log q_c) of the softmaxes of two rows. */
export const divergence = (teacher: readonly number[], student: readonly number[]): number => {
  const [p, q] = [logSoftmax(teacher), logSoftmax(student)];
  return sum(p.map((value, c) => Math.exp(value) * (value - q[c]!)));
};
