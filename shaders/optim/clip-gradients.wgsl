// import optim/squares.wgsl
// import optim/slots.wgsl

// Clipping of many gradients, in place: squares for their joint norm, scaling by a coefficient, limiting of each value.
// The slots are gradients here. The entries `…1` and `…7` have that many.
//
// Injected: T (what the gradients are stored as), SPAN (values a workgroup).

@group(0) @binding(0) var<storage, read_write> partials: array<vec4<f32>>; // one a workgroup, of all launches
@group(0) @binding(0) var<storage, read> coefficient: array<f32>;
@group(0) @binding(1) var<storage, read_write> gradient0: array<T>;
@group(0) @binding(2) var<storage, read_write> gradient1: array<T>;
@group(0) @binding(3) var<storage, read_write> gradient2: array<T>;
@group(0) @binding(4) var<storage, read_write> gradient3: array<T>;
@group(0) @binding(5) var<storage, read_write> gradient4: array<T>;
@group(0) @binding(6) var<storage, read_write> gradient5: array<T>;
@group(0) @binding(7) var<storage, read_write> gradient6: array<T>;
@group(0) @binding(8) var<uniform> params: Params;

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

fn norm_slot0(group: vec3<u32>, lane: u32, before: vec4<f32>) -> vec4<f32> {
  var total = before;
  let first = place_in(group, lane, 0u, SPAN);
  let end = end_in(first - lane, 0u, SPAN);
  for (var i = first; i < end; i += 64u) {
    total = add_square(total, f32(gradient0[i]));
  }
  return total;
}

fn norm_slot1(group: vec3<u32>, lane: u32, before: vec4<f32>) -> vec4<f32> {
  var total = before;
  let first = place_in(group, lane, 1u, SPAN);
  let end = end_in(first - lane, 1u, SPAN);
  for (var i = first; i < end; i += 64u) {
    total = add_square(total, f32(gradient1[i]));
  }
  return total;
}

fn norm_slot2(group: vec3<u32>, lane: u32, before: vec4<f32>) -> vec4<f32> {
  var total = before;
  let first = place_in(group, lane, 2u, SPAN);
  let end = end_in(first - lane, 2u, SPAN);
  for (var i = first; i < end; i += 64u) {
    total = add_square(total, f32(gradient2[i]));
  }
  return total;
}

fn norm_slot3(group: vec3<u32>, lane: u32, before: vec4<f32>) -> vec4<f32> {
  var total = before;
  let first = place_in(group, lane, 3u, SPAN);
  let end = end_in(first - lane, 3u, SPAN);
  for (var i = first; i < end; i += 64u) {
    total = add_square(total, f32(gradient3[i]));
  }
  return total;
}

fn norm_slot4(group: vec3<u32>, lane: u32, before: vec4<f32>) -> vec4<f32> {
  var total = before;
  let first = place_in(group, lane, 4u, SPAN);
  let end = end_in(first - lane, 4u, SPAN);
  for (var i = first; i < end; i += 64u) {
    total = add_square(total, f32(gradient4[i]));
  }
  return total;
}

fn norm_slot5(group: vec3<u32>, lane: u32, before: vec4<f32>) -> vec4<f32> {
  var total = before;
  let first = place_in(group, lane, 5u, SPAN);
  let end = end_in(first - lane, 5u, SPAN);
  for (var i = first; i < end; i += 64u) {
    total = add_square(total, f32(gradient5[i]));
  }
  return total;
}

fn norm_slot6(group: vec3<u32>, lane: u32, before: vec4<f32>) -> vec4<f32> {
  var total = before;
  let first = place_in(group, lane, 6u, SPAN);
  let end = end_in(first - lane, 6u, SPAN);
  for (var i = first; i < end; i += 64u) {
    total = add_square(total, f32(gradient6[i]));
  }
  return total;
}

fn scale_slot0(group: vec3<u32>, lane: u32) {
  let first = place_in(group, lane, 0u, SPAN);
  let end = end_in(first - lane, 0u, SPAN);
  for (var i = first; i < end; i += 64u) {
    gradient0[i] = T(scaled(f32(gradient0[i])));
  }
}

fn scale_slot1(group: vec3<u32>, lane: u32) {
  let first = place_in(group, lane, 1u, SPAN);
  let end = end_in(first - lane, 1u, SPAN);
  for (var i = first; i < end; i += 64u) {
    gradient1[i] = T(scaled(f32(gradient1[i])));
  }
}

fn scale_slot2(group: vec3<u32>, lane: u32) {
  let first = place_in(group, lane, 2u, SPAN);
  let end = end_in(first - lane, 2u, SPAN);
  for (var i = first; i < end; i += 64u) {
    gradient2[i] = T(scaled(f32(gradient2[i])));
  }
}

