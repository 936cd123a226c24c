// import optim/slots.wgsl

// Divides gradients by the scale of the loss, and notes whether one of them is not finite. One thread a value; the slots
// are gradients here.

@group(0) @binding(0) var<storage, read> scale: array<f32>;
// Not 0: some gradient is not finite. Never cleared here.
@group(0) @binding(1) var<storage, read_write> found: array<atomic<u32>>;
@group(0) @binding(2) var<storage, read> slot_gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> slot_result: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

fn unscaled(gradient: f32) -> f32 {
  if ((bitcast<u32>(gradient) & 0x7f800000u) == 0x7f800000u) {
    atomicStore(&found[0], 1u);
  }
  return gradient / scale[0];
}

fn slot_unscale(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, slot_index);
  if (i < size_of(slot_index)) {
    slot_result[i] = unscaled(slot_gradient[i]);
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  slot_unscale(group, lane);
}
