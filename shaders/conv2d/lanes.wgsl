enable subgroups;
// import conv2d/params.wgsl

// Convolution for software adapters (see matmul/lanes.wgsl for why): targets are sums of taps over a source image.
//
// Any tap grid and stride: an implicit matmul over (tap row, tap column, channel), four runs of four neighbouring target
// columns a thread, the lanes along target channels. Where channels come in fours, conv2d/quads.wgsl is faster.
//
// Injected: LANES (size of a subgroup), S (how images and weights are stored: f32 or f16).

@group(0) @binding(0) var<storage, read> source: array<S>;
@group(0) @binding(1) var<storage, read> weight: array<S>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<S>;
@group(0) @binding(4) var<uniform> params: Params;

// Neighbouring target columns of one row, and where their taps begin in the source.
struct Run {
  image: u32,
  row: u32,
  column: u32,
  y: i32,
  x: i32,
}

fn runAt(index: u32) -> Run {
  let perRow = (params.columns + 3u) / 4u;
  let line = index / perRow;
  let column = index % perRow * 4u;
  let row = line % params.rows;
  return Run(
    line / params.rows,
    row,
    column,
    i32(row * params.stepY) + params.originY,
    i32(column * params.stepX) + params.originX,
  );
}

// One channel of the source position (x, line), zero outside the image.
fn fetch(line: i32, x: i32, channel: u32, inside: bool) -> f32 {
  let value = f32(source[u32(line + x) * params.channels + channel]);
  return select(0.0, value, inside && u32(x) < params.width);
}

fn fetch4(run: Run, tapY: u32, x: i32, step: u32, channel: u32, inside: bool) -> vec4<f32> {
  let y = run.y + i32(tapY * params.tapStepY);
  let line = (i32(run.image * params.height) + y) * i32(params.width);
  let within = inside && u32(y) < params.height && run.image < params.batch;
  return vec4<f32>(
    fetch(line, x, channel, within),
    fetch(line, x + i32(step), channel, within),
    fetch(line, x + i32(2u * step), channel, within),
    fetch(line, x + i32(3u * step), channel, within),
  );
}

fn put(run: Run, offset: u32, channel: u32, value: f32) {
  let column = run.column + offset;
  if (column < params.columns && run.image < params.batch) {
    let y = run.image * params.targetHeight + run.row * params.targetStepY + params.targetY;
    let x = column * params.targetStepX + params.targetX;
    let at = (y * params.targetWidth + x) * params.targetChannels + channel;
    if (params.accumulate != 0u) {
      result[at] = S(f32(result[at]) + value);
    } else {
      result[at] = S(value);
    }
  }
}

fn put4(run: Run, channel: u32, values: vec4<f32>) {
  put(run, 0u, channel, values.x);
  put(run, 1u, channel, values.y);
  put(run, 2u, channel, values.z);
  put(run, 3u, channel, values.w);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let channelGroups = (params.targetChannels + LANES - 1u) / LANES;
  let at = group.y * groups.x + group.x;
  let channel = at % channelGroups * LANES + lane;
  let first = at / channelGroups * 4u;
  if (first >= params.batch * params.rows * ((params.columns + 3u) / 4u)) {
    return;
  }
  let r0 = runAt(first);
  let r1 = runAt(first + 1u);
  let r2 = runAt(first + 2u);
  let r3 = runAt(first + 3u);
  let weightBase = params.weightOrigin + min(channel, params.targetChannels - 1u) * params.weightTarget;

  // The digits of this lane's place in the sum.
  var c = lane % params.channels;
  var tapX = lane / params.channels % params.tapColumns;
  var tapY = lane / params.channels / params.tapColumns;

  // LANES as such digits.
  let taps = LANES / params.channels;
  let advanceX = taps % params.tapColumns;
  let advanceY = taps / max(1u, params.tapColumns);

  var s0 = vec4<f32>();
  var s1 = vec4<f32>();
  var s2 = vec4<f32>();
  var s3 = vec4<f32>();
  let terms = params.tapRows * params.tapColumns * params.channels;
  for (var k = 0u; k < terms; k += LANES) {
    let inside = k + lane < terms;
    let tap = i32(tapX * params.tapStepX);
    let x0 = fetch4(r0, tapY, r0.x + tap, params.stepX, c, inside);
    let x1 = fetch4(r1, tapY, r1.x + tap, params.stepX, c, inside);
    let x2 = fetch4(r2, tapY, r2.x + tap, params.stepX, c, inside);
    let x3 = fetch4(r3, tapY, r3.x + tap, params.stepX, c, inside);
    let offset = tapY * u32(params.weightY) + tapX * u32(params.weightX) + c * params.weightSource;
    if (k + LANES <= terms) {
      for (var j = 0u; j < LANES; j++) {
        let w = vec4<f32>(f32(weight[weightBase + subgroupShuffle(offset, j)]));
        s0 = fma(subgroupShuffle(x0, j), w, s0);
        s1 = fma(subgroupShuffle(x1, j), w, s1);
        s2 = fma(subgroupShuffle(x2, j), w, s2);
        s3 = fma(subgroupShuffle(x3, j), w, s3);
      }
    } else {
      // Behind the last term the weights are zero too: ∞ of another one's times the image's zeros would be NaN.
      for (var j = 0u; j < LANES; j++) {
        let value = f32(weight[weightBase + subgroupShuffle(offset, j)]);
        let w = vec4<f32>(select(0.0, value, k + j < terms));
        s0 = fma(subgroupShuffle(x0, j), w, s0);
        s1 = fma(subgroupShuffle(x1, j), w, s1);
        s2 = fma(subgroupShuffle(x2, j), w, s2);
        s3 = fma(subgroupShuffle(x3, j), w, s3);
      }
    }
    c += LANES % params.channels;
    let carryX = select(0u, 1u, c >= params.channels);
    c -= carryX * params.channels;
    tapX += advanceX + carryX;
    let carryY = select(0u, 1u, tapX >= params.tapColumns);
    tapX -= carryY * params.tapColumns;
    tapY += advanceY + carryY;
  }
  if (channel >= params.targetChannels) {
    return;
  }
  if (params.hasBias != 0u) {
    let shift = vec4<f32>(bias[channel]);
    s0 += shift;
    s1 += shift;
    s2 += shift;
    s3 += shift;
  }
  put4(r0, channel, s0);
  put4(r1, channel, s1);
  put4(r2, channel, s2);
  put4(r3, channel, s3);
}
