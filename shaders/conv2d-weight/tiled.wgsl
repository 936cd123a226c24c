// import conv2d-weight/params.wgsl

// Weight gradient of a convolution for GPUs: an implicit matmul of (tap row, tap column, channel) × (target positions) and
// dy, with tiles of both in workgroup memory and 4 × 4 results a thread. The positions are split; a second pass adds the
// splits up, so the order never varies.
//
// Injected: THREADS_Y, THREADS_X (the workgroup; its block is four times as large), DEPTH (of a tile), S (how
// images are stored: f32 or f16).

@group(0) @binding(0) var<storage, read> source: array<S>;
@group(0) @binding(1) var<storage, read> gradient: array<S>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const PLACES: u32 = 4u * THREADS_Y;
const CHANNELS: u32 = 4u * THREADS_X;
const THREADS: u32 = THREADS_X * THREADS_Y;

var<workgroup> tileSource: array<vec4<f32>, DEPTH * THREADS_Y>;
var<workgroup> tileGradient: array<vec4<f32>, DEPTH * THREADS_X>;
// Row, column and channel of the source that each weight sees at target position (0, 0); channel < 0 for none.
var<workgroup> origins: array<vec3<i32>, PLACES>;

// Tiles are written four values at a time: a store to one component of a vector may touch the others.

fn fetch(origin: vec3<i32>, position: u32, last: u32) -> f32 {
  let line = position / params.columns;
  let y = i32(line % params.rows * params.stepY) + origin.x;
  let x = i32(position % params.columns * params.stepX) + origin.y;
  if (origin.z < 0 || position >= last || u32(y) >= params.height || u32(x) >= params.width) {
    return 0.0;
  }
  let image = line / params.rows;
  return f32(source[((image * params.height + u32(y)) * params.width + u32(x)) * params.channels + u32(origin.z)]);
}

// A channel of the group.
fn fetchGradient(group: u32, position: u32, last: u32, channel: u32) -> f32 {
  if (position >= last || channel >= params.groupTargets) {
    return 0.0;
  }
  return f32(gradient[position * params.targetChannels + group * params.groupTargets + channel]);
}

// `base`: where the group's results of a split begin.
fn put4(base: u32, place: u32, channel: u32, values: vec4<f32>) {
  if (place >= params.tapRows * params.tapColumns * params.groupChannels) {
    return;
  }
  for (var i = 0u; i < 4u; i++) {
    if (channel + i < params.groupTargets) {
      result[base + place * params.targetChannels + channel + i] = values[i];
    }
  }
}

@compute @workgroup_size(THREADS_X, THREADS_Y)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let places = params.tapRows * params.tapColumns * params.groupChannels;
  let placeGroups = (places + PLACES - 1u) / PLACES;
  let channelBlocks = (params.groupTargets + CHANNELS - 1u) / CHANNELS;
  let groups = params.targetChannels / params.groupTargets;
  let at = workgroup.y * workgroups.x + workgroup.x;
  let group = at / (channelBlocks * placeGroups) % groups;
  let split = at / (channelBlocks * placeGroups * groups);
  if (split >= params.splits) {
    return;
  }
  let place0 = at / channelBlocks % placeGroups * PLACES;
  let channel0 = at % channelBlocks * CHANNELS;
  for (var i = thread; i < PLACES; i += THREADS) {
    let place = place0 + i;
    let tap = place / params.groupChannels;
    origins[i] = vec3<i32>(
      i32(tap / params.tapColumns * params.tapStepY) + params.originY,
      i32(tap % params.tapColumns * params.tapStepX) + params.originX,
      select(-1, i32(group * params.groupChannels + place % params.groupChannels), place < places),
    );
  }
  workgroupBarrier();

  var s0 = vec4<f32>();
  var s1 = vec4<f32>();
  var s2 = vec4<f32>();
  var s3 = vec4<f32>();
  let last = min((split + 1u) * params.splitSize, params.lines) * params.columns;
  for (var k0 = split * params.splitSize * params.columns; k0 < last; k0 += DEPTH) {
    for (var i = thread; i < THREADS_Y * DEPTH; i += THREADS) {
      let place = i % THREADS_Y * 4u;
      let position = k0 + i / THREADS_Y;
      tileSource[i] = vec4<f32>(
        fetch(origins[place], position, last),
        fetch(origins[place + 1u], position, last),
        fetch(origins[place + 2u], position, last),
        fetch(origins[place + 3u], position, last),
      );
    }
    for (var i = thread; i < THREADS_X * DEPTH; i += THREADS) {
      let channel = channel0 + i % THREADS_X * 4u;
      let position = k0 + i / THREADS_X;
      tileGradient[i] = vec4<f32>(
        fetchGradient(group, position, last, channel),
        fetchGradient(group, position, last, channel + 1u),
        fetchGradient(group, position, last, channel + 2u),
        fetchGradient(group, position, last, channel + 3u),
      );
    }
    workgroupBarrier();
    for (var depth = 0u; depth < DEPTH; depth++) {
      let left = tileSource[depth * THREADS_Y + local.y];
      let right = tileGradient[depth * THREADS_X + local.x];
      s0 = fma(vec4<f32>(left.x), right, s0);
      s1 = fma(vec4<f32>(left.y), right, s1);
      s2 = fma(vec4<f32>(left.z), right, s2);
      s3 = fma(vec4<f32>(left.w), right, s3);
    }
    workgroupBarrier();
  }
  let base = split * places * params.targetChannels + group * params.groupTargets;
  let place = place0 + local.y * 4u;
  let channel = channel0 + local.x * 4u;
  put4(base, place, channel, s0);
  put4(base, place + 1u, channel, s1);
  put4(base, place + 2u, channel, s2);
  put4(base, place + 3u, channel, s3);
}
