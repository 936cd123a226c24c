// import optim/slots.wgsl

// One step of stochastic gradient descent with momentum, Nesterov's variant and weight decay, in PyTorch's order:
// g += wd·p; v = μ·v + (1 − τ)·g; g = nesterov ? g + μ·v : v; p −= lr·g. One thread a value, in place.
//
// As many slots as there are bindings for: the entries `…1`, `…2`, `…5` have that many.
//
// Injected: NESTEROV, for the entries with momentum.

// learning rate, weight decay, momentum, dampening, whether to leave the step out
@group(0) @binding(0) var<storage, read> rates: array<f32>;
@group(0) @binding(1) var<storage, read> gradient0: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameter0: array<f32>;
@group(0) @binding(3) var<storage, read_write> velocity0: array<f32>;
@group(0) @binding(4) var<storage, read> gradient1: array<f32>;
@group(0) @binding(5) var<storage, read_write> parameter1: array<f32>;
@group(0) @binding(6) var<storage, read_write> velocity1: array<f32>;
@group(0) @binding(7) var<storage, read> gradient2: array<f32>;
@group(0) @binding(8) var<storage, read_write> parameter2: array<f32>;
@group(0) @binding(9) var<storage, read_write> velocity2: array<f32>;
@group(0) @binding(10) var<storage, read> gradient3: array<f32>;
@group(0) @binding(11) var<storage, read_write> parameter3: array<f32>;
@group(0) @binding(12) var<storage, read_write> velocity3: array<f32>;
@group(0) @binding(13) var<storage, read> gradient4: array<f32>;
@group(0) @binding(14) var<storage, read_write> parameter4: array<f32>;
@group(0) @binding(15) var<storage, read_write> velocity4: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

fn skipped() -> bool {
  return rates[4] != 0.0;
}

fn plain_step(p: f32, gradient: f32) -> f32 {
  return p - rates[0] * (gradient + rates[1] * p);
}

// The parameter and its velocity.
fn momentum_step(p: f32, gradient: f32, velocity: f32) -> vec2<f32> {
  let g = gradient + rates[1] * p;
  let v = rates[2] * velocity + (1.0 - rates[3]) * g;
  if (NESTEROV) {
    return vec2(p - rates[0] * (g + rates[2] * v), v);
  }
  return vec2(p - rates[0] * v, v);
}

fn plain_slot0(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 0u);
  if (i < size_of(0u)) {
    parameter0[i] = plain_step(parameter0[i], gradient0[i]);
  }
}

fn momentum_slot0(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 0u);
  if (i < size_of(0u)) {
    let next = momentum_step(parameter0[i], gradient0[i], velocity0[i]);
    parameter0[i] = next.x;
    velocity0[i] = next.y;
  }
}

fn plain_slot1(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 1u);
  if (i < size_of(1u)) {
    parameter1[i] = plain_step(parameter1[i], gradient1[i]);
  }
}

fn momentum_slot1(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 1u);
  if (i < size_of(1u)) {
    let next = momentum_step(parameter1[i], gradient1[i], velocity1[i]);
    parameter1[i] = next.x;
    velocity1[i] = next.y;
  }
}

fn plain_slot2(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 2u);
  if (i < size_of(2u)) {
    parameter2[i] = plain_step(parameter2[i], gradient2[i]);
  }
}

fn momentum_slot2(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 2u);
  if (i < size_of(2u)) {
    let next = momentum_step(parameter2[i], gradient2[i], velocity2[i]);
    parameter2[i] = next.x;
    velocity2[i] = next.y;
  }
}

fn plain_slot3(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 3u);
  if (i < size_of(3u)) {
    parameter3[i] = plain_step(parameter3[i], gradient3[i]);
  }
}

fn momentum_slot3(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 3u);
  if (i < size_of(3u)) {
    let next = momentum_step(parameter3[i], gradient3[i], velocity3[i]);
    parameter3[i] = next.x;
    velocity3[i] = next.y;
  }
}

fn plain_slot4(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 4u);
  if (i < size_of(4u)) {
    parameter4[i] = plain_step(parameter4[i], gradient4[i]);
  }
}

fn momentum_slot4(group: vec3<u32>, lane: u32) {
  let i = place(group, lane, 4u);
  if (i < size_of(4u)) {
    let next = momentum_step(parameter4[i], gradient4[i], velocity4[i]);
    parameter4[i] = next.x;
    velocity4[i] = next.y;
  }
}

@compute @workgroup_size(64)
fn plain1(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (skipped()) {
    return;
  }
  plain_slot0(group, lane);
}

@compute @workgroup_size(64)
fn plain2(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (skipped()) {
    return;
  }
  plain_slot0(group, lane);
  plain_slot1(group, lane);
}

@compute @workgroup_size(64)
fn plain5(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (skipped()) {
    return;
  }
  plain_slot0(group, lane);
  plain_slot1(group, lane);
  plain_slot2(group, lane);
  plain_slot3(group, lane);
  plain_slot4(group, lane);
}

@compute @workgroup_size(64)
fn momentum1(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (skipped()) {
    return;
  }
  momentum_slot0(group, lane);
}

@compute @workgroup_size(64)
fn momentum2(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (skipped()) {
    return;
  }
  momentum_slot0(group, lane);
  momentum_slot1(group, lane);
}

@compute @workgroup_size(64)
fn momentum5(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (skipped()) {
    return;
  }
  momentum_slot0(group, lane);
  momentum_slot1(group, lane);
  momentum_slot2(group, lane);
  momentum_slot3(group, lane);
  momentum_slot4(group, lane);
}
