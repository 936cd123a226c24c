// import lib/row-teams.wgsl
// import norm/moments.wgsl

// Layer norm and group norm: x is seen as [batch, places, groups, width], and what has one batch entry and one group, a row, is
// normalised together. A layer norm has one place and one group; a group norm has its pixels for places.
//
// Injected: V (f32, or vec4<f32> where the width has fours), S (how one is stored: V or its f16 equivalent), LANES (1 or 4: what
// is in one; widths and channels are counted in them), SPREAD (there are several places), GROUPED (several groups), SIZE, WIDTH,
// JOINED.

struct Params {
  batch: u32,
  places: u32,
  groups: u32,
  width: u32,
  epsilon: f32,
  span: u32, // `parameters`: places of a part
}

@group(0) @binding(0) var<storage, read> input: array<S>;
@group(0) @binding(1) var<storage, read> weight: array<V>; // [groups · width]
@group(0) @binding(2) var<storage, read> bias: array<V>;
@group(0) @binding(3) var<storage, read_write> statistics: array<vec2<f32>>; // [batch, groups]: mean, 1/deviation
@group(0) @binding(4) var<storage, read_write> output: array<S>;
@group(0) @binding(5) var<uniform> params: Params;

@group(0) @binding(3) var<storage, read> kept: array<vec2<f32>>; // gradient: the statistics
@group(0) @binding(6) var<storage, read> dy: array<S>;
@group(0) @binding(7) var<storage, read_write> dx: array<S>;
@group(0) @binding(8) var<storage, read_write> dweight: array<V>; // [parts, groups · width]
@group(0) @binding(9) var<storage, read_write> dbias: array<V>;

// An element of a row: where it lies, and its channel. Without groups the channel is the same for all rows of a workgroup, and
// what is read for it is read once.
struct Place {
  at: u32,
  channel: u32,
}

fn place_of(row: Row, i: u32) -> Place {
  var channel = i;
  var pixel = row.number;
  if (SPREAD) {
    channel = i % params.width;
    pixel = (row.number / params.groups) * params.places + i / params.width;
  }
  if (GROUPED) {
    channel += (row.number % params.groups) * params.width;
    if (!SPREAD) {
      return Place(row.number * params.width + i, channel);
    }
  }
  return Place(pixel * params.groups * params.width + channel, channel);
}

fn row(group: vec3<u32>, groups: vec3<u32>, index: u32) -> Row {
  return row_of(group.y * groups.x + group.x, index, params.batch * params.groups, params.places * params.width, 1u);
}

// Of the lanes of one.
fn sum_of(x: V) -> f32 {
  return dot(vec4<f32>(x), vec4<f32>(0.25 * f32(LANES)));
}

@compute @workgroup_size(SIZE)
fn forward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let row = row(group, groups, index);
  var all = Moments(V(0.0), V(0.0));
  var n = 0.0;
  var i = row.lane;
  for (; i + 3u * WIDTH < row.count; i += 4u * WIDTH) {
    let a = V(input[place_of(row, i).at]);
    let b = V(input[place_of(row, i + WIDTH).at]);
    let c = V(input[place_of(row, i + 2u * WIDTH).at]);
    let d = V(input[place_of(row, i + 3u * WIDTH).at]);
    all = merge(all, n, moments_of(a, b, c, d), 4.0);
    n += 4.0;
  }
  for (; i < row.count; i += WIDTH) {
    all = merge(all, n, Moments(V(input[place_of(row, i).at]), V(0.0)), 1.0);
    n += 1.0;
  }
  let count = f32(row.count * LANES);
  let mean = team_sum(index, sum_of(all.mean) * n) / count;
  let delta = all.mean - mean;
  let squares = team_sum(index, sum_of(all.squares + delta * delta * n));
  let inverse = inverseSqrt(squares / count + params.epsilon);
  for (var k = row.lane; k < row.count; k += WIDTH) {
    let place = place_of(row, k);
    output[place.at] = S((V(input[place.at]) - mean) * inverse * weight[place.channel] + bias[place.channel]);
  }
  if (row.lane == 0u && row.count > 0u) {
    statistics[row.number] = vec2(mean, inverse);
  }
}

// With g = dy · weight and x̂ the normalised value: dx = (g − mean g − x̂ · mean(g x̂)) / deviation.
@compute @workgroup_size(SIZE)
fn inputs(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let row = row(group, groups, index);
  let moments = kept[min(row.number, params.batch * params.groups - 1u)];
  var plain = V(0.0);
  var normalised = V(0.0);
  for (var i = row.lane; i < row.count;) {
    var near_plain = V(0.0);
    var near_normalised = V(0.0);
    for (let end = min(row.count, i + CHAIN * WIDTH); i < end; i += WIDTH) {
      let place = place_of(row, i);
      let g = V(dy[place.at]) * weight[place.channel];
      near_plain += g;
      near_normalised += g * (V(input[place.at]) - moments.x);
    }
    plain += near_plain;
    normalised += near_normalised;
  }
  let count = f32(row.count * LANES);
  let mean = team_sum(index, sum_of(plain)) / count;
  let slope = team_sum(index, sum_of(normalised)) * moments.y * moments.y / count;
  for (var i = row.lane; i < row.count; i += WIDTH) {
    let place = place_of(row, i);
    let g = V(dy[place.at]) * weight[place.channel];
    dx[place.at] = S(moments.y * (g - mean - (V(input[place.at]) - moments.x) * slope));
  }
}

// Σ dy · x̂ and Σ dy of a channel over a part of all places: neighbouring threads have neighbouring channels.
@compute @workgroup_size(SIZE)
fn parameters(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let channels = params.groups * params.width;
  let columns = (channels + SIZE - 1u) / SIZE;
  let number = group.y * groups.x + group.x;
  let part = number / columns;
  let channel = (number % columns) * SIZE + index;
  var pixel = part * params.span;
  if (channel >= channels || pixel >= params.batch * params.places) {
    return;
  }
  var own = 0u;
  if (GROUPED) {
    own = channel / params.width;
  }
  let last = min(params.batch * params.places, pixel + params.span);
  var weighted = V(0.0);
  var plain = V(0.0);
  while (pixel < last) {
    // Some at a time: one long chain of additions would lose digits.
    var near_weighted = V(0.0);
    var near_plain = V(0.0);
    for (let end = min(last, pixel + 32u); pixel < end; pixel++) {
      var entry = pixel;
      if (SPREAD) {
        entry = pixel / params.places;
      }
      let moments = kept[entry * params.groups + own];
      let g = V(dy[pixel * channels + channel]);
      near_weighted += g * ((V(input[pixel * channels + channel]) - moments.x) * moments.y);
      near_plain += g;
    }
    weighted += near_weighted;
    plain += near_plain;
  }
  dweight[part * channels + channel] = weighted;
  dbias[part * channels + channel] = plain;
}
