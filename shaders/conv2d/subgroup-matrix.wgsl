// import lib/subgroup-matrix-block.wgsl
// import conv2d/params.wgsl

// Convolution by matrix units: an implicit matmul of (target positions) × (tap row, tap column, channel) and the weights.
// Forward and input gradient alike. With LEFT_TERMS.

@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<S>;
@group(0) @binding(4) var<uniform> params: Params;

// Image, row and column of the source under tap (0, 0) of each position; image < 0 for none.
var<workgroup> origins: array<vec3<i32>, ROWS>;

struct Block {
  exists: bool,
  // Terms.
  first: u32,
  last: u32,
  position: u32,
  channel: u32,
}

fn blockOf(at: u32) -> Block {
  let channelGroups = (params.targetChannels + COLUMNS - 1u) / COLUMNS;
  let position = at / channelGroups * ROWS;
  return Block(
    position < params.batch * params.rows * params.columns,
    0u,
    params.tapRows * params.tapColumns * params.channels,
    position,
    at % channelGroups * COLUMNS,
  );
}

fn prepare(block: Block, thread: u32) {
  for (var i = thread; i < ROWS; i += THREADS) {
    let position = block.position + i;
    let image = position / params.columns / params.rows;
    let y = i32(position / params.columns % params.rows * params.stepY) + params.originY;
    let x = i32(position % params.columns * params.stepX) + params.originX;
    origins[i] = vec3<i32>(select(-1, i32(image), image < params.batch), y, x);
  }
}

struct Term {
  y: u32,
  x: u32,
  channel: u32,
}

fn termOf(k: u32) -> Term {
  let tap = k / params.channels;
  return Term(tap / params.tapColumns, tap % params.tapColumns, k % params.channels);
}

// Where what a position sees of a term lies; NONE outside of the images and behind the last term.
fn sourceAt(origin: vec3<i32>, k: u32) -> u32 {
  let term = termOf(k);
  let y = origin.y + i32(term.y * params.tapStepY);
  let x = origin.z + i32(term.x * params.tapStepX);
  if (origin.x < 0 || term.y >= params.tapRows || u32(y) >= params.height || u32(x) >= params.width) {
    return NONE;
  }
  return ((u32(origin.x) * params.height + u32(y)) * params.width + u32(x)) * params.channels + term.channel;
}

// Where the weight of a term for a target channel lies; NONE behind the last ones.
fn weightAt(k: u32, channel: u32) -> u32 {
  let term = termOf(k);
  if (term.y >= params.tapRows || channel >= params.targetChannels) {
    return NONE;
  }
  return params.weightOrigin + term.y * u32(params.weightY) + term.x * u32(params.weightX) +
    term.channel * params.weightSource + channel * params.weightTarget;
}

fn left4(block: Block, row: u32, k: u32) -> vec4<S> {
  let origin = origins[row];
  if (LEFT_QUADS) {
    // Channels of one tap.
    let at = sourceAt(origin, k);
    return leftRun(at, 1u, select(4u, 0u, at == NONE));
  }
  var values = vec4<S>();
  for (var i = 0u; i < 4u; i++) {
    let at = sourceAt(origin, k + i);
    if (at != NONE) {
      values[i] = left1(at);
    }
  }
  return values;
}

fn right4(block: Block, k: u32, column: u32) -> vec4<S> {
  let channel = block.channel + column;
  if (RIGHT_TERMS && !RIGHT_QUADS) {
    var values = vec4<S>();
    for (var i = 0u; i < 4u; i++) {
      let at = weightAt(k + i, channel);
      if (at != NONE) {
        values[i] = right1(at);
      }
    }
    return values;
  }
  let at = weightAt(k, channel);
  let count = select(remaining(channel, params.targetChannels), 4u, RIGHT_TERMS);
  return rightRun(at, params.weightTarget, select(count, 0u, at == NONE));
}

fn put(block: Block, row: u32, column: u32, sum: f32) {
  let position = block.position + row;
  let channel = block.channel + column;
  let image = position / params.columns / params.rows;
  if (image >= params.batch || channel >= params.targetChannels) {
    return;
  }
  let y = position / params.columns % params.rows * params.targetStepY + params.targetY;
  let x = position % params.columns * params.targetStepX + params.targetX;
  let at = ((image * params.targetHeight + y) * params.targetWidth + x) * params.targetChannels + channel;
  var value = sum;
  if (params.hasBias != 0u) {
    value += bias[channel];
  }
  if (params.accumulate != 0u) {
    value += f32(result[at]);
  }
  result[at] = S(value);
}
