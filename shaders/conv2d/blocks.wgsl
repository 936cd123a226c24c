// import conv2d/params.wgsl

// Convolution for software adapters without wide subgroups (see matmul/blocks.wgsl): every thread computes eight
// neighbouring target columns × four target channels. Forward and input gradient alike, see conv2d/params.wgsl.

@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

// Where four source columns begin, `step` apart; those outside the image are looked up at its edge and are zero.
struct Four {
  start: vec4<u32>,
  mask: vec4<u32>, // all bits, or none
}

fn four(line: u32, x: i32) -> Four {
  let at = x + vec4<i32>(0, 1, 2, 3) * i32(params.stepX);
  let inside = clamp(at, vec4<i32>(), vec4<i32>(i32(params.width) - 1));
  return Four((line + vec4<u32>(inside)) * params.channels, select(vec4<u32>(), vec4<u32>(0xffffffffu), at == inside));
}

fn load4(four: Four, channel: u32) -> vec4<f32> {
  let values = vec4<f32>(
    source[four.start.x + channel],
    source[four.start.y + channel],
    source[four.start.z + channel],
    source[four.start.w + channel],
  );
  // Not times zero, which is NaN where the edge has ∞; and a choice takes longer.
  return bitcast<vec4<f32>>(bitcast<vec4<u32>>(values) & four.mask);
}

fn put4(line: u32, column: u32, channel: u32, values: vec4<f32>) {
  if (column < params.columns) {
    let base = (line + column * params.targetStepX + params.targetX) * params.targetChannels + channel;
    for (var i = 0u; i < min(4u, params.targetChannels - channel); i++) {
      var value = values[i];
      if (params.hasBias != 0u) {
        value += bias[channel + i];
      }
      if (params.accumulate != 0u) {
        value += result[base + i];
      }
      result[base + i] = value;
    }
  }
}

@compute @workgroup_size(4)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let channelBlocks = (params.targetChannels + 3u) / 4u;
  let runsPerRow = (params.columns + 7u) / 8u;
  let at = (group.y * groups.x + group.x) * 4u + thread;
  let channel = at % channelBlocks * 4u;
  let column = at / channelBlocks % runsPerRow * 8u;
  let line = at / channelBlocks / runsPerRow;
  let row = line % params.rows;
  let image = line / params.rows;
  if (image >= params.batch) {
    return;
  }
  let columns = min(channel + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.targetChannels - 1u)) * params.weightTarget;

  var s0 = vec4<f32>();
  var s1 = vec4<f32>();
  var s2 = vec4<f32>();
  var s3 = vec4<f32>();
  var s4 = vec4<f32>();
  var s5 = vec4<f32>();
  var s6 = vec4<f32>();
  var s7 = vec4<f32>();
  for (var tapY = 0u; tapY < params.tapRows; tapY++) {
    let y = i32(row * params.stepY + tapY * params.tapStepY) + params.originY;
    if (y < 0 || y >= i32(params.height)) {
      continue;
    }
    let sourceLine = (image * params.height + u32(y)) * params.width;
    for (var tapX = 0u; tapX < params.tapColumns; tapX++) {
      let x = i32(column * params.stepX + tapX * params.tapStepX) + params.originX;
      let f0 = four(sourceLine, x);
      let f1 = four(sourceLine, x + 4 * i32(params.stepX));
      var at = params.weightOrigin + tapY * u32(params.weightY) + tapX * u32(params.weightX);
      for (var c = 0u; c < params.channels; c++) {
        let w = vec4<f32>(
          weight[at + columns.x],
          weight[at + columns.y],
          weight[at + columns.z],
          weight[at + columns.w],
        );
        let x0 = load4(f0, c);
        let x1 = load4(f1, c);
        s0 += x0.x * w;
        s1 += x0.y * w;
        s2 += x0.z * w;
        s3 += x0.w * w;
        s4 += x1.x * w;
        s5 += x1.y * w;
        s6 += x1.z * w;
        s7 += x1.w * w;
        at += params.weightSource;
      }
    }
  }
  let target0 = (image * params.targetHeight + row * params.targetStepY + params.targetY) * params.targetWidth;
  put4(target0, column, channel, s0);
  put4(target0, column + 1u, channel, s1);
  put4(target0, column + 2u, channel, s2);
  put4(target0, column + 3u, channel, s3);
  put4(target0, column + 4u, channel, s4);
  put4(target0, column + 5u, channel, s5);
  put4(target0, column + 6u, channel, s6);
  put4(target0, column + 7u, channel, s7);
}
