// Resizes images of bytes, one axis a pass: first `across` along the rows into floats, then `down` along the columns into
// bytes again. Bilinear; where an axis shrinks the triangle is as much wider, so that every pixel counts (antialiasing).
//
// A pixel's weight is a whole number. Along an axis of `size` pixels that become `wanted`, the centres of pixel x and of
// output pixel o are (2x + 1)·wanted and (2o + 1)·size in units of 1/(2·wanted) pixel, and the triangle reaches
// 2·max(size, wanted) of these. So every device finds the same weights, and an axis that stays as it is is copied.
// 2·size·wanted must be below 2^31.
//
// Injected: CHANNELS. Sizes are parameters: photographs come in many, and none should cost a compilation.

struct Params {
  // Images.
  count: u32,
  height: u32,
  width: u32,
  outHeight: u32,
  outWidth: u32,
}

// [count, height, width, CHANNELS], four bytes a word.
@group(0) @binding(0) var<storage, read> pixels: array<u32>;
// [count, height, outWidth, CHANNELS].
@group(0) @binding(1) var<storage, read_write> rows: array<f32>;
// [count, outHeight, outWidth, CHANNELS], four bytes a word.
@group(0) @binding(2) var<storage, read_write> output: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

// The first pixel inside the triangle of output pixel `o`, and how far it lies from the centre.
struct Window {
  first: i32,
  distance: i32,
}

fn window(o: u32, size: u32, wanted: u32) -> Window {
  let centre = i32((2u * o + 1u) * size);
  let step = i32(2u * wanted);
  let before = centre - i32(2u * max(size, wanted) + wanted);
  let first = select(0, before / step + 1, before >= 0);
  return Window(first, first * step + i32(wanted) - centre);
}

// One thread a pixel of `rows`.
@compute @workgroup_size(64)
fn across(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let at = id.y * groups.x * 64u + id.x;
  if (at >= params.count * params.height * params.outWidth) {
    return;
  }
  let start = window(at % params.outWidth, params.width, params.outWidth);
  let reach = i32(2u * max(params.width, params.outWidth));
  var sums: array<f32, CHANNELS>;
  var total = 0.0;
  var distance = start.distance;
  var byte = (at / params.outWidth * params.width + u32(start.first)) * CHANNELS;
  for (var x = start.first; x < i32(params.width) && distance < reach; x++) {
    let weight = f32(reach - abs(distance));
    total += weight;
    for (var channel = 0u; channel < CHANNELS; channel++) { // unrolled
      sums[channel] += weight * f32((pixels[byte / 4u] >> (8u * (byte % 4u))) & 255u);
      byte++;
    }
    distance += i32(2u * params.outWidth);
  }
  for (var channel = 0u; channel < CHANNELS; channel++) { // unrolled
    rows[at * CHANNELS + channel] = sums[channel] / total;
  }
}

// One thread a word of `output`: four values, of several pixels and perhaps of two rows.
@compute @workgroup_size(64)
fn down(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let word = id.y * groups.x * 64u + id.x;
  let row = params.outWidth * CHANNELS;
  let values = params.count * params.outHeight * row;
  if (word * 4u >= values) {
    return;
  }
  let reach = i32(2u * max(params.height, params.outHeight));
  var bytes = 0u;
  for (var i = 0u; i < min(4u, values - word * 4u); i++) {
    let at = word * 4u + i;
    let line = at / row;
    let start = window(line % params.outHeight, params.height, params.outHeight);
    var sum = 0.0;
    var total = 0.0;
    var distance = start.distance;
    var place = (line / params.outHeight * params.height + u32(start.first)) * row + at % row;
    for (var y = start.first; y < i32(params.height) && distance < reach; y++) {
      let weight = f32(reach - abs(distance));
      total += weight;
      sum += weight * rows[place];
      place += row;
      distance += i32(2u * params.outHeight);
    }
    bytes |= u32(clamp(floor(sum / total + 0.5), 0.0, 255.0)) << (8u * i);
  }
  output[word] = bytes;
}
