// import optim/slots.wgsl

// One step of Adam (Kingma & Ba 2015) or AdamW (Loshchilov & Hutter 2019), one thread a value, in place.
//
// Injected: DECOUPLED (AdamW: decay the parameter itself, not its gradient).

// learning rate, weight decay, β1, β2, ε, 1 − β1, 1 − β2 (in float32, 1 − 0.999 keeps five digits only), whether to skip the
// step; then for each parameter, in the order of the slots, 1 − β1ᵗ and √(1 − β2ᵗ) by its own steps
@group(0) @binding(0) var<storage, read> rates: array<f32>;
@group(0) @binding(1) var<storage, read> slot_gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> slot_parameter: array<f32>;
@group(0) @binding(3) var<storage, read_write> slot_mean: array<f32>;
@group(0) @binding(4) var<storage, read_write> slot_square: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

fn skipped() -> bool {
  return rates[7] != 0.0;
}

// The parameter and the running means of its gradient and of its square, in a slot of the launch.
fn adam_step(slot: u32, parameter: f32, gradient: f32, mean: f32, square: f32) -> vec3<f32> {
  let own = 8u + 2u * (params.earlier + slot);
  var p = parameter;
  var g = gradient;
  if (DECOUPLED) {
    p -= rates[0] * rates[1] * p;
  } else {
    g += rates[1] * p;
  }
  let m = rates[2] * mean + rates[5] * g;
  let v = rates[3] * square + rates[6] * g * g;
  return vec3(p - rates[0] * (m / rates[own]) / (sqrt(v) / rates[own + 1u] + rates[4]), m, v);
}

fn slot_step(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, slot_index);
  if (i < size_of(slot_index)) {
    let next = adam_step(slot_index, slot_parameter[i], slot_gradient[i], slot_mean[i], slot_square[i]);
    slot_parameter[i] = next.x;
    slot_mean[i] = next.y;
    slot_square[i] = next.z;
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (skipped()) {
    return;
  }
  slot_step(group, lane);
}
