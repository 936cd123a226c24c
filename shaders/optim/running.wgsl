// import optim/slots.wgsl

// Tensors that follow others, one thread a value, in place: `add` adds up gradients, `follow` is an exponential moving average whose
// new share is the kernel's number, `clear` begins anew.

@group(0) @binding(0) var<storage, read_write> slot_total: array<f32>;
@group(0) @binding(1) var<storage, read> slot_source: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

fn slot_add(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, slot_index);
  if (i < size_of(slot_index)) {
    slot_total[i] += slot_source[i];
  }
}

fn slot_follow(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, slot_index);
  if (i < size_of(slot_index)) {
    slot_total[i] += params.value * (slot_source[i] - slot_total[i]);
  }
}

fn slot_clear(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, slot_index);
  if (i < size_of(slot_index)) {
    slot_total[i] = 0.0;
  }
}

@compute @workgroup_size(64)
fn add(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  slot_add(group, lane);
}

@compute @workgroup_size(64)
fn follow(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  slot_follow(group, lane);
}

@compute @workgroup_size(64)
fn clear(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  slot_clear(group, lane);
}
