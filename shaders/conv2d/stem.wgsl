// import conv2d/stem-window.wgsl
// import conv2d/params.wgsl

// Convolution of images with few channels. A workgroup loads its weights once for SPANS spans of positions.

@group(0) @binding(1) var<storage, read> weight: array<vec2<S>>;
@group(0) @binding(2) var<storage, read> bias: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> result: array<vec2<S>>;
@group(0) @binding(4) var<uniform> params: Params;

// The weights of a pair of target channels.
fn weightsOf(pair: u32, targetPairs: u32) -> array<vec2<f32>, TERMS> {
  var weights: array<vec2<f32>, TERMS>;
  for (var tap = 0u; tap < params.tapRows; tap++) {
    for (var i = ROW_TERMS; i < TERMS; i++) { // unrolled
      weights[i - ROW_TERMS] = weights[i];
    }
    for (var i = 0u; i < ROW_TERMS; i++) { // unrolled
      weights[TERMS - ROW_TERMS + i] = vec2<f32>(weight[(tap * ROW_TERMS + i) * targetPairs + pair]);
    }
  }
  return weights;
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let targetPairs = params.targetChannels / 2u;
  let pairGroups = (targetPairs + LANES - 1u) / LANES;
  let at = group.y * groups.x + group.x;
  let pair = at % pairGroups * LANES + lane;
  let lastPair = min(pair, targetPairs - 1u);
  let weights = weightsOf(lastPair, targetPairs);
  var shift = vec2<f32>();
  if (params.hasBias != 0u) {
    shift = bias[lastPair];
  }

  let first = at / pairGroups * SPANS;
  let last = min(first + SPANS, params.batch * params.rows * spansOfLine());
  for (var s = first; s < last; s++) {
    let span = spanAt(s);
    let window = windowAt(span.line, span.four + lane);
    for (var j = 0u; j < span.fours; j++) {
      let seen = windowOf(window, j);
      var sums: array<vec2<f32>, 4>;
      for (var i = 0u; i < 4u; i++) { // unrolled
        var sum = shift;
        for (var tap = 0u; tap < TAP_ROWS; tap++) { // unrolled
          for (var term = 0u; term < ROW_TERMS; term++) { // unrolled
            let value = SHIFT + i * CHANNELS + term;
            sum += weights[tap * ROW_TERMS + term] * seen[tap][value / 4u][value % 4u];
          }
        }
        sums[i] = sum;
      }
      if (pair < targetPairs) {
        let to = (span.line * params.columns + (span.four + j) * 4u) * targetPairs + pair;
        for (var i = 0u; i < 4u; i++) { // unrolled
          result[to + i * targetPairs] = vec2<S>(sums[i]);
        }
      }
    }
  }
}
