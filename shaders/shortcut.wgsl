// The parameter-free shortcut of CIFAR ResNets (option A of He et al. 2016): every stride-th pixel, zero channels around.
// y[n, i, j, c] = x[n, i·stride, j·stride, c − before], 0 outside; the gradient is the same walk backwards.

struct Params {
  size: u32, // elements written
  row: u32,  // threads along x
  height: u32, // of x
  width: u32,
  channels: u32,
  out_height: u32, // of y
  out_width: u32,
  out_channels: u32,
  before: u32, // zero channels ahead
  stride: u32,
}

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3<u32>) {
  let p = params;
  let at = id.y * p.row + id.x;
  if (at >= p.size) {
    return;
  }
  let c = at % p.out_channels;
  let j = (at / p.out_channels) % p.out_width;
  let i = (at / (p.out_channels * p.out_width)) % p.out_height;
  let n = at / (p.out_channels * p.out_width * p.out_height);
  let inside = c >= p.before && c < p.before + p.channels;
  let x = ((n * p.height + i * p.stride) * p.width + j * p.stride) * p.channels + select(0u, c - p.before, inside);
  output[at] = select(0.0, input[x], inside);
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let p = params;
  let at = id.y * p.row + id.x;
  if (at >= p.size) {
    return;
  }
  let c = at % p.channels;
  let w = (at / p.channels) % p.width;
  let h = (at / (p.channels * p.width)) % p.height;
  let n = at / (p.channels * p.width * p.height);
  let hit = h % p.stride == 0u && w % p.stride == 0u;
  let y = ((n * p.out_height + h / p.stride) * p.out_width + w / p.stride) * p.out_channels + c + p.before;
  output[at] = select(0.0, input[select(0u, y, hit)], hit);
}
