// import lib/quads.wgsl
// import conv2d/quad-load.wgsl
// import conv2d-weight/params.wgsl

// Weight gradient of a convolution in quads (see lib/quads.wgsl): for every weight a sum over all target positions, split by
// rows of dy. Channels come in fours, in the source by zeros behind them. The rows of a block are 16 pairs of a tap and a
// source channel, its columns target channels, its terms positions; rows of lanes take turns at these.

@group(0) @binding(1) var<storage, read> gradient: array<vec4<S>>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

// Positions that the rows of lanes take in one turn, four each.
const TURN = 4u * (LANES / QUADS);

// Tap and channel of a term, ordered by tap row, tap column and channel.
fn termAt(term: u32) -> Term {
  let tap = term / params.channels;
  return Term(tap / params.tapColumns, tap % params.tapColumns, term % params.channels);
}

// The quad of target channels at a position of the line that begins at position `line`; zero behind its end.
fn dy(line: u32, column: u32, quad: u32) -> vec4<f32> {
  let at = line + min(column, params.columns - 1u);
  let value = vec4<f32>(gradient[at * (params.targetChannels / 4u) + quad]);
  return select(vec4<f32>(), value, column < params.columns);
}

// The sums of all rows of lanes together.
fn total(sum: mat4x4<f32>) -> mat4x4<f32> {
  var s = sum;
  for (var distance = QUADS; distance < LANES; distance *= 2u) {
    s += mat4x4<f32>(
      subgroupShuffleXor(s[0], distance),
      subgroupShuffleXor(s[1], distance),
      subgroupShuffleXor(s[2], distance),
      subgroupShuffleXor(s[3], distance),
    );
  }
  return s;
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let targetQuads = params.targetChannels / 4u;
  let targetGroups = (targetQuads + QUADS - 1u) / QUADS;
  let taps = params.tapRows * params.tapColumns;
  let terms = taps * params.channels;
  let termGroups = (terms + 15u) / 16u;
  let at = group.y * groups.x + group.x;
  let split = at / (targetGroups * termGroups);
  if (split >= params.splits) {
    return;
  }
  let firstTerm = at / targetGroups % termGroups * 16u;
  let place = lane % QUADS;
  let row = lane - place;
  let quad = at % targetGroups * QUADS + place;
  let lastQuad = min(quad, targetQuads - 1u);
  // Quad i of what is held is position i / 4 at terms 4·(i % 4) …: the same terms in every slot of a lane.
  let own = termAt(firstTerm + place % 4u * 4u);

  var sum = Block();
  // One loop over lines and turns: leaving an inner one costs as much as four terms do.
  let firstLine = split * params.splitSize;
  let lines = min(firstLine + params.splitSize, params.lines) - firstLine;
  let turns = lines * ((params.columns + TURN - 1u) / TURN);
  var line = firstLine * params.columns;
  var rowOfLine = firstLine % params.rows;
  var top = firstLine / params.rows * params.height;
  var turn = 0u;
  for (var k = 0u; k < turns; k++) {
    let y = i32(rowOfLine * params.stepY) + params.originY;
    let first = turn + lane / QUADS * 4u;
    var x: Held;
    for (var s = 0u; s < SLOTS; s++) {
      let column = first + (s * QUADS + place) / 4u;
      // Behind the line's end nothing is read either, though the image may go on there: ∞ times a dy of zero is NaN.
      let pixel = i32(column * params.stepX) + params.originX;
      x[s] = loadQuad(params, own, top, y, select(-0x40000000, pixel, column < params.columns));
    }
    let w = mat4x4<f32>(
      dy(line, first, lastQuad),
      dy(line, first + 1u, lastQuad),
      dy(line, first + 2u, lastQuad),
      dy(line, first + 3u, lastQuad),
    );
    sum = multiplyTurned(sum, x, w, row);

    turn += TURN;
    let carryLine = select(0u, 1u, turn >= params.columns);
    turn *= 1u - carryLine;
    line += carryLine * params.columns;
    rowOfLine += carryLine;
    let carryImage = select(0u, 1u, rowOfLine >= params.rows);
    rowOfLine -= carryImage * params.rows;
    top += carryImage * params.height;
  }

  // Every row of lanes has its own positions; the first one stores what all of them found.
  var results = rowsOf(Block(total(sum.a), total(sum.b), total(sum.c), total(sum.d)));
  if (row != 0u || quad >= targetQuads) {
    return;
  }
  for (var i = 0u; i < 16u && firstTerm + i < terms; i++) {
    let term = firstTerm + i;
    let channel = term % params.channels;
    if (channel < params.weighted) {
      let tap = term / params.channels;
      result[((split * taps + tap) * params.weighted + channel) * targetQuads + quad] = results[i];
    }
  }
}
