// import lib/quads.wgsl
// import conv2d/quad-load.wgsl
// import conv2d/params.wgsl

// Convolution in quads (see lib/quads.wgsl): targets are sums of taps over a source image. Channels come in fours, in
// the source by zeros behind them. The rows of a block are 16 consecutive target positions, its columns target channels of a
// group, its terms pairs of a tap and a source channel of it.

@group(0) @binding(1) var<storage, read> weight: array<vec4<S>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4<S>>;
// Of each of the four passes that a launch can make, those of a stride of two: they differ in the stride's phase alone.
@group(0) @binding(4) var<uniform> phases: array<Params, 4>;

// Four quads from `first` on, `step` apart up to the `last` one. Two rows of lanes that need the same ones load half each.
fn quads4(first: u32, step: u32, last: u32, row: u32) -> mat4x4<f32> {
  if (LANES / QUADS != 2u) {
    return matrixOf(
      weight[first],
      weight[first + min(1u, last) * step],
      weight[first + min(2u, last) * step],
      weight[first + min(3u, last) * step],
    );
  }
  let begin = row / QUADS * 2u;
  let a = vec4<f32>(weight[first + min(begin, last) * step]);
  let b = vec4<f32>(weight[first + min(begin + 1u, last) * step]);
  let c = subgroupShuffleXor(a, QUADS);
  let d = subgroupShuffleXor(b, QUADS);
  let isFirst = row == 0u;
  return mat4x4<f32>(select(c, a, isFirst), select(d, b, isFirst), select(a, c, isFirst), select(b, d, isFirst));
}

// The four terms behind these: by tap row, tap column and channel, as weights lie in memory; with gaps by tap row, channel and
// tap column, so that what is held can be handed on.
fn onward(params: Params, term: Term) -> Term {
  var next = term;
  var carryY: u32;
  if (GAP == 0u) {
    next.channel += 4u;
    let carryX = select(0u, 1u, next.channel >= params.groupChannels);
    next.channel -= carryX * params.groupChannels;
    next.tapX += carryX;
    carryY = select(0u, 1u, next.tapX >= params.tapColumns);
    next.tapX -= carryY * params.tapColumns;
  } else {
    next.tapX += 1u;
    let carryChannel = select(0u, 1u, next.tapX >= params.tapColumns);
    next.tapX -= carryChannel * params.tapColumns;
    next.channel += carryChannel * 4u;
    carryY = select(0u, 1u, next.channel >= params.groupChannels);
    next.channel -= carryY * params.groupChannels;
  }
  next.tapY += carryY;
  return next;
}

// What is held, moved up by one.
fn movedUp(x: Held, place: u32, row: u32) -> Held {
  var next: Held;
  for (var s = 0u; s < SLOTS; s++) { // unrolled
    next[s] = subgroupShuffle(x[s], row + (place + 1u) % QUADS);
  }
  var moved: Held;
  for (var s = 0u; s < SLOTS; s++) { // unrolled
    moved[s] = select(next[s], next[min(s + 1u, SLOTS - 1u)], place == QUADS - 1u);
  }
  return moved;
}

// The weights of four terms for a quad of target channels. Neighbouring weights belong to neighbouring target channels
// (forward) or to source channels (input gradient): one kernel serves both, since compiling it takes longer than turning
// the weights round. `origin`: where the group's begin.
fn weights4(params: Params, origin: u32, term: Term, quad: u32, row: u32) -> mat4x4<f32> {
  let targetFirst = params.weightTarget == 1u;
  let tap = origin + term.tapY * u32(params.weightY) + term.tapX * u32(params.weightX);
  let step = select(params.weightTarget, params.weightSource, targetFirst) / 4u;
  let first = (tap + term.channel * params.weightSource) / 4u + quad * select(4u * step, 1u, targetFirst);
  // The zeros behind the source's channels have no weights. Zeros stand for these: of another channel's, ∞ would make NaN.
  let last = select(3u, params.weighted - 1u - term.channel, targetFirst);
  let w = quads4(first, step, last, row);
  let turned = transpose(w);
  return mat4x4<f32>(
    select(turned[0], w[0], targetFirst),
    select(vec4<f32>(), select(turned[1], w[1], targetFirst), last >= 1u),
    select(vec4<f32>(), select(turned[2], w[2], targetFirst), last >= 2u),
    select(vec4<f32>(), select(turned[3], w[3], targetFirst), last >= 3u),
  );
}

// A target position: its image, and its row and column among those computed here.
struct Position {
  image: u32,
  row: u32,
  column: u32,
}

fn positionAt(params: Params, index: u32) -> Position {
  let line = index / params.columns;
  return Position(line / params.rows, line % params.rows, index % params.columns);
}

