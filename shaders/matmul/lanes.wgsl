enable subgroups;
// import matmul/params.wgsl

// Matrix product for software adapters, whose subgroups are vectors of the CPU: c = a·b (+ bias), any strides.
//
// A load costs such an adapter as much per vector as ten multiplications, whatever its address, and workgroup memory
// is no cheaper. So a thread keeps 16 rows in registers; its subgroup loads LANES values of k of each row at once and
// hands them round, while the lanes themselves walk along LANES neighbouring columns.
//
// Injected: LANES (size of a subgroup), S, R (how a and b, and how c are stored: f32 or f16).

@group(0) @binding(0) var<storage, read> a: array<S>;
@group(0) @binding(1) var<storage, read> b: array<S>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<R>;
@group(0) @binding(4) var<uniform> params: Params;

fn left(base: u32, row: u32) -> f32 {
  return f32(a[base + min(row, params.m - 1u) * params.aRow]);
}

fn left4(base: u32, row: u32, inside: bool) -> vec4<f32> {
  let values = vec4<f32>(left(base, row), left(base, row + 1u), left(base, row + 2u), left(base, row + 3u));
  return select(vec4<f32>(), values, inside);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let columnGroups = (params.n + LANES - 1u) / LANES;
  let rowGroups = (params.m + 15u) / 16u;
  let at = group.y * groups.x + group.x;
  let layer = at / (columnGroups * rowGroups);
  if (layer >= params.batch * params.splits) {
    return;
  }
  let batch = layer % params.batch;
  let row = (at / columnGroups) % rowGroups * 16u;
  let column = at % columnGroups * LANES + lane;
  let first = layer / params.batch * params.chunk;
  let last = min(first + params.chunk, params.k);
  let leftBase = batch * params.aBatch;
  let rightBase = batch * params.bBatch + min(column, params.n - 1u) * params.bCol;

  var s0 = vec4<f32>();
  var s1 = vec4<f32>();
  var s2 = vec4<f32>();
  var s3 = vec4<f32>();
  for (var k = first; k < last; k += LANES) {
    let inside = k + lane < last;
    let base = leftBase + min(k + lane, params.k - 1u) * params.aCol;
    let x0 = left4(base, row, inside);
    let x1 = left4(base, row + 4u, inside);
    let x2 = left4(base, row + 8u, inside);
    let x3 = left4(base, row + 12u, inside);
    for (var j = 0u; j < LANES; j++) {
      // Behind the last term both are zero: one alone would make NaN of the other's ∞.
      let value = f32(b[rightBase + min(k + j, params.k - 1u) * params.bRow]);
      let y = vec4<f32>(select(0.0, value, k + j < last));
      s0 = fma(subgroupShuffle(x0, j), y, s0);
      s1 = fma(subgroupShuffle(x1, j), y, s1);
      s2 = fma(subgroupShuffle(x2, j), y, s2);
      s3 = fma(subgroupShuffle(x3, j), y, s3);
    }
  }
  if (column >= params.n) {
    return;
  }
  let shift = vec4<f32>(select(0.0, bias[column], params.hasBias != 0u));
  var results = array<vec4<f32>, 4>(s0 + shift, s1 + shift, s2 + shift, s3 + shift);
  let to = layer * params.m * params.n + column;
  // In a loop: sixteen stores written out take longer to compile.
  for (var i = 0u; i < 16u && row + i < params.m; i++) {
    c[to + (row + i) * params.n] = R(results[i / 4u][i % 4u]);
  }
}
