// import optim/squares.wgsl
// import optim/slots.wgsl

// Clipping of many gradients, in place: squares for their joint norm, scaling by a coefficient, limiting of each value.
// The slots are gradients here.
//
// Injected: T (what the gradients are stored as), SPAN (values a workgroup).

@group(0) @binding(0) var<storage, read_write> partials: array<vec4<f32>>; // one a workgroup, of all launches
@group(0) @binding(0) var<storage, read> coefficient: array<f32>;
@group(0) @binding(1) var<storage, read_write> slot_gradient: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> totals: array<vec4<f32>, 64>;

fn store_partial(group: vec3<u32>, lane: u32, total: vec4<f32>) {
  totals[lane] = total;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      totals[lane] = add_squares(totals[lane], totals[lane + half]);
    }
  }
  let at = group.y * params.row + group.x;
  if (lane == 0u && at < params.groups) {
    partials[params.before + at] = totals[0];
  }
}

fn scaled(gradient: f32) -> f32 {
  return gradient * coefficient[0];
}

// Into [-value, value]; NaN stays.
fn limited(gradient: f32) -> f32 {
  if ((bitcast<u32>(gradient) & 0x7fffffffu) > 0x7f800000u) {
    return gradient;
  }
  return clamp(gradient, -params.value, params.value);
}

// Another slot's workgroup has no value here, and passes `before` on.
fn slot_squares(group: vec3<u32>, lane: u32, before: vec4<f32>) -> vec4<f32> {
  var total = before;
  let first = place_in(group, lane, slot_index, SPAN);
  let end = end_in(first - lane, slot_index, SPAN);
  for (var i = first; i < end; i += 64u) {
    total = add_square(total, f32(slot_gradient[i]));
  }
  return total;
}

fn slot_scale(group: vec3<u32>, lane: u32) {
  let first = place_in(group, lane, slot_index, SPAN);
  let end = end_in(first - lane, slot_index, SPAN);
  for (var i = first; i < end; i += 64u) {
    slot_gradient[i] = T(scaled(f32(slot_gradient[i])));
  }
}

fn slot_limit(group: vec3<u32>, lane: u32) {
  let first = place_in(group, lane, slot_index, SPAN);
  let end = end_in(first - lane, slot_index, SPAN);
  for (var i = first; i < end; i += 64u) {
    slot_gradient[i] = T(limited(f32(slot_gradient[i])));
  }
}

@compute @workgroup_size(64)
fn norm(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var total = vec4(0.0);
  total = slot_squares(group, lane, total);
  store_partial(group, lane, total);
}

@compute @workgroup_size(64)
fn scale(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (coefficient[0] == 1.0) {
    return;
  }
  slot_scale(group, lane);
}

@compute @workgroup_size(64)
fn limit(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  slot_limit(group, lane);
}
