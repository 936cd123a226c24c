// import lib/subgroup-matrix-block.wgsl
// import matmul/params.wgsl

// Matrix product by matrix units: c = a·b (+ bias).
//
// Injected: R (how c is stored: f32 or f16).

@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<R>;
@group(0) @binding(4) var<uniform> params: Params;

struct Block {
  exists: bool,
  // The terms of the split.
  first: u32,
  last: u32,
  row: u32,
  column: u32,
  // The matrix in the batch, and in the batch of every split.
  batch: u32,
  layer: u32,
}

fn blockOf(at: u32) -> Block {
  let columnGroups = (params.n + COLUMNS - 1u) / COLUMNS;
  let rowGroups = (params.m + ROWS - 1u) / ROWS;
  let layer = at / (columnGroups * rowGroups);
  let first = layer / params.batch * params.chunk;
  return Block(
    layer < params.batch * params.splits,
    first,
    min(first + params.chunk, params.k),
    at / columnGroups % rowGroups * ROWS,
    at % columnGroups * COLUMNS,
    layer % params.batch,
    layer,
  );
}

fn prepare(block: Block, thread: u32) {}

fn left4(block: Block, rowInBlock: u32, term: u32) -> vec4<S> {
  let row = block.row + rowInBlock;
  let at = block.batch * params.aBatch + row * params.aRow + term * params.aCol;
  let rows = remaining(row, params.m);
  let terms = remaining(term, block.last);
  if (LEFT_TERMS) {
    return leftRun(at, params.aCol, select(0u, terms, rows > 0u));
  }
  return leftRun(at, params.aRow, select(0u, rows, terms > 0u));
}

fn right4(block: Block, term: u32, columnInBlock: u32) -> vec4<S> {
  let column = block.column + columnInBlock;
  let at = block.batch * params.bBatch + term * params.bRow + column * params.bCol;
  let terms = remaining(term, block.last);
  let columns = remaining(column, params.n);
  if (RIGHT_TERMS) {
    return rightRun(at, params.bRow, select(0u, terms, columns > 0u));
  }
  return rightRun(at, params.bCol, select(0u, columns, terms > 0u));
}

fn put(block: Block, rowInBlock: u32, columnInBlock: u32, sum: f32) {
  let row = block.row + rowInBlock;
  let column = block.column + columnInBlock;
  if (row >= params.m || column >= params.n) {
    return;
  }
  var value = sum;
  if (params.hasBias != 0u) {
    value += bias[column];
  }
  c[(block.layer * params.m + row) * params.n + column] = R(value);
}
