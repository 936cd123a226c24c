// Gather and scatter-add along the middle axis of [outer, n, inner]. The index is either one list for every row (SHARED:
// [m]) or has an entry for every element ([outer, m, inner]).
//
// Scatter-add is deterministic without atomics: one thread owns a whole line along the axis and adds in order. Where lines are
// few, `scatter_add_shared` has several threads a line: each goes through the whole index, and owns every so many-th target.
//
// Injected: T (element type), R (of the output: f32 where f16 is added up, T elsewhere), SHARED, FROM_END (whether negative
// entries count from the end), AHEAD (elements that are read before they are added up, where lines are shared).

struct Params {
  outer: u32,
  n: u32,
  m: u32,
  inner: u32,
  owners: u32, // threads a line, a power of two
}

@group(0) @binding(0) var<storage, read> input: array<T>;
@group(0) @binding(1) var<storage, read> index: array<i32>;
@group(0) @binding(2) var<storage, read_write> output: array<R>;
@group(0) @binding(3) var<uniform> params: Params;

// Entries out of range read as 0 and are dropped by scatter.
fn entry(row: u32, i: u32, column: u32) -> u32 {
  let at = select((row * params.m + i) * params.inner + column, i, SHARED);
  let value = index[at];
  return u32(select(value, value + i32(params.n), FROM_END && value < 0));
}

@compute @workgroup_size(64)
fn take(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let at = id.y * groups.x * 64u + id.x;
  if (at >= params.outer * params.m * params.inner) {
    return;
  }
  let column = at % params.inner;
  let i = (at / params.inner) % params.m;
  let row = at / (params.inner * params.m);
  let source_row = entry(row, i, column);
  var value = T(0);
  if (source_row < params.n) {
    value = input[(row * params.n + source_row) * params.inner + column];
  }
  output[at] = R(value);
}

@compute @workgroup_size(64)
fn scatter_add(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let line = id.y * groups.x * 64u + id.x;
  if (line >= params.outer * params.inner) {
    return;
  }
  let column = line % params.inner;
  let row = line / params.inner;
  for (var i = 0u; i < params.m; i++) {
    let target_row = entry(row, i, column);
    if (target_row < params.n) {
      let at = (row * params.n + target_row) * params.inner + column;
      output[at] += R(input[(row * params.m + i) * params.inner + column]);
    }
  }
}

// No target: a line has fewer.
const NONE = 0xffffffffu;

@compute @workgroup_size(64)
fn scatter_add_shared(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let thread = id.y * groups.x * 64u + id.x;
  let column = thread % params.inner;
  let own = (thread / params.inner) & (params.owners - 1u);
  let row = thread / params.inner / params.owners;
  if (row >= params.outer) {
    return;
  }
  let line = row * params.n * params.inner + column;
  // The target that was found last, and its sum so far: few targets, or a frequent one, are seldom written.
  var held = NONE;
  var sum = R(0);
  for (var first = 0u; first < params.m; first += AHEAD) {
    var targets: array<u32, AHEAD>;
    var values: array<R, AHEAD>;
    for (var k = 0u; k < AHEAD; k++) { // unrolled
      targets[k] = NONE;
      if (first + k < params.m) {
        let target_row = entry(row, first + k, column);
        if (target_row < params.n && (target_row & (params.owners - 1u)) == own) {
          targets[k] = target_row;
          values[k] = R(input[(row * params.m + first + k) * params.inner + column]);
        }
      }
    }
    for (var k = 0u; k < AHEAD; k++) { // unrolled
      if (targets[k] != NONE) {
        if (targets[k] != held) {
          if (held != NONE) {
            output[line + held * params.inner] = sum;
          }
          held = targets[k];
          sum = output[line + held * params.inner];
        }
        sum += values[k];
      }
    }
  }
  if (held != NONE) {
    output[line + held * params.inner] = sum;
  }
}
