// Decides on the device whether an optimizer takes a step, and computes the rates that its kernels read, from what is
// configured and from the steps that were really taken. One workgroup; a thread has every 64th parameter.

struct Params {
  count: u32, // parameters that take the step
}

// Not 0: this step is skipped.
@group(0) @binding(0) var<storage, read> skip: array<u32>;
// Rates as configured, in the order of optim/sgd.wgsl or optim/adam.wgsl; then the number of each parameter that takes the step.
@group(0) @binding(1) var<storage, read> given: array<f32>;
// What the optimizer remembers of the steps that each parameter took.
@group(0) @binding(2) var<storage, read_write> progress: array<f32>;
@group(0) @binding(3) var<storage, read_write> rates: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

// So many rates that all parameters have, and whether to skip.
fn common(count: u32, lane: u32) {
  if (lane < count) {
    rates[lane] = given[lane];
  }
  if (lane == count) {
    rates[lane] = f32(skip[0]);
  }
}

// progress: whether there was a step. PyTorch's first one takes the gradient undampened.
@compute @workgroup_size(64)
fn sgd(@builtin(local_invocation_index) lane: u32) {
  common(4u, lane);
  for (var i = lane; i < params.count; i += 64u) {
    let k = u32(given[5u + i]);
    rates[5u + i] = given[3] * progress[k];
    if (skip[0] == 0u) {
      progress[k] = 1.0;
    }
  }
}

// progress: 1 − β1ᵗ and 1 − β2ᵗ after t steps, each from the one before: powers of β2 near 1 would leave few digits.
@compute @workgroup_size(64)
fn adam(@builtin(local_invocation_index) lane: u32) {
  common(7u, lane);
  for (var i = lane; i < params.count; i += 64u) {
    let k = 2u * u32(given[8u + i]);
    if (skip[0] == 0u) {
      progress[k] = given[5] + given[2] * progress[k];
      progress[k + 1u] = given[6] + given[3] * progress[k + 1u];
    }
    rates[8u + 2u * i] = progress[k];
    rates[9u + 2u * i] = sqrt(progress[k + 1u]);
  }
}
