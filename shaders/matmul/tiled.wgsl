// import matmul/params.wgsl

// Matrix product for GPUs: c = a·b (+ bias), any strides. A workgroup shares tiles of a and b in workgroup memory, each of
// its threads keeps a block of 4 × 4 results in registers.
//
// Injected: THREADS_Y, THREADS_X (the workgroup; its block is four times as large), DEPTH (of a tile), S, R (how a
// and b, and how c are stored: f32 or f16).

@group(0) @binding(0) var<storage, read> a: array<S>;
@group(0) @binding(1) var<storage, read> b: array<S>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<R>;
@group(0) @binding(4) var<uniform> params: Params;

const ROWS: u32 = 4u * THREADS_Y;
const COLUMNS: u32 = 4u * THREADS_X;
const THREADS: u32 = THREADS_X * THREADS_Y;

var<workgroup> tileA: array<vec4<f32>, DEPTH * THREADS_Y>;
var<workgroup> tileB: array<vec4<f32>, DEPTH * THREADS_X>;

// Tiles are written four values at a time: a store to one component of a vector may touch the others.

// Term k of four rows of a, from `row` on.
fn left4(base: u32, row: u32, k: u32, last: u32) -> vec4<f32> {
  var values = vec4<f32>();
  for (var i = 0u; i < 4u; i++) {
    if (row + i < params.m && k < last) {
      values[i] = f32(a[base + (row + i) * params.aRow + k * params.aCol]);
    }
  }
  return values;
}

// Term k of four columns of b, from `column` on.
fn right4(base: u32, column: u32, k: u32, last: u32) -> vec4<f32> {
  var values = vec4<f32>();
  for (var i = 0u; i < 4u; i++) {
    if (column + i < params.n && k < last) {
      values[i] = f32(b[base + k * params.bRow + (column + i) * params.bCol]);
    }
  }
  return values;
}

fn put4(base: u32, row: u32, column: u32, values: vec4<f32>) {
  if (row >= params.m) {
    return;
  }
  for (var i = 0u; i < 4u; i++) {
    if (column + i < params.n) {
      var value = values[i];
      if (params.hasBias != 0u) {
        value += bias[column + i];
      }
      c[base + row * params.n + column + i] = R(value);
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
  let columnGroups = (params.n + COLUMNS - 1u) / COLUMNS;
  let rowGroups = (params.m + ROWS - 1u) / ROWS;
  let at = group.y * groups.x + group.x;
  let layer = at / (columnGroups * rowGroups);
  if (layer >= params.batch * params.splits) {
    return;
  }
  let batch = layer % params.batch;
  let row0 = at / columnGroups % rowGroups * ROWS;
  let column0 = at % columnGroups * COLUMNS;
  let first = layer / params.batch * params.chunk;
  let last = min(first + params.chunk, params.k);

  // Neighbouring threads read along the axis in which the operand lies contiguously.
  let aByRow = params.aCol == 1u;
  let bByRow = params.bCol == 1u;

  var s0 = vec4<f32>();
  var s1 = vec4<f32>();
  var s2 = vec4<f32>();
  var s3 = vec4<f32>();
  for (var k0 = first; k0 < last; k0 += DEPTH) {
    for (var i = thread; i < THREADS_Y * DEPTH; i += THREADS) {
      let quad = select(i % THREADS_Y, i / DEPTH, aByRow);
      let depth = select(i / THREADS_Y, i % DEPTH, aByRow);
      tileA[depth * THREADS_Y + quad] = left4(batch * params.aBatch, row0 + 4u * quad, k0 + depth, last);
    }
    for (var i = thread; i < THREADS_X * DEPTH; i += THREADS) {
      let quad = select(i / DEPTH, i % THREADS_X, bByRow);
      let depth = select(i % DEPTH, i / THREADS_X, bByRow);
      tileB[depth * THREADS_X + quad] = right4(batch * params.bBatch, column0 + 4u * quad, k0 + depth, last);
    }
    workgroupBarrier();
    for (var depth = 0u; depth < DEPTH; depth++) {
      let left = tileA[depth * THREADS_Y + local.y];
      let right = tileB[depth * THREADS_X + local.x];
      s0 = fma(vec4<f32>(left.x), right, s0);
      s1 = fma(vec4<f32>(left.y), right, s1);
      s2 = fma(vec4<f32>(left.z), right, s2);
      s3 = fma(vec4<f32>(left.w), right, s3);
    }
    workgroupBarrier();
  }
  let base = layer * params.m * params.n;
  let row = row0 + local.y * 4u;
  let column = column0 + local.x * 4u;
  put4(base, row, column, s0);
  put4(base, row + 1u, column, s1);
  put4(base, row + 2u, column, s2);
  put4(base, row + 3u, column, s3);
}
