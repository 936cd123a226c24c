// The parameter-free shortcut of CIFAR ResNets (option A of He et al. 2016): every stride-th pixel, zero channels behind.
// One thread a pixel: the divisions that find its place are expensive, so all its channels share them.
//
// y[n, i, j, c] = x[n, i·stride, j·stride, c], 0 for channels that x lacks; the gradient is the same walk backwards.

// Injected: S (how images are stored: f32 or f16).

struct Params {
  pixels: u32, // written
  row: u32,    // threads along x
  height: u32, // of x
  width: u32,
  channels: u32,
  out_height: u32, // of y
  out_width: u32,
  out_channels: u32,
  stride: u32,
}

@group(0) @binding(0) var<storage, read> input: array<S>;
@group(0) @binding(1) var<storage, read_write> output: array<S>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3<u32>) {
  let p = params;
  let pixel = id.y * p.row + id.x;
  if (pixel >= p.pixels) {
    return;
  }
  let j = pixel % p.out_width;
  let line = pixel / p.out_width;
  let i = line % p.out_height;
  let n = line / p.out_height;
  let x = ((n * p.height + i * p.stride) * p.width + j * p.stride) * p.channels;
  let y = pixel * p.out_channels;
  for (var c = 0u; c < p.channels; c++) {
    output[y + c] = input[x + c];
  }
  for (var c = p.channels; c < p.out_channels; c++) {
    output[y + c] = S(0.0);
  }
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let p = params;
  let pixel = id.y * p.row + id.x;
  if (pixel >= p.pixels) {
    return;
  }
  let w = pixel % p.width;
  let line = pixel / p.width;
  let h = line % p.height;
  let n = line / p.height;
  let x = pixel * p.channels;
  if (h % p.stride == 0u && w % p.stride == 0u) {
    let y = ((n * p.out_height + h / p.stride) * p.out_width + w / p.stride) * p.out_channels;
    for (var c = 0u; c < p.channels; c++) {
      output[x + c] = input[y + c];
    }
  } else {
    for (var c = 0u; c < p.channels; c++) {
      output[x + c] = S(0.0);
    }
  }
}
