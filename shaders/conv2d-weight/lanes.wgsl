enable subgroups;
// import conv2d-weight/params.wgsl

// Weight gradient of a convolution for software adapters (see matmul/lanes.wgsl for why): for every weight a sum over
// all target positions, split by rows of dy; the splits are added up by a second pass, so the order never varies.
//
// The lanes walk along the weights' places (tap row, tap column, channel), three vectors of them a thread; LANES channels
// of dy are loaded at once and handed round. Where these come in fours, conv2d-weight/quads.wgsl is faster.
//
// Injected: LANES (size of a subgroup), S (how images are stored: f32 or f16).

@group(0) @binding(0) var<storage, read> source: array<S>;
@group(0) @binding(1) var<storage, read> gradient: array<S>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// A weight's place, and where it looks in the source for target position (0, 0).
struct Place {
  y: i32,
  x: i32,
  channel: u32,
  inside: bool,
}

fn placeOf(index: u32) -> Place {
  let channel = index % params.channels;
  let tap = index / params.channels;
  return Place(
    i32(tap / params.tapColumns * params.tapStepY) + params.originY,
    i32(tap % params.tapColumns * params.tapStepX) + params.originX,
    channel,
    tap < params.tapRows * params.tapColumns,
  );
}

fn fetch(line: i32, x: i32, channel: u32, inside: bool) -> f32 {
  let value = f32(source[u32(line + x) * params.channels + channel]);
  return select(0.0, value, inside && u32(x) < params.width);
}

fn put(split: u32, place: u32, channel: u32, value: f32) {
  let places = params.tapRows * params.tapColumns * params.channels;
  if (place < places && channel < params.targetChannels) {
    result[(split * places + place) * params.targetChannels + channel] = value;
  }
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let places = params.tapRows * params.tapColumns * params.channels;
  let placeGroups = (places + 3u * LANES - 1u) / (3u * LANES);
  let channelGroups = (params.targetChannels + LANES - 1u) / LANES;
  let at = group.y * groups.x + group.x;
  let split = at / (placeGroups * channelGroups);
  if (split >= params.splits) {
    return;
  }
  let first = at / channelGroups % placeGroups * 3u * LANES + lane;
  let channel = at % channelGroups * LANES;
  let dyChannel = min(channel + lane, params.targetChannels - 1u);
  let p0 = placeOf(first);
  let p1 = placeOf(first + LANES);
  let p2 = placeOf(first + 2u * LANES);
  var s0 = array<f32, LANES>();
  var s1 = array<f32, LANES>();
  var s2 = array<f32, LANES>();
  let lastLine = min((split + 1u) * params.splitSize, params.lines);
  for (var line = split * params.splitSize; line < lastLine; line++) {
    let y = i32(line % params.rows * params.stepY);
    let image = i32(line / params.rows * params.height);
    let line0 = (image + y + p0.y) * i32(params.width);
    let line1 = (image + y + p1.y) * i32(params.width);
    let line2 = (image + y + p2.y) * i32(params.width);
    let inside0 = p0.inside && u32(y + p0.y) < params.height;
    let inside1 = p1.inside && u32(y + p1.y) < params.height;
    let inside2 = p2.inside && u32(y + p2.y) < params.height;
    for (var column = 0u; column < params.columns; column++) {
      let x = i32(column * params.stepX);
      let dy = f32(gradient[(line * params.columns + column) * params.targetChannels + dyChannel]);
      let x0 = fetch(line0, x + p0.x, p0.channel, inside0);
      let x1 = fetch(line1, x + p1.x, p1.channel, inside1);
      let x2 = fetch(line2, x + p2.x, p2.channel, inside2);
      for (var j = 0u; j < LANES; j++) {
        let d = subgroupShuffle(dy, j);
        s0[j] = fma(x0, d, s0[j]);
        s1[j] = fma(x1, d, s1[j]);
        s2[j] = fma(x2, d, s2[j]);
      }
    }
  }
  for (var j = 0u; j < LANES; j++) {
    put(split, first, channel + j, s0[j]);
    put(split, first + LANES, channel + j, s1[j]);
    put(split, first + 2u * LANES, channel + j, s2[j]);
  }
}
