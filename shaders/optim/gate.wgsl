// Decides on the device whether an optimizer takes a step, and computes the rates that its kernels read, from what is
// configured and from the steps that were really taken. One thread.

// Not 0: this step is skipped.
@group(0) @binding(0) var<storage, read> skip: array<u32>;
// Rates as configured, in the order of optim/sgd.wgsl or optim/adam.wgsl.
@group(0) @binding(1) var<storage, read> given: array<f32>;
// What the optimizer remembers of the steps it took.
@group(0) @binding(2) var<storage, read_write> progress: array<f32>;
@group(0) @binding(3) var<storage, read_write> rates: array<f32>;

// progress: whether there was a step. PyTorch's first one takes the gradient undampened.
@compute @workgroup_size(1)
fn sgd() {
  rates[0] = given[0];
  rates[1] = given[1];
  rates[2] = given[2];
  rates[3] = given[3] * progress[0];
  rates[4] = f32(skip[0]);
  if (skip[0] == 0u) {
    progress[0] = 1.0;
  }
}

// progress: 1 − β1ᵗ and 1 − β2ᵗ after t steps, each from the one before: powers of β2 near 1 would leave few digits.
@compute @workgroup_size(1)
fn adam() {
  if (skip[0] == 0u) {
    progress[0] = given[7] + given[2] * progress[0];
    progress[1] = given[8] + given[3] * progress[1];
  }
  for (var i = 0u; i < 9u; i++) {
    rates[i] = given[i];
  }
  rates[5] = progress[0];
  rates[6] = sqrt(progress[1]);
  rates[9] = f32(skip[0]);
}