// The position behind one. Without a division: for a vector of lanes that takes as long as many multiplications.
fn behind(params: Params, position: Position) -> Position {
  var next = Position(position.image, position.row, position.column + 1u);
  let carryRow = select(0u, 1u, next.column >= params.columns);
  next.column -= carryRow * params.columns;
  next.row += carryRow;
  let carryImage = select(0u, 1u, next.row >= params.rows);
  next.row -= carryImage * params.rows;
  next.image += carryImage;
  return next;
}

// Element of the result where the channels of a position begin.
fn targetAt(params: Params, position: Position) -> u32 {
  let y = position.image * params.targetHeight + position.row * params.targetStepY + params.targetY;
  let x = position.column * params.targetStepX + params.targetX;
  return (y * params.targetWidth + x) * params.targetChannels;
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let params = phases[workgroup.x];
  let targetQuads = params.groupTargets / 4u;
  let quadGroups = (targetQuads + QUADS - 1u) / QUADS;
  let groups = params.targetChannels / params.groupTargets;
  let positions = params.batch * params.rows * params.columns;
  let at = workgroup.z * workgroups.y + workgroup.y;
  let block = at / (quadGroups * groups) * (LANES / QUADS);
  if (block * SPAN >= positions) {
    return;
  }
  let place = lane % QUADS;
  let row = lane - place;
  let quad = at % quadGroups * QUADS + place;
  let lastQuad = min(quad, targetQuads - 1u);
  let group = at / quadGroups % groups;
  let weightOrigin = params.weightOrigin + group * params.weightGroup;
  let firstChannel = group * params.groupChannels;

  // The positions whose source this lane loads. Those in a gap stand for the next tap columns of the one ahead of it.
  let first = (block + lane / QUADS) * SPAN;
  var y: array<i32, SLOTS * BLOCKS>;
  var x: array<i32, SLOTS * BLOCKS>;
  var top: array<u32, SLOTS * BLOCKS>;
  for (var s = 0u; s < SLOTS * BLOCKS; s++) { // unrolled
    let i = s % SLOTS * QUADS + place;
    let inEight = i % (8u + GAP);
    let ahead = min(inEight, 7u);
    let index = first + s / SLOTS * 16u + i / (8u + GAP) * 8u + ahead;
    let position = positionAt(params, index);
    // Beyond the last position nothing is read: no image has such a row.
    y[s] = select(-0x40000000, i32(position.row * params.stepY) + params.originY, index < positions);
    x[s] = i32(position.column * params.stepX + inEight - ahead) + params.originX;
    top[s] = position.image * params.height;
  }
  // Neighbours in a row see the same by neighbouring tap columns: it need not be loaded again.
  let isHandedOn = GAP > 0u && params.stepX * params.tapStepX == 1u && params.columns % 8u == 0u && params.tapColumns <= GAP + 1u;

  // One loop over all terms: leaving an inner one costs as much as four terms do.
  var sums: array<Block, BLOCKS>;
  var loaded: array<Held, BLOCKS>;
  var term = Term();
  let terms = params.tapRows * params.tapColumns * params.groupChannels;
  for (var k = 0u; k < terms; k += 4u) {
    if (isHandedOn && term.tapX > 0u) {
      for (var b = 0u; b < BLOCKS; b++) { // unrolled
        loaded[b] = movedUp(loaded[b], place, row);
      }
    } else {
      let seen = Term(term.tapY, term.tapX, firstChannel + term.channel);
      for (var b = 0u; b < BLOCKS; b++) { // unrolled
        for (var s = 0u; s < SLOTS; s++) { // unrolled
          let at = b * SLOTS + s;
          loaded[b][s] = loadQuad(params, seen, top[at], y[at], x[at]);
        }
      }
    }
    let w = weights4(params, weightOrigin, term, lastQuad, row);
    for (var b = 0u; b < BLOCKS; b++) { // unrolled
      sums[b] = multiply(sums[b], loaded[b], w, row);
    }
    term = onward(params, term);
  }

  var shift = vec4<f32>();
  if (params.hasBias != 0u) {
    shift = bias[group * targetQuads + lastQuad];
  }
  if (quad >= targetQuads) {
    return;
  }
  var results = shiftedRows(sums, shift);
  var position = positionAt(params, first);
  for (var i = 0u; i < SPAN && first + i < positions; i++) {
    let to = targetAt(params, position) / 4u + group * targetQuads + quad;
    position = behind(params, position);
    if (params.accumulate != 0u) {
      result[to] = vec4<S>(vec4<f32>(result[to]) + results[i]);
    } else {
      result[to] = vec4<S>(results[i]);
    }
  }
}
