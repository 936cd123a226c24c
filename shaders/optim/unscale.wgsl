// import optim/slots.wgsl

// Divides gradients by the scale of the loss, and notes whether one of them is not finite. The slots
// are gradients here. The entries `unscale1`, `unscale3` and `unscale7` have that many.

@group(0) @binding(0) var<storage, read> scale: array<f32>;
// Not 0: some gradient is not finite. Never cleared here.
@group(0) @binding(1) var<storage, read_write> found: array<atomic<u32>>;
@group(0) @binding(2) var<storage, read> gradient0: array<f32>;
@group(0) @binding(3) var<storage, read_write> result0: array<f32>;
@group(0) @binding(4) var<storage, read> gradient1: array<f32>;
@group(0) @binding(5) var<storage, read_write> result1: array<f32>;
@group(0) @binding(6) var<storage, read> gradient2: array<f32>;
@group(0) @binding(7) var<storage, read_write> result2: array<f32>;
@group(0) @binding(8) var<storage, read> gradient3: array<f32>;
@group(0) @binding(9) var<storage, read_write> result3: array<f32>;
@group(0) @binding(10) var<storage, read> gradient4: array<f32>;
@group(0) @binding(11) var<storage, read_write> result4: array<f32>;
@group(0) @binding(12) var<storage, read> gradient5: array<f32>;
@group(0) @binding(13) var<storage, read_write> result5: array<f32>;
@group(0) @binding(14) var<storage, read> gradient6: array<f32>;
@group(0) @binding(15) var<storage, read_write> result6: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

fn unscaled(gradient: f32) -> f32 {
  if ((bitcast<u32>(gradient) & 0x7f800000u) == 0x7f800000u) {
    atomicStore(&found[0], 1u);
  }
  return gradient / scale[0];
}

fn slot0(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 0u);
  if (i < size_of(0u)) {
    result0[i] = unscaled(gradient0[i]);
  }
}

fn slot1(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 1u);
  if (i < size_of(1u)) {
    result1[i] = unscaled(gradient1[i]);
  }
}

fn slot2(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 2u);
  if (i < size_of(2u)) {
    result2[i] = unscaled(gradient2[i]);
  }
}

fn slot3(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 3u);
  if (i < size_of(3u)) {
    result3[i] = unscaled(gradient3[i]);
  }
}

fn slot4(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 4u);
  if (i < size_of(4u)) {
    result4[i] = unscaled(gradient4[i]);
  }
}

fn slot5(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 5u);
  if (i < size_of(5u)) {
    result5[i] = unscaled(gradient5[i]);
  }
}

fn slot6(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 6u);
  if (i < size_of(6u)) {
    result6[i] = unscaled(gradient6[i]);
  }
}

@compute @workgroup_size(64)
fn unscale1(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  slot0(group, lane);
}

@compute @workgroup_size(64)
fn unscale3(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  slot0(group, lane);
  slot1(group, lane);
  slot2(group, lane);
}

@compute @workgroup_size(64)
fn unscale7(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  slot0(group, lane);
  slot1(group, lane);
  slot2(group, lane);
  slot3(group, lane);
  slot4(group, lane);
  slot5(group, lane);
  slot6(group, lane);
}