fn scale_slot3(group: vec3<u32>, lane: u32) {
  let first = place_in(group, lane, 3u, SPAN);
  let end = end_in(first - lane, 3u, SPAN);
  for (var i = first; i < end; i += 64u) {
    gradient3[i] = T(scaled(f32(gradient3[i])));
  }
}

fn scale_slot4(group: vec3<u32>, lane: u32) {
  let first = place_in(group, lane, 4u, SPAN);
  let end = end_in(first - lane, 4u, SPAN);
  for (var i = first; i < end; i += 64u) {
    gradient4[i] = T(scaled(f32(gradient4[i])));
  }
}

fn scale_slot5(group: vec3<u32>, lane: u32) {
  let first = place_in(group, lane, 5u, SPAN);
  let end = end_in(first - lane, 5u, SPAN);
  for (var i = first; i < end; i += 64u) {
    gradient5[i] = T(scaled(f32(gradient5[i])));
  }
}

fn scale_slot6(group: vec3<u32>, lane: u32) {
  let first = place_in(group, lane, 6u, SPAN);
  let end = end_in(first - lane, 6u, SPAN);
  for (var i = first; i < end; i += 64u) {
    gradient6[i] = T(scaled(f32(gradient6[i])));
  }
}

fn limit_slot0(group: vec3<u32>, lane: u32) {
  let first = place_in(group, lane, 0u, SPAN);
  let end = end_in(first - lane, 0u, SPAN);
  for (var i = first; i < end; i += 64u) {
    gradient0[i] = T(limited(f32(gradient0[i])));
  }
}

fn limit_slot1(group: vec3<u32>, lane: u32) {
  let first = place_in(group, lane, 1u, SPAN);
  let end = end_in(first - lane, 1u, SPAN);
  for (var i = first; i < end; i += 64u) {
    gradient1[i] = T(limited(f32(gradient1[i])));
  }
}

fn limit_slot2(group: vec3<u32>, lane: u32) {
  let first = place_in(group, lane, 2u, SPAN);
  let end = end_in(first - lane, 2u, SPAN);
  for (var i = first; i < end; i += 64u) {
    gradient2[i] = T(limited(f32(gradient2[i])));
  }
}

fn limit_slot3(group: vec3<u32>, lane: u32) {
  let first = place_in(group, lane, 3u, SPAN);
  let end = end_in(first - lane, 3u, SPAN);
  for (var i = first; i < end; i += 64u) {
    gradient3[i] = T(limited(f32(gradient3[i])));
  }
}

fn limit_slot4(group: vec3<u32>, lane: u32) {
  let first = place_in(group, lane, 4u, SPAN);
  let end = end_in(first - lane, 4u, SPAN);
  for (var i = first; i < end; i += 64u) {
    gradient4[i] = T(limited(f32(gradient4[i])));
  }
}

fn limit_slot5(group: vec3<u32>, lane: u32) {
  let first = place_in(group, lane, 5u, SPAN);
  let end = end_in(first - lane, 5u, SPAN);
  for (var i = first; i < end; i += 64u) {
    gradient5[i] = T(limited(f32(gradient5[i])));
  }
}

fn limit_slot6(group: vec3<u32>, lane: u32) {
  let first = place_in(group, lane, 6u, SPAN);
  let end = end_in(first - lane, 6u, SPAN);
  for (var i = first; i < end; i += 64u) {
    gradient6[i] = T(limited(f32(gradient6[i])));
  }
}

@compute @workgroup_size(64)
fn norm1(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var total = vec4(0.0);
  total = norm_slot0(group, lane, total);
  store_partial(group, lane, total);
}

@compute @workgroup_size(64)
fn norm7(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var total = vec4(0.0);
  total = norm_slot0(group, lane, total);
  total = norm_slot1(group, lane, total);
  total = norm_slot2(group, lane, total);
  total = norm_slot3(group, lane, total);
  total = norm_slot4(group, lane, total);
  total = norm_slot5(group, lane, total);
  total = norm_slot6(group, lane, total);
  store_partial(group, lane, total);
}

@compute @workgroup_size(64)
fn scale1(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (coefficient[0] == 1.0) {
    return;
  }
  scale_slot0(group, lane);
}

@compute @workgroup_size(64)
fn scale7(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (coefficient[0] == 1.0) {
    return;
  }
  scale_slot0(group, lane);
  scale_slot1(group, lane);
  scale_slot2(group, lane);
  scale_slot3(group, lane);
  scale_slot4(group, lane);
  scale_slot5(group, lane);
  scale_slot6(group, lane);
}

@compute @workgroup_size(64)
fn limit1(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  limit_slot0(group, lane);
}

@compute @workgroup_size(64)
fn limit7(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  limit_slot0(group, lane);
  limit_slot1(group, lane);
  limit_slot2(group, lane);
  limit_slot3(group, lane);
  limit_slot4(group, lane);
  limit_slot5(group, lane);
  limit_slot6(group, lane);
}
