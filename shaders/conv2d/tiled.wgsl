// import conv2d/params.wgsl

// Convolution for GPUs: an implicit matmul of (target positions) × (tap row, tap column, channel) and the weights, with
// tiles of both in workgroup memory and 4 × 4 results a thread. Forward and input gradient alike, see conv2d/params.wgsl.
//
// Injected: THREADS_Y, THREADS_X (the workgroup; its block is four times as large), DEPTH (of a tile), S (how
// images and weights are stored: f32 or f16).

@group(0) @binding(0) var<storage, read> source: array<S>;
@group(0) @binding(1) var<storage, read> weight: array<S>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<S>;
@group(0) @binding(4) var<uniform> params: Params;

const POSITIONS: u32 = 4u * THREADS_Y;
const CHANNELS: u32 = 4u * THREADS_X;
const THREADS: u32 = THREADS_X * THREADS_Y;

var<workgroup> tileSource: array<vec4<f32>, DEPTH * THREADS_Y>;
var<workgroup> tileWeight: array<vec4<f32>, DEPTH * THREADS_X>;
// Image, row and column of the source under tap (0, 0) of each position; image < 0 for none.
var<workgroup> origins: array<vec3<i32>, POSITIONS>;

// What a group begins with: its source and target channels, and its weights.
struct Group {
  source: u32,
  result: u32,
  weight: u32,
}

// A tap, and a source channel of the group.
struct Term {
  y: u32,
  x: u32,
  channel: u32,
}

fn termOf(k: u32) -> Term {
  let tap = k / params.groupChannels;
  return Term(tap / params.tapColumns, tap % params.tapColumns, k % params.groupChannels);
}

// Tiles are written four values at a time: a store to one component of a vector may touch the others.

fn fetch(group: Group, origin: vec3<i32>, term: Term) -> f32 {
  let y = origin.y + i32(term.y * params.tapStepY);
  let x = origin.z + i32(term.x * params.tapStepX);
  if (origin.x < 0 || term.y >= params.tapRows || u32(y) >= params.height || u32(x) >= params.width) {
    return 0.0;
  }
  let pixel = (u32(origin.x) * params.height + u32(y)) * params.width + u32(x);
  return f32(source[pixel * params.channels + group.source + term.channel]);
}

fn fetchWeight(group: Group, term: Term, channel: u32) -> f32 {
  if (term.y >= params.tapRows || channel >= params.groupTargets) {
    return 0.0;
  }
  return f32(
    weight[
      group.weight + term.y * u32(params.weightY) + term.x * u32(params.weightX) +
        term.channel * params.weightSource + channel * params.weightTarget
    ],
  );
}

fn put4(group: Group, position: u32, channel: u32, values: vec4<f32>) {
  let image = position / params.columns / params.rows;
  if (image >= params.batch) {
    return;
  }
  let y = position / params.columns % params.rows * params.targetStepY + params.targetY;
  let x = position % params.columns * params.targetStepX + params.targetX;
  let base = ((image * params.targetHeight + y) * params.targetWidth + x) * params.targetChannels + group.result;
  for (var i = 0u; i < 4u; i++) {
    if (channel + i < params.groupTargets) {
      var value = values[i];
      if (params.hasBias != 0u) {
        value += bias[group.result + channel + i];
      }
      if (params.accumulate != 0u) {
        value += f32(result[base + channel + i]);
      }
      result[base + channel + i] = S(value);
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
  let channelBlocks = (params.groupTargets + CHANNELS - 1u) / CHANNELS;
  let at = workgroup.y * workgroups.x + workgroup.x;
  let channel0 = at % channelBlocks * CHANNELS;
  let index = at / channelBlocks % (params.targetChannels / params.groupTargets);
  let group = Group(
    index * params.groupChannels,
    index * params.groupTargets,
    params.weightOrigin + index * params.weightGroup,
  );
  let position0 = at / channelBlocks / (params.targetChannels / params.groupTargets) * POSITIONS;
  for (var i = thread; i < POSITIONS; i += THREADS) {
    let position = position0 + i;
    let image = position / params.columns / params.rows;
    let y = i32(position / params.columns % params.rows * params.stepY) + params.originY;
    let x = i32(position % params.columns * params.stepX) + params.originX;
    origins[i] = vec3<i32>(select(-1, i32(image), image < params.batch), y, x);
  }
  workgroupBarrier();

  var s0 = vec4<f32>();
  var s1 = vec4<f32>();
  var s2 = vec4<f32>();
  var s3 = vec4<f32>();
  let terms = params.tapRows * params.tapColumns * params.groupChannels;
  for (var k0 = 0u; k0 < terms; k0 += DEPTH) {
    for (var i = thread; i < THREADS_Y * DEPTH; i += THREADS) {
      let quad = i / DEPTH;
      let depth = i % DEPTH;
      let term = termOf(k0 + depth);
      tileSource[depth * THREADS_Y + quad] = vec4<f32>(
        fetch(group, origins[4u * quad], term),
        fetch(group, origins[4u * quad + 1u], term),
        fetch(group, origins[4u * quad + 2u], term),
        fetch(group, origins[4u * quad + 3u], term),
      );
    }
    for (var i = thread; i < THREADS_X * DEPTH; i += THREADS) {
      let depth = i / THREADS_X;
      let term = termOf(k0 + depth);
      let channel = channel0 + i % THREADS_X * 4u;
      tileWeight[i] = vec4<f32>(
        fetchWeight(group, term, channel),
        fetchWeight(group, term, channel + 1u),
        fetchWeight(group, term, channel + 2u),
        fetchWeight(group, term, channel + 3u),
      );
    }
    workgroupBarrier();
    for (var depth = 0u; depth < DEPTH; depth++) {
      let left = tileSource[depth * THREADS_Y + local.y];
      let right = tileWeight[depth * THREADS_X + local.x];
      s0 = fma(vec4<f32>(left.x), right, s0);
      s1 = fma(vec4<f32>(left.y), right, s1);
      s2 = fma(vec4<f32>(left.z), right, s2);
      s3 = fma(vec4<f32>(left.w), right, s3);
    }
    workgroupBarrier();
  }
  let position = position0 + local.y * 4u;
  let channel = channel0 + local.x * 4u;
  put4(group, position, channel, s0);
  put4(group, position + 1u, channel, s1);
  put4(group, position + 2u, channel, s2);
  put4(group, position + 3u, channel, s3);
}
