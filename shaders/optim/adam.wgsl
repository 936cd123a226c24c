// import optim/slots.wgsl

// One step of Adam (Kingma & Ba 2015) or AdamW (Loshchilov & Hutter 2019), one thread a value, in place.
// The entries `adam1` and `adam3` have that many slots.
//
// Injected: DECOUPLED (AdamW: decay the parameter itself, not its gradient).

// learning rate, weight decay, β1, β2, ε, 1 − β1ᵗ, √(1 − β2ᵗ), 1 − β1, 1 − β2 (in float32, 1 − 0.999 keeps five digits
// only), whether to leave the step out
@group(0) @binding(0) var<storage, read> rates: array<f32>;
@group(0) @binding(1) var<storage, read> gradient0: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameter0: array<f32>;
@group(0) @binding(3) var<storage, read_write> mean0: array<f32>;
@group(0) @binding(4) var<storage, read_write> square0: array<f32>;
@group(0) @binding(5) var<storage, read> gradient1: array<f32>;
@group(0) @binding(6) var<storage, read_write> parameter1: array<f32>;
@group(0) @binding(7) var<storage, read_write> mean1: array<f32>;
@group(0) @binding(8) var<storage, read_write> square1: array<f32>;
@group(0) @binding(9) var<storage, read> gradient2: array<f32>;
@group(0) @binding(10) var<storage, read_write> parameter2: array<f32>;
@group(0) @binding(11) var<storage, read_write> mean2: array<f32>;
@group(0) @binding(12) var<storage, read_write> square2: array<f32>;
@group(0) @binding(13) var<uniform> params: Params;

fn skipped() -> bool {
  return rates[9] != 0.0;
}

// The parameter and the running means of its gradient and of its square.
fn adam_step(parameter: f32, gradient: f32, mean: f32, square: f32) -> vec3<f32> {
  var p = parameter;
  var g = gradient;
  if (DECOUPLED) {
    p -= rates[0] * rates[1] * p;
  } else {
    g += rates[1] * p;
  }
  let m = rates[2] * mean + rates[7] * g;
  let v = rates[3] * square + rates[8] * g * g;
  return vec3(p - rates[0] * (m / rates[5]) / (sqrt(v) / rates[6] + rates[4]), m, v);
}

fn adam_slot0(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 0u);
  if (i < size_of(0u)) {
    let next = adam_step(parameter0[i], gradient0[i], mean0[i], square0[i]);
    parameter0[i] = next.x;
    mean0[i] = next.y;
    square0[i] = next.z;
  }
}

fn adam_slot1(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 1u);
  if (i < size_of(1u)) {
    let next = adam_step(parameter1[i], gradient1[i], mean1[i], square1[i]);
    parameter1[i] = next.x;
    mean1[i] = next.y;
    square1[i] = next.z;
  }
}

fn adam_slot2(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 2u);
  if (i < size_of(2u)) {
    let next = adam_step(parameter2[i], gradient2[i], mean2[i], square2[i]);
    parameter2[i] = next.x;
    mean2[i] = next.y;
    square2[i] = next.z;
  }
}

@compute @workgroup_size(64)
fn adam1(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (skipped()) {
    return;
  }
  adam_slot0(group, lane);
}

@compute @workgroup_size(64)
fn adam3(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (skipped()) {
    return;
  }
  adam_slot0(group, lane);
  adam_slot1(group, lane);
  adam_slot2(group, lane);
}
