// Gathers images of bytes by index, moves each by its affine matrix and normalises: output [n, HEIGHT, WIDTH, CHANNELS].
// One thread an output pixel. Outside an image lie pixels of value 0, before normalisation.
// A set too large for one binding comes in parts: every part's dispatch fills the images it holds and leaves the others.
//
// Injected: HEIGHT, WIDTH, CHANNELS, INTERPOLATE (bilinear; false where matrices keep to whole pixels), BRIGHTEN.

struct Params {
  // Images asked for.
  count: u32,
  // The first image of this part, and how many it has.
  first: u32,
  held: u32,
  // Images of the whole set, in the part that answers for indices beyond it; 2^32 - 1 in the others.
  limit: u32,
  // What an image that does not exist is filled with: NaN, which a constant expression cannot make.
  missing: f32,
}

@group(0) @binding(0) var<storage, read> pixels: array<u32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
// [n, 2, 3]: from an output pixel (x, y, 1) to the place (x, y) in the input, pixel centres at whole numbers.
@group(0) @binding(2) var<storage, read> matrices: array<f32>;
// Mean and standard deviation of each channel, for pixels from 0 to 1.
@group(0) @binding(3) var<storage, read> normalization: array<vec2<f32>>;
// [n]: what an image's pixels are multiplied by; any buffer stands in where BRIGHTEN is false.
@group(0) @binding(4) var<storage, read> factors: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

fn texel(image: u32, x: i32, y: i32, channel: u32) -> f32 {
  if (x < 0 || y < 0 || x >= i32(WIDTH) || y >= i32(HEIGHT)) {
    return 0.0;
  }
  let at = ((image * HEIGHT + u32(y)) * WIDTH + u32(x)) * CHANNELS + channel;
  return f32((pixels[at / 4u] >> (8u * (at % 4u))) & 255u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let at = id.y * groups.x * 64u + id.x;
  if (at >= params.count * HEIGHT * WIDTH) {
    return;
  }
  let n = at / (HEIGHT * WIDTH);
  let index = indices[n];
  if (index >= params.limit) {
    for (var channel = 0u; channel < CHANNELS; channel++) {
      output[at * CHANNELS + channel] = params.missing;
    }
    return;
  }
  if (index < params.first || index - params.first >= params.held) {
    return;
  }
  let image = index - params.first;
  let x = f32(at % WIDTH);
  let y = f32((at / WIDTH) % HEIGHT);
  let row = n * 6u;
  let place = vec2(
    matrices[row] * x + matrices[row + 1u] * y + matrices[row + 2u],
    matrices[row + 3u] * x + matrices[row + 4u] * y + matrices[row + 5u],
  );
  let corner = select(round(place), floor(place), INTERPOLATE);
  let left = i32(corner.x);
  let top = i32(corner.y);
  let part = place - corner;
  for (var channel = 0u; channel < CHANNELS; channel++) {
    var value = texel(image, left, top, channel);
    if (INTERPOLATE) {
      let above = mix(value, texel(image, left + 1, top, channel), part.x);
      let below = mix(texel(image, left, top + 1, channel), texel(image, left + 1, top + 1, channel), part.x);
      value = mix(above, below, part.y);
    }
    if (BRIGHTEN) {
      value = clamp(value * factors[n], 0.0, 255.0);
    }
    let moments = normalization[channel];
    output[at * CHANNELS + channel] = (value / 255.0 - moments.x) / moments.y;
  }
}
