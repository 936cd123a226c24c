// import matmul/params.wgsl

// Matrix product for GPUs, for operands in quads: c = a·b (+ bias). Each
// thread keeps 8 × 8 results, in four blocks of 4 × 4 half a workgroup's rows and columns apart, so that what neighbouring
// threads read of a tile lies side by side. Everything is loaded four values at a time: columns come in fours; so do
// terms, or rows where neighbours in a belong to neighbouring rows.
//
// Injected: THREADS_Y, THREADS_X (the workgroup; its block is eight times as large), DEPTH (of a tile, a multiple of 4),
// S, R (how a and b, and how c are stored: f32 or f16), A_ROWS (whether neighbours in a belong to neighbouring rows, not
// terms), B_TERMS (whether neighbours in b belong to neighbouring terms, not columns).

@group(0) @binding(0) var<storage, read> a: array<vec4<S>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<S>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<R>>;
@group(0) @binding(4) var<uniform> params: Params;

const THREADS: u32 = THREADS_X * THREADS_Y;
// Quads of rows and of columns in a workgroup's block.
const ROW_QUADS: u32 = 2u * THREADS_Y;
const COLUMN_QUADS: u32 = 2u * THREADS_X;

// By term, then by quad of rows or columns.
var<workgroup> tileA: array<vec4<f32>, DEPTH * ROW_QUADS>;
var<workgroup> tileB: array<vec4<f32>, DEPTH * COLUMN_QUADS>;

// Terms k … k + 3 of one row of a.
fn leftTerms(base: u32, row: u32, k: u32, last: u32) -> vec4<f32> {
  if (row >= params.m || k >= last) {
    return vec4<f32>();
  }
  return vec4<f32>(a[(base + row * params.aRow + k) / 4u]);
}

// Terms k … k + 3 of one column of b.
fn rightTerms(base: u32, column: u32, k: u32, last: u32) -> vec4<f32> {
  if (column >= params.n || k >= last) {
    return vec4<f32>();
  }
  return vec4<f32>(b[(base + column * params.bCol + k) / 4u]);
}

fn fillA(base: u32, row0: u32, k0: u32, last: u32, thread: u32) {
  if (A_ROWS) {
    for (var i = thread; i < ROW_QUADS * DEPTH; i += THREADS) {
      let row = row0 + i % ROW_QUADS * 4u;
      let k = k0 + i / ROW_QUADS;
      var values = vec4<f32>();
      if (row < params.m && k < last) {
        values = vec4<f32>(a[(base + row + k * params.aCol) / 4u]);
      }
      tileA[i] = values;
    }
    return;
  }
  // Four rows of four terms a thread; neighbouring threads read neighbouring terms.
  for (var i = thread; i < ROW_QUADS * (DEPTH / 4u); i += THREADS) {
    let quad = i / (DEPTH / 4u);
    let depth = i % (DEPTH / 4u) * 4u;
    let row = row0 + quad * 4u;
    let k = k0 + depth;
    let terms = transpose(mat4x4<f32>(
      leftTerms(base, row, k, last),
      leftTerms(base, row + 1u, k, last),
      leftTerms(base, row + 2u, k, last),
      leftTerms(base, row + 3u, k, last),
    ));
    tileA[depth * ROW_QUADS + quad] = terms[0];
    tileA[(depth + 1u) * ROW_QUADS + quad] = terms[1];
    tileA[(depth + 2u) * ROW_QUADS + quad] = terms[2];
    tileA[(depth + 3u) * ROW_QUADS + quad] = terms[3];
  }
}

