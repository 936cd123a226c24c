// One step of stochastic gradient descent with momentum, Nesterov's variant and weight decay, in PyTorch's order:
// g += wd·p; v = μ·v + (1 − τ)·g; g = nesterov ? g + μ·v : v; p −= lr·g. One thread a value, in place.
//
// Injected: NESTEROV, for the entry with momentum.

struct Params {
  size: u32,
  row: u32, // threads along x
}

// learning rate, weight decay, momentum, dampening
@group(0) @binding(0) var<storage, read> rates: array<f32>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameter: array<f32>;
@group(0) @binding(3) var<storage, read_write> velocity: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn plain(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * params.row + id.x;
  if (i < params.size) {
    let p = parameter[i];
    parameter[i] = p - rates[0] * (gradient[i] + rates[1] * p);
  }
}

@compute @workgroup_size(64)
fn with_momentum(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * params.row + id.x;
  if (i < params.size) {
    let p = parameter[i];
    let g = gradient[i] + rates[1] * p;
    let v = rates[2] * velocity[i] + (1.0 - rates[3]) * g;
    velocity[i] = v;
    if (NESTEROV) {
      parameter[i] = p - rates[0] * (g + rates[2] * v);
    } else {
      parameter[i] = p - rates[0] * v;
    }
  }
}
