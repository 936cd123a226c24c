// Resizing of tensors [n, h, w, c], nearest or bilinear, and its gradient. One thread an element: of the output, or of the
// input, which then looks for what was made of it, in a fixed order and without atomics.
//
// Positions are computed as PyTorch does, in f32: nearest ⌊o·scale⌋; bilinear (o + ½)·scale − ½, not below 0, or o·scale where
// corners are aligned.
//
// Injected: T (element type), BILINEAR, ALIGNED.

struct Params {
  size: u32, // threads
  row: u32,  // threads along x
  height: u32,
  width: u32,
  outHeight: u32,
  outWidth: u32,
  channels: u32,
  scaleHeight: f32,
  scaleWidth: f32,
}

@group(0) @binding(0) var<storage, read> input: array<T>; // x, or dy
@group(0) @binding(1) var<storage, read_write> output: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

// What an output position is made of: `first` and the one behind it, which has this share.
struct Source {
  first: u32,
  share: f32,
}

fn source_of(o: u32, size: u32, scale: f32) -> Source {
  if (!BILINEAR) {
    return Source(min(u32(f32(o) * scale), size - 1u), 0.0);
  }
  var at = f32(o) * scale;
  if (!ALIGNED) {
    at = max((f32(o) + 0.5) * scale - 0.5, 0.0);
  }
  let first = min(u32(at), size - 1u);
  return Source(first, select(at - f32(first), 0.0, first == size - 1u));
}

fn weight(source: Source, i: u32) -> f32 {
  return select(0.0, 1.0 - source.share, i == source.first) + select(0.0, source.share, i == source.first + 1u);
}

// The output positions that may be made of input position i.
fn reached(i: u32, size: u32, outSize: u32, scale: f32) -> vec2<u32> {
  if (scale <= 0.0) {
    return vec2(0u, outSize);
  }
  let low = floor((f32(i) - 1.5) / scale) - 2.0;
  let high = ceil((f32(i) + 1.5) / scale) + 2.0;
  // The last one also has what lies beyond.
  let end = select(u32(clamp(high, 0.0, f32(outSize))), outSize, i == size - 1u);
  return vec2(u32(clamp(low, 0.0, f32(outSize))), end);
}

fn value(image: u32, y: u32, x: u32, channel: u32) -> f32 {
  return f32(input[((image * params.height + y) * params.width + x) * params.channels + channel]);
}

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3<u32>) {
  let at = id.y * params.row + id.x;
  if (at >= params.size) {
    return;
  }
  let channel = at % params.channels;
  let pixel = at / params.channels;
  let column = source_of(pixel % params.outWidth, params.width, params.scaleWidth);
  let line = pixel / params.outWidth;
  let row = source_of(line % params.outHeight, params.height, params.scaleHeight);
  let image = line / params.outHeight;
  if (!BILINEAR) {
    output[at] = T(value(image, row.first, column.first, channel));
    return;
  }
  let below = min(row.first + 1u, params.height - 1u);
  let right = min(column.first + 1u, params.width - 1u);
  let upper = value(image, row.first, column.first, channel) * (1.0 - column.share) + value(image, row.first, right, channel) * column.share;
  let lower = value(image, below, column.first, channel) * (1.0 - column.share) + value(image, below, right, channel) * column.share;
  output[at] = T(upper * (1.0 - row.share) + lower * row.share);
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let at = id.y * params.row + id.x;
  if (at >= params.size) {
    return;
  }
  let channel = at % params.channels;
  let pixel = at / params.channels;
  let x = pixel % params.width;
  let line = pixel / params.width;
  let y = line % params.height;
  let image = line / params.height;
  let rows = reached(y, params.height, params.outHeight, params.scaleHeight);
  let columns = reached(x, params.width, params.outWidth, params.scaleWidth);
  var sum = 0.0;
  for (var i = rows.x; i < rows.y; i++) {
    let down = weight(source_of(i, params.height, params.scaleHeight), y);
    if (down == 0.0) {
      continue;
    }
    var along = 0.0;
    for (var j = columns.x; j < columns.y; j++) {
      let across = weight(source_of(j, params.width, params.scaleWidth), x);
      let dy = f32(input[((image * params.outHeight + i) * params.outWidth + j) * params.channels + channel]);
      along += select(0.0, across * dy, across != 0.0);
    }
    sum += down * along;
  }
  output[at] = T(sum);
}
