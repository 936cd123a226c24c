// What every variant of the matrix product is told: c[batch, m, n] = a·b (+ bias). Strides are in elements.

struct Params {
  m: u32,
  n: u32,
  k: u32,
  aRow: u32,
  aCol: u32,
  aBatch: u32,
  bRow: u32,
  bCol: u32,
  bBatch: u32,
  batch: u32,
  // Values of k a split adds up; there are as many outputs of size batch·m·n as splits.
  chunk: u32,
  splits: u32,
  hasBias: u32,
}
