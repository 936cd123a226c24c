// Reductions of [outer, n, inner] over n, in `splits` chunks: the result is [outer, splits, inner]. Few outputs over a
// long axis take two passes (splits > 1, then the splits themselves), so that the order of additions never varies.
//
// Injected: T (element type), R (of the result: f32 for sums of f16, T elsewhere), OP (0 sum, 1 max, 2 min).

struct Params {
  outer: u32,
  n: u32,
  inner: u32,
  splits: u32,
  chunk: u32,
}

@group(0) @binding(0) var<storage, read> input: array<T>;
@group(0) @binding(1) var<storage, read_write> output: array<R>;
@group(0) @binding(2) var<storage, read_write> indices: array<i32>;
@group(0) @binding(3) var<uniform> params: Params;

fn combine(a: R, b: R) -> R {
  if (OP == 0u) { return a + b; }
  if (OP == 1u) { return max(a, b); }
  return min(a, b);
}

// One thread an output: neighbouring threads read neighbouring columns.
@compute @workgroup_size(64)
fn columns(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let at = id.y * groups.x * 64u + id.x;
  if (at >= params.outer * params.splits * params.inner) {
    return;
  }
  let column = at % params.inner;
  let split = (at / params.inner) % params.splits;
  let row = at / (params.inner * params.splits);
  let first = split * params.chunk;
  let last = min(params.n, first + params.chunk);
  var offset = (row * params.n + first) * params.inner + column;
  var total = R(input[offset]);
  for (var i = first + 1u; i < last; i++) {
    offset += params.inner;
    total = combine(total, R(input[offset]));
  }
  output[at] = total;
}

var<workgroup> partial: array<R, 64>;

// One workgroup an output, for inner = 1: its threads stride through the chunk together.
@compute @workgroup_size(64)
fn rows(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = group.y * groups.x + group.x;
  if (at >= params.outer * params.splits) {
    return;
  }
  let first = (at % params.splits) * params.chunk;
  let last = min(params.n, first + params.chunk);
  let base = (at / params.splits) * params.n;
  let width = min(64u, last - first);
  if (lane < width) {
    var total = R(input[base + first + lane]);
    for (var i = first + lane + 64u; i < last; i += 64u) {
      total = combine(total, R(input[base + i]));
    }
    partial[lane] = total;
  }
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lane < half && lane + half < width) {
      partial[lane] = combine(partial[lane], partial[lane + half]);
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    output[at] = partial[0];
  }
}

// The index of the largest (OP 1) or smallest (OP 2) element; the first one among equals.
@compute @workgroup_size(64)
fn arg(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let at = id.y * groups.x * 64u + id.x;
  if (at >= params.outer * params.inner) {
    return;
  }
  let base = (at / params.inner) * params.n * params.inner + at % params.inner;
  var best = input[base];
  var index = 0u;
  for (var i = 1u; i < params.n; i++) {
    let value = input[base + i * params.inner];
    if (select((value < best), (value > best), OP == 1u)) {
      best = value;
      index = i;
    }
  }
  indices[at] = i32(index);
}
