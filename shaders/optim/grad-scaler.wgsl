// Adapts the scale of the loss after a step, as PyTorch's GradScaler: down when a gradient was not finite, up after
// `interval` steps in a row whose gradients all were finite. One thread.

struct Params {
  growth: f32,
  backoff: f32,
  interval: u32,
}

@group(0) @binding(0) var<storage, read_write> scale: array<f32>;
// [whether a gradient was not finite, steps taken in a row, skipped steps]
@group(0) @binding(1) var<storage, read_write> state: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(1)
fn main() {
  if (state[0] != 0u) {
    // Never zero, which nothing could be divided by.
    scale[0] = max(scale[0] * params.backoff, 0x1p-126f);
    state[1] = 0u;
    state[2] += 1u;
  } else {
    state[1] += 1u;
    if (state[1] >= params.interval) {
      scale[0] = min(scale[0] * params.growth, 0x1p+126f);
      state[1] = 0u;
    }
  }
  state[0] = 0u;
}
