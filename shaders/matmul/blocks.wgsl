// import matmul/params.wgsl

// Matrix product for software adapters without wide subgroups: c = a·b (+ bias), any strides. Loads cost several
// multiplications there and workgroup memory does not help, so every thread computes 8 × 4 results on its own.

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

// Where four neighbouring rows or columns begin; those beyond the end repeat the last one.
fn starts(first: u32, count: u32, stride: u32) -> vec4<u32> {
  return min(first + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(count - 1u)) * stride;
}

fn put4(base: u32, row: u32, column: u32, values: vec4<f32>) {
  if (row < params.m) {
    for (var i = 0u; i < min(4u, params.n - column); i++) {
      var value = values[i];
      if (params.hasBias != 0u) {
        value += bias[column + i];
      }
      c[base + row * params.n + column + i] = value;
    }
  }
}

@compute @workgroup_size(4)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let columnBlocks = (params.n + 3u) / 4u;
  let rowBlocks = (params.m + 7u) / 8u;
  let at = (group.y * groups.x + group.x) * 4u + thread;
  let layer = at / (columnBlocks * rowBlocks);
  if (layer >= params.batch * params.splits) {
    return;
  }
  let batch = layer % params.batch;
  let row = at / columnBlocks % rowBlocks * 8u;
  let column = at % columnBlocks * 4u;
  let first = layer / params.batch * params.chunk;
  let last = min(first + params.chunk, params.k);
  let rows0 = starts(row, params.m, params.aRow);
  let rows1 = starts(row + 4u, params.m, params.aRow);
  let columns = starts(column, params.n, params.bCol);

  var s0 = vec4<f32>();
  var s1 = vec4<f32>();
  var s2 = vec4<f32>();
  var s3 = vec4<f32>();
  var s4 = vec4<f32>();
  var s5 = vec4<f32>();
  var s6 = vec4<f32>();
  var s7 = vec4<f32>();
  var left = batch * params.aBatch + first * params.aCol;
  var right = batch * params.bBatch + first * params.bRow;
  for (var k = first; k < last; k++) {
    let y = vec4<f32>(b[right + columns.x], b[right + columns.y], b[right + columns.z], b[right + columns.w]);
    s0 += a[left + rows0.x] * y;
    s1 += a[left + rows0.y] * y;
    s2 += a[left + rows0.z] * y;
    s3 += a[left + rows0.w] * y;
    s4 += a[left + rows1.x] * y;
    s5 += a[left + rows1.y] * y;
    s6 += a[left + rows1.z] * y;
    s7 += a[left + rows1.w] * y;
    left += params.aCol;
    right += params.bRow;
  }
  let base = layer * params.m * params.n;
  put4(base, row, column, s0);
  put4(base, row + 1u, column, s1);
  put4(base, row + 2u, column, s2);
  put4(base, row + 3u, column, s3);
  put4(base, row + 4u, column, s4);
  put4(base, row + 5u, column, s5);
  put4(base, row + 6u, column, s6);
  put4(base, row + 7u, column, s7);
}
