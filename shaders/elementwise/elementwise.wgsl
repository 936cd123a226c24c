// The walk over the output. One thread takes a few elements, 64 apart: launching a workgroup costs more than an element.
// `Params`, the bindings and `compute`, the value of an element, are written by src/ops/elementwise/elementwise-source.ts for
// each expression of the operation table.

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
