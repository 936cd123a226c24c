// import lib/row-teams.wgsl

// Layer norm and group norm: x is seen as [batch, places, groups, width], and what has one batch entry and one group, a row, is
// normalised together. A layer norm has one place and one group; a group norm has its pixels for places.
//
// Moments are taken about the mean in a second walk: the row is in the cache by then, and a large mean costs no digits.
//
// Injected: S (how x is stored: f32 or f16), SPREAD (there are several places), SIZE, WIDTH, JOINED.

struct Params {
  batch: u32,
  places: u32,
  groups: u32,
  width: u32,
  epsilon: f32,
  span: u32,  // `parameters`: places of a part
  parts: u32,
}

@group(0) @binding(0) var<storage, read> input: array<S>;
@group(0) @binding(1) var<storage, read> weight: array<f32>; // [groups · width]
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> statistics: array<vec2<f32>>; // [batch, groups]: mean, 1/deviation
@group(0) @binding(4) var<storage, read_write> output: array<S>;
@group(0) @binding(5) var<uniform> params: Params;

@group(0) @binding(3) var<storage, read> kept: array<vec2<f32>>; // gradient: the statistics
@group(0) @binding(6) var<storage, read> dy: array<S>;
@group(0) @binding(7) var<storage, read_write> dx: array<S>;
@group(0) @binding(8) var<storage, read_write> dweight: array<f32>; // [parts, groups · width]
@group(0) @binding(9) var<storage, read_write> dbias: array<f32>;

// An element of a row: where it lies, and its channel.
struct Place {
  at: u32,
  channel: u32,
}

fn place_of(row: Row, i: u32) -> Place {
  let first = (row.number % params.groups) * params.width;
  if (!SPREAD) {
    return Place(row.number * params.width + i, first + i);
  }
  let channel = first + i % params.width;
  let pixel = (row.number / params.groups) * params.places + i / params.width;
  return Place(pixel * params.groups * params.width + channel, channel);
}

fn row(group: vec3<u32>, groups: vec3<u32>, index: u32) -> Row {
  return row_of(group.y * groups.x + group.x, index, params.batch * params.groups, params.places * params.width, 1u);
}

@compute @workgroup_size(SIZE)
fn forward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let row = row(group, groups, index);
  var total = 0.0;
  for (var i = row.lane; i < row.count;) {
    var near = 0.0;
    for (let end = min(row.count, i + CHAIN * WIDTH); i < end; i += WIDTH) {
      near += f32(input[place_of(row, i).at]);
    }
    total += near;
  }
  let mean = team_sum(index, total) / f32(row.count);
  var squares = 0.0;
  for (var i = row.lane; i < row.count;) {
    var near = 0.0;
    for (let end = min(row.count, i + CHAIN * WIDTH); i < end; i += WIDTH) {
      let distance = f32(input[place_of(row, i).at]) - mean;
      near += distance * distance;
    }
    squares += near;
  }
  let inverse = inverseSqrt(team_sum(index, squares) / f32(row.count) + params.epsilon);
  for (var i = row.lane; i < row.count; i += WIDTH) {
    let place = place_of(row, i);
    output[place.at] = S((f32(input[place.at]) - mean) * inverse * weight[place.channel] + bias[place.channel]);
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
  var plain = 0.0;
  var normalised = 0.0;
  for (var i = row.lane; i < row.count;) {
    var near = vec2(0.0);
    for (let end = min(row.count, i + CHAIN * WIDTH); i < end; i += WIDTH) {
      let place = place_of(row, i);
      let g = f32(dy[place.at]) * weight[place.channel];
      near += vec2(g, g * (f32(input[place.at]) - moments.x));
    }
    plain += near.x;
    normalised += near.y;
  }
  plain = team_sum(index, plain) / f32(row.count);
  normalised = team_sum(index, normalised) * moments.y * moments.y / f32(row.count);
  for (var i = row.lane; i < row.count; i += WIDTH) {
    let place = place_of(row, i);
    let g = f32(dy[place.at]) * weight[place.channel];
    dx[place.at] = S(moments.y * (g - plain - (f32(input[place.at]) - moments.x) * normalised));
  }
}

// Σ dy · x̂ and Σ dy of a channel over a part of all places: neighbouring threads have neighbouring channels.
@compute @workgroup_size(SIZE)
fn parameters(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let channels = params.groups * params.width;
  let channel = group.x * SIZE + index;
  if (channel >= channels) {
    return;
  }
  var at = group.y * params.span;
  let last = min(params.batch * params.places, at + params.span);
  var sums = vec2(0.0);
  while (at < last) {
    // Some at a time: one long chain of additions would lose digits.
    var near = vec2(0.0);
    for (let end = min(last, at + 32u); at < end; at++) {
      var entry = at;
      if (SPREAD) {
        entry = at / params.places;
      }
      let moments = kept[entry * params.groups + channel / params.width];
      let g = f32(dy[at * channels + channel]);
      near += vec2(g * ((f32(input[at * channels + channel]) - moments.x) * moments.y), g);
    }
    sums += near;
  }
  dweight[group.y * channels + channel] = sums.x;
  dbias[group.y * channels + channel] = sums.y;
}
