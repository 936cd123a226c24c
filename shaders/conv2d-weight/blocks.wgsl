// import conv2d-weight/params.wgsl

// Weight gradient of a convolution for software adapters without wide subgroups (see matmul/blocks.wgsl): every thread
// sums up the weights of one tap for four source and eight target channels. The rows of dy are split; a second pass adds
// the splits up, so the order never varies.

@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

fn load4(base: u32, channels: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(
    gradient[base + channels.x],
    gradient[base + channels.y],
    gradient[base + channels.z],
    gradient[base + channels.w],
  );
}

// Four neighbouring channels; those beyond the last repeat it.
fn channelsFrom(first: u32, count: u32) -> vec4<u32> {
  return min(first + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(count - 1u));
}

fn put4(place: u32, channel: u32, values: vec4<f32>) {
  for (var i = channel; i < min(channel + 4u, params.targetChannels); i++) {
    result[place * params.targetChannels + i] = values[i - channel];
  }
}

@compute @workgroup_size(4)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let targetBlocks = (params.targetChannels + 7u) / 8u;
  let sourceBlocks = (params.channels + 3u) / 4u;
  var at = (group.y * groups.x + group.x) * 4u + thread;
  let target0 = at % targetBlocks * 8u;
  at /= targetBlocks;
  let source0 = at % sourceBlocks * 4u;
  at /= sourceBlocks;
  let tapX = at % params.tapColumns;
  at /= params.tapColumns;
  let tapY = at % params.tapRows;
  let split = at / params.tapRows;
  if (split >= params.splits) {
    return;
  }
  let sources = channelsFrom(source0, params.channels);
  let targets0 = channelsFrom(target0, params.targetChannels);
  let targets1 = channelsFrom(target0 + 4u, params.targetChannels);
  // The target columns whose tap lies inside the image.
  let x0 = i32(tapX * params.tapStepX) + params.originX;
  let step = i32(params.stepX);
  let firstColumn = u32(max(0, (step - 1 - x0) / step));
  let lastColumn = u32(clamp((i32(params.width) - x0 + step - 1) / step, 0, i32(params.columns)));

  var s0 = vec4<f32>();
  var s1 = vec4<f32>();
  var s2 = vec4<f32>();
  var s3 = vec4<f32>();
  var s4 = vec4<f32>();
  var s5 = vec4<f32>();
  var s6 = vec4<f32>();
  var s7 = vec4<f32>();
  let lastLine = min((split + 1u) * params.splitSize, params.lines);
  for (var line = split * params.splitSize; line < lastLine; line++) {
    let y = i32(line % params.rows * params.stepY + tapY * params.tapStepY) + params.originY;
    if (y < 0 || y >= i32(params.height)) {
      continue;
    }
    let sourceLine = i32((line / params.rows * params.height + u32(y)) * params.width) + x0;
    var from0 = u32(sourceLine + i32(firstColumn) * step) * params.channels;
    var base = (line * params.columns + firstColumn) * params.targetChannels;
    for (var column = firstColumn; column < lastColumn; column++) {
      let dy0 = load4(base, targets0);
      let dy1 = load4(base, targets1);
      let x = source[from0 + sources.x];
      let y = source[from0 + sources.y];
      let z = source[from0 + sources.z];
      let w = source[from0 + sources.w];
      s0 += x * dy0;
      s1 += x * dy1;
      s2 += y * dy0;
      s3 += y * dy1;
      s4 += z * dy0;
      s5 += z * dy1;
      s6 += w * dy0;
      s7 += w * dy1;
      from0 += params.stepX * params.channels;
      base += params.targetChannels;
    }
  }
  let place = ((split * params.tapRows + tapY) * params.tapColumns + tapX) * params.channels + source0;
  let left = params.channels - source0;
  put4(place, target0, s0);
  put4(place, target0 + 4u, s1);
  if (left > 1u) {
    put4(place + 1u, target0, s2);
    put4(place + 1u, target0 + 4u, s3);
  }
  if (left > 2u) {
    put4(place + 2u, target0, s4);
    put4(place + 2u, target0 + 4u, s5);
  }
  if (left > 3u) {
    put4(place + 3u, target0, s6);
    put4(place + 3u, target0 + 4u, s7);
  }
}
