// import optim/slots.wgsl

// One step of stochastic gradient descent with momentum, Nesterov's variant and weight decay, in PyTorch's order:
// g += wd·p; v = μ·v + (1 − τ)·g; g = nesterov ? g + μ·v : v; p −= lr·g. One thread a value, in place.
//
// Injected: NESTEROV, for `momentum`.

// learning rate, weight decay, momentum, dampening, whether to skip the step; then for each parameter, in the order of the slots,
// the dampening of its own step
@group(0) @binding(0) var<storage, read> rates: array<f32>;
@group(0) @binding(1) var<storage, read> slot_gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> slot_parameter: array<f32>;
@group(0) @binding(3) var<storage, read_write> slot_velocity: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

fn skipped() -> bool {
  return rates[4] != 0.0;
}

fn plain_step(p: f32, gradient: f32) -> f32 {
  return p - rates[0] * (gradient + rates[1] * p);
}

// The parameter and its velocity, in a slot of the launch.
fn momentum_step(slot: u32, p: f32, gradient: f32, velocity: f32) -> vec2<f32> {
  let g = gradient + rates[1] * p;
  let v = rates[2] * velocity + (1.0 - rates[5u + params.earlier + slot]) * g;
  if (NESTEROV) {
    return vec2(p - rates[0] * (g + rates[2] * v), v);
  }
  return vec2(p - rates[0] * v, v);
}

fn slot_plain(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, slot_index);
  if (i < size_of(slot_index)) {
    slot_parameter[i] = plain_step(slot_parameter[i], slot_gradient[i]);
  }
}

fn slot_momentum(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, slot_index);
  if (i < size_of(slot_index)) {
    let next = momentum_step(slot_index, slot_parameter[i], slot_gradient[i], slot_velocity[i]);
    slot_parameter[i] = next.x;
    slot_velocity[i] = next.y;
  }
}

@compute @workgroup_size(64)
fn plain(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (skipped()) {
    return;
  }
  slot_plain(group, lane);
}

@compute @workgroup_size(64)
fn momentum(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (skipped()) {
    return;
  }
  slot_momentum(group, lane);
}
