// import conv2d/stem-window.wgsl
// import conv2d-weight/params.wgsl

// Weight gradient of a convolution of images with few channels: a lane adds up all weights of a pair of target channels.
// Split by rows of dy.

@group(0) @binding(1) var<storage, read> gradient: array<vec2<S>>;
@group(0) @binding(2) var<storage, read_write> result: array<vec2<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let targetPairs = params.targetChannels / 2u;
  let pairGroups = (targetPairs + LANES - 1u) / LANES;
  let at = group.y * groups.x + group.x;
  let split = at / pairGroups;
  if (split >= params.splits) {
    return;
  }
  let pair = at % pairGroups * LANES + lane;
  let lastPair = min(pair, targetPairs - 1u);
  let firstLine = split * params.splitSize;
  let lines = min(firstLine + params.splitSize, params.lines) - firstLine;
  let spans = spansOfLine() * lines;

  var sums: array<vec2<f32>, TERMS>;
  for (var s = 0u; s < spans; s++) {
    let span = spanAt(s);
    let line = firstLine + span.line;
    let window = windowAt(line, span.four + lane);
    for (var j = 0u; j < span.fours; j++) {
      let begin = (line * params.columns + (span.four + j) * 4u) * targetPairs + lastPair;
      var dy: array<vec2<f32>, 4>;
      for (var i = 0u; i < 4u; i++) { // unrolled
        dy[i] = vec2<f32>(gradient[begin + i * targetPairs]);
      }
      let seen = windowOf(window, j);
      for (var tap = 0u; tap < TAP_ROWS; tap++) { // unrolled
        for (var term = 0u; term < ROW_TERMS; term++) { // unrolled
          var sum = sums[tap * ROW_TERMS + term];
          for (var i = 0u; i < 4u; i++) { // unrolled
            let value = SHIFT + i * CHANNELS + term;
            sum += dy[i] * seen[tap][value / 4u][value % 4u];
          }
          sums[tap * ROW_TERMS + term] = sum;
        }
      }
    }
  }

  if (pair >= targetPairs) {
    return;
  }
  // By turns of CHANNELS: every store that is written out takes long to compile.
  for (var term = 0u; term < TERMS; term += CHANNELS) {
    for (var i = 0u; i < CHANNELS; i++) { // unrolled
      result[(split * TERMS + term + i) * targetPairs + pair] = sums[i];
    }
    for (var i = CHANNELS; i < TERMS; i++) { // unrolled
      sums[i - CHANNELS] = sums[i];
    }
  }
}