fn fillB(base: u32, column0: u32, k0: u32, last: u32, thread: u32) {
  if (!B_TERMS) {
    for (var i = thread; i < COLUMN_QUADS * DEPTH; i += THREADS) {
      let column = column0 + i % COLUMN_QUADS * 4u;
      let k = k0 + i / COLUMN_QUADS;
      var values = vec4<f32>();
      if (column < params.n && k < last) {
        values = vec4<f32>(b[(base + column + k * params.bRow) / 4u]);
      }
      tileB[i] = values;
    }
    return;
  }
  for (var i = thread; i < COLUMN_QUADS * (DEPTH / 4u); i += THREADS) {
    let quad = i / (DEPTH / 4u);
    let depth = i % (DEPTH / 4u) * 4u;
    let column = column0 + quad * 4u;
    let k = k0 + depth;
    let terms = transpose(mat4x4<f32>(
      rightTerms(base, column, k, last),
      rightTerms(base, column + 1u, k, last),
      rightTerms(base, column + 2u, k, last),
      rightTerms(base, column + 3u, k, last),
    ));
    tileB[depth * COLUMN_QUADS + quad] = terms[0];
    tileB[(depth + 1u) * COLUMN_QUADS + quad] = terms[1];
    tileB[(depth + 2u) * COLUMN_QUADS + quad] = terms[2];
    tileB[(depth + 3u) * COLUMN_QUADS + quad] = terms[3];
  }
}

// Adds one term to 4 × 4 results; each column of the matrix is a row's quad.
fn outer(sum: mat4x4<f32>, left: vec4<f32>, right: vec4<f32>) -> mat4x4<f32> {
  return mat4x4<f32>(
    fma(vec4<f32>(left.x), right, sum[0]),
    fma(vec4<f32>(left.y), right, sum[1]),
    fma(vec4<f32>(left.z), right, sum[2]),
    fma(vec4<f32>(left.w), right, sum[3]),
  );
}

fn put4(layer: u32, row: u32, column: u32, values: mat4x4<f32>) {
  if (column >= params.n) {
    return;
  }
  var shift = vec4<f32>();
  if (params.hasBias != 0u) {
    shift = bias[column / 4u];
  }
  for (var i = 0u; i < 4u; i++) {
    if (row + i < params.m) {
      c[((layer * params.m + row + i) * params.n + column) / 4u] = vec4<R>(values[i] + shift);
    }
  }
}

@compute @workgroup_size(THREADS_X, THREADS_Y)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let columnGroups = (params.n + 4u * COLUMN_QUADS - 1u) / (4u * COLUMN_QUADS);
  let rowGroups = (params.m + 4u * ROW_QUADS - 1u) / (4u * ROW_QUADS);
  let at = group.y * groups.x + group.x;
  let layer = at / (columnGroups * rowGroups);
  if (layer >= params.batch * params.splits) {
    return;
  }
  let batch = layer % params.batch;
  let row0 = at / columnGroups % rowGroups * 4u * ROW_QUADS;
  let column0 = at % columnGroups * 4u * COLUMN_QUADS;
  let first = layer / params.batch * params.chunk;
  let last = min(first + params.chunk, params.k);

  var s00 = mat4x4<f32>();
  var s01 = mat4x4<f32>();
  var s10 = mat4x4<f32>();
  var s11 = mat4x4<f32>();
  for (var k0 = first; k0 < last; k0 += DEPTH) {
    fillA(batch * params.aBatch, row0, k0, last, thread);
    fillB(batch * params.bBatch, column0, k0, last, thread);
    workgroupBarrier();
    for (var depth = 0u; depth < DEPTH; depth++) {
      let left0 = tileA[depth * ROW_QUADS + local.y];
      let left1 = tileA[depth * ROW_QUADS + THREADS_Y + local.y];
      let right0 = tileB[depth * COLUMN_QUADS + local.x];
      let right1 = tileB[depth * COLUMN_QUADS + THREADS_X + local.x];
      s00 = outer(s00, left0, right0);
      s01 = outer(s01, left0, right1);
      s10 = outer(s10, left1, right0);
      s11 = outer(s11, left1, right1);
    }
    workgroupBarrier();
  }
  let row = row0 + 4u * local.y;
  let column = column0 + 4u * local.x;
  put4(layer, row, column, s00);
  put4(layer, row, column + 4u * THREADS_X, s01);
  put4(layer, row + 4u * THREADS_Y, column, s10);
  put4(layer, row + 4u * THREADS_Y, column + 4u * THREADS_X, s11);
}
