// import lib/subgroup-matrix-block.wgsl
// import conv2d-weight/params.wgsl

// Weight gradient of a convolution by matrix units: an implicit matmul of (tap row, tap column, channel) × (target
// positions) and dy, split along the positions. Without LEFT_TERMS and RIGHT_TERMS.

@group(0) @binding(2) var<storage, read_write> result: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// Row, column and channel of the source that each weight sees at target position (0, 0); channel < 0 for none.
var<workgroup> origins: array<vec3<i32>, ROWS>;

struct Block {
  exists: bool,
  // Target positions of the split.
  first: u32,
  last: u32,
  place: u32,
  channel: u32,
  // Where the split's results begin.
  base: u32,
}

fn placesOf() -> u32 {
  return params.tapRows * params.tapColumns * params.channels;
}

fn blockOf(at: u32) -> Block {
  let places = placesOf();
  let placeGroups = (places + ROWS - 1u) / ROWS;
  let channelGroups = (params.targetChannels + COLUMNS - 1u) / COLUMNS;
  let split = at / (placeGroups * channelGroups);
  return Block(
    split < params.splits,
    split * params.splitSize * params.columns,
    min((split + 1u) * params.splitSize, params.lines) * params.columns,
    at / channelGroups % placeGroups * ROWS,
    at % channelGroups * COLUMNS,
    split * places * params.targetChannels,
  );
}

fn prepare(block: Block, thread: u32) {
  for (var i = thread; i < ROWS; i += THREADS) {
    let place = block.place + i;
    let tap = place / params.channels;
    origins[i] = vec3<i32>(
      i32(tap / params.tapColumns * params.tapStepY) + params.originY,
      i32(tap % params.tapColumns * params.tapStepX) + params.originX,
      select(-1, i32(place % params.channels), place < placesOf()),
    );
  }
}

// Where what a weight sees at a position lies; NONE outside of the images and behind the last ones.
fn sourceAt(origin: vec3<i32>, position: u32, last: u32) -> u32 {
  let line = position / params.columns;
  let y = i32(line % params.rows * params.stepY) + origin.x;
  let x = i32(position % params.columns * params.stepX) + origin.y;
  if (origin.z < 0 || position >= last || u32(y) >= params.height || u32(x) >= params.width) {
    return NONE;
  }
  let image = line / params.rows;
  return ((image * params.height + u32(y)) * params.width + u32(x)) * params.channels + u32(origin.z);
}

fn left4(block: Block, row: u32, position: u32) -> vec4<S> {
  if (LEFT_QUADS) {
    // Channels under one tap.
    let at = sourceAt(origins[row], position, block.last);
    return leftRun(at, 1u, select(4u, 0u, at == NONE));
  }
  var values = vec4<S>();
  for (var i = 0u; i < 4u; i++) {
    let at = sourceAt(origins[row + i], position, block.last);
    if (at != NONE) {
      values[i] = left1(at);
    }
  }
  return values;
}

fn right4(block: Block, position: u32, column: u32) -> vec4<S> {
  let channel = block.channel + column;
  let count = select(0u, remaining(channel, params.targetChannels), position < block.last);
  return rightRun(position * params.targetChannels + channel, 1u, count);
}

fn put(block: Block, row: u32, column: u32, sum: f32) {
  let place = block.place + row;
  let channel = block.channel + column;
  if (place < placesOf() && channel < params.targetChannels) {
    result[block.base + place * params.targetChannels + channel] = sum;
  }
}
