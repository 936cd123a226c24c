// One thread a few elements, 64 apart: launching a workgroup costs more than an element. The operand declarations, `load_*` calls and `apply` come from the operation table
// (src/ops/elementwise-table.ts); this file holds what they share: the walk over the output and broadcasting.
//
// Injected: FLAT (every tensor operand has the output's shape), RANK (of the collapsed broadcast shape).

struct Params {
  size: u32,
  // Workgroups along x in the grid, so that more than 65535 workgroups can be launched as a plane.
  row: u32,
  scalars: vec4<f32>,
  dims: array<vec4<u32>, 2>,
  strides: array<vec4<u32>, 10>, // two vectors an operand
}

// The element of operand `which` that broadcasts to output element `i`.
fn broadcast_index(i: u32, which: u32) -> u32 {
  if (FLAT) {
    return i;
  }
  var rest = i;
  var index = 0u;
  for (var axis = RANK; axis > 0u; axis--) {
    let at = axis - 1u;
    let n = params.dims[at / 4u][at % 4u];
    index += (rest % n) * params.strides[which * 2u + at / 4u][at % 4u];
    rest /= n;
  }
  return index;
}

const EACH = 8u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var i = (group.y * params.row + group.x) * 64u * EACH + lane;
  for (var k = 0u; k < EACH; k++) {
    if (i < params.size) {
      output[i] = compute(i);
    }
    i += 64u;
  }
}
