// Convolution in quads (see quads.wgsl): targets are sums of taps over a source image, as in conv2d_lanes.wgsl, whose
// parameters these are. Target channels come in fours. The rows of a block are 16 consecutive target positions, its
// columns target channels, its terms pairs of a tap and a source channel. Behind quads.wgsl, conv2d_spot.wgsl and
// conv2d_wide.wgsl or conv2d_narrow.wgsl.
//
// Injected besides: TARGET_FIRST (whether neighbouring weights belong to neighbouring target channels, as in the forward
// pass, or to source channels, as in the input gradient).

struct Params {
  batch: u32,
  rows: u32,
  columns: u32,
  targetHeight: u32,
  targetWidth: u32,
  targetStepY: u32,
  targetStepX: u32,
  targetY: u32,
  targetX: u32,
  targetChannels: u32,
  height: u32,
  width: u32,
  channels: u32,
  stepY: u32,
  stepX: u32,
  originY: i32,
  originX: i32,
  tapRows: u32,
  tapColumns: u32,
  weightOrigin: u32,
  weightY: u32,
  weightX: u32,
  weightSource: u32,
  weightTarget: u32,
  hasBias: u32,
  accumulate: u32,
}

@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

// Where the result of a position beyond the last one would lie.
const OUTSIDE = 0xffffffffu;

// The weights of four terms from k on, the first of which is at the spot, for a quad of target channels.
fn weights4(k: u32, spot: Spot, quad: u32) -> mat4x4<f32> {
  if (TARGET_FIRST) {
    // The weights of all terms lie one behind the other; terms beyond the last one are multiplied by zero.
    let step = params.weightSource / 4u;
    let last = params.tapRows * params.tapColumns * params.channels - 1u;
    return mat4x4<f32>(
      weight[k * step + quad],
      weight[min(k + 1u, last) * step + quad],
      weight[min(k + 2u, last) * step + quad],
      weight[min(k + 3u, last) * step + quad],
    );
  }
  let tap = params.weightOrigin + spot.tapY * params.weightY + spot.tapX * params.weightX;
  let step = params.weightTarget / 4u;
  let first = (tap + spot.channel) / 4u + quad * 4u * step;
  return transpose(
    mat4x4<f32>(weight[first], weight[first + step], weight[first + 2u * step], weight[first + 3u * step]),
  );
}

// A lane's quad of target channels, whether there is such a quad, and the first lane of the lane's row.
struct Column {
  quad: u32,
  inside: bool,
  row: u32,
}

fn put(starts: array<u32, SLOTS>, i: u32, column: Column, value: vec4<f32>) {
  let start = subgroupShuffle(starts[i / QUADS], column.row + i % QUADS);
  if (column.inside && start != OUTSIDE) {
    let at = start + column.quad;
    if (params.accumulate != 0u) {
      result[at] += value;
    } else {
      result[at] = value;
    }
  }
}

fn put4(starts: array<u32, SLOTS>, first: u32, column: Column, values: mat4x4<f32>) {
  put(starts, first, column, values[0]);
  put(starts, first + 1u, column, values[1]);
  put(starts, first + 2u, column, values[2]);
  put(starts, first + 3u, column, values[3]);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let targetQuads = params.targetChannels / 4u;
  let quadGroups = (targetQuads + QUADS - 1u) / QUADS;
  let positions = params.batch * params.rows * params.columns;
  let at = group.y * groups.x + group.x;
  let block = at / quadGroups * (LANES / QUADS);
  if (block * 16u >= positions) {
    return;
  }
  let place = lane % QUADS;
  let row = lane - place;
  let quad = at % quadGroups * QUADS + place;
  let lastQuad = min(quad, targetQuads - 1u);

  // The positions whose source this lane loads, and where their results lie, in quads.
  var y: array<i32, SLOTS>;
  var x: array<i32, SLOTS>;
  var top: array<u32, SLOTS>;
  var starts: array<u32, SLOTS>;
  for (var s = 0u; s < SLOTS; s++) {
    let position = (block + lane / QUADS) * 16u + s * QUADS + place;
    let column = position % params.columns;
    let above = position / params.columns;
    let image = above / params.rows;
    let r = above % params.rows;
    y[s] = i32(r * params.stepY) + params.originY;
    x[s] = i32(column * params.stepX) + params.originX;
    top[s] = image * params.height;
    let outY = image * params.targetHeight + r * params.targetStepY + params.targetY;
    let outX = column * params.targetStepX + params.targetX;
    starts[s] = (outY * params.targetWidth + outX) * targetQuads;
    // Outside of every image: neither read nor written.
    if (position >= positions) {
      y[s] = -0x40000000;
      starts[s] = OUTSIDE;
    }
  }

  // One loop over tap rows, tap columns and channels: leaving an inner one costs as much as four terms do.
  var sum = Block();
  var spots = spotsAt(0u);
  let stride = strideOf4();
  let terms = params.tapRows * params.tapColumns * params.channels;
  for (var k = 0u; k < terms; k += 4u) {
    var loaded: Held;
    for (var s = 0u; s < SLOTS; s++) {
      loaded[s] = look(spots, top[s], y[s], x[s]);
    }
    sum = multiply(sum, loaded, weights4(k, firstOf(spots), lastQuad), row);
    spots = allOnward(spots, stride);
  }

  if (params.hasBias != 0u) {
    let b = bias[lastQuad];
    let shift = mat4x4<f32>(b, b, b, b);
    sum = Block(sum.a + shift, sum.b + shift, sum.c + shift, sum.d + shift);
  }
  let own = Column(quad, quad < targetQuads, row);
  put4(starts, 0u, own, sum.a);
  put4(starts, 4u, own, sum.b);
  put4(starts, 8u, own, sum.c);
  put4(starts, 12u, own, sum.d);
}
