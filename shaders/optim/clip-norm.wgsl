// import optim/squares.wgsl

// The joint norm of many gradients from its partial sums (optim/clip-gradients.wgsl), and what they are scaled by. One
// workgroup.

struct Params {
  count: u32, // of the partial sums
  most: f32, // the largest norm
}

@group(0) @binding(0) var<storage, read> partials: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> norm: array<f32>;
@group(0) @binding(2) var<storage, read_write> coefficient: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> totals: array<vec4<f32>, 64>;

// WGSL has no literals for numbers that are not finite, and refuses constant expressions that give one.
fn not_finite(bits: u32) -> f32 {
  return bitcast<f32>(bits | (params.count & 0u));
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  var total = vec4(0.0);
  for (var i = lane; i < params.count; i += 64u) {
    total = add_squares(total, partials[i]);
  }
  totals[lane] = total;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      totals[lane] = add_squares(totals[lane], totals[lane + half]);
    }
  }
  if (lane > 0u) {
    return;
  }
  if (totals[0].w == 0.0) {
    let root = root_of(totals[0]);
    norm[0] = root;
    coefficient[0] = min(1.0, params.most / (root + 1e-6));
  } else if (totals[0].w == 1.0) {
    norm[0] = not_finite(0x7f800000u);
    coefficient[0] = 0.0;
  } else {
    norm[0] = not_finite(0x7fc00000u);
    coefficient[0] = not_finite(0x7fc00000u);
  }
}
