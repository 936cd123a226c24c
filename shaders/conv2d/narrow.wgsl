// import conv2d/narrow-strip.wgsl
// import conv2d/params.wgsl

// Convolution between few channels. Injected besides: STRIPS (a workgroup's), ACCUMULATE (whether to add to what the result holds).

@group(0) @binding(1) var<storage, read> weight: array<S>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<S>;
@group(0) @binding(4) var<uniform> params: Params;

// The weights of a target channel by tap row, tap column and quad of source channels.
fn weightsOf(channel: u32) -> array<vec4<f32>, TERM_QUADS> {
  var weights: array<vec4<f32>, TERM_QUADS>;
  for (var i = 0u; i < TERM_QUADS; i++) {
    let tap = i / QUADS;
    let place = params.weightOrigin + tap / TAP_COLUMNS * u32(params.weightY) + tap % TAP_COLUMNS * u32(params.weightX);
    let first = place + channel * params.weightTarget + i % QUADS * 4u * params.weightSource;
    weights[i] = vec4<f32>(
      f32(weight[first]),
      f32(weight[first + params.weightSource]),
      f32(weight[first + 2u * params.weightSource]),
      f32(weight[first + 3u * params.weightSource]),
    );
  }
  return weights;
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let targetGroups = (params.targetChannels + LANES - 1u) / LANES;
  let at = group.y * groups.x + group.x;
  let channel = at % targetGroups * LANES + lane;
  let lastChannel = min(channel, params.targetChannels - 1u);
  let weights = weightsOf(lastChannel);
  var shift = 0f;
  if (params.hasBias != 0u) {
    shift = bias[lastChannel];
  }

  let first = at / targetGroups * STRIPS;
  let last = min(first + STRIPS, params.batch * stripsOfImage());
  for (var s = first; s < last; s++) {
    let strip = stripAt(s);
    var window = windowAbove(strip, lane);
    for (var y = 0u; y < params.rows; y++) {
      window = windowAt(strip, y, window, lane);
      var sums: array<f32, SPAN>;
      for (var i = 0u; i < SPAN; i++) { // unrolled
        sums[i] = shift;
      }
      for (var tapRow = 0u; tapRow < TAP_ROWS; tapRow++) { // unrolled
        let pixels = pixelsOf(window[tapRow]);
        for (var quad = 0u; quad < SEEN_QUADS; quad++) { // unrolled
          let w = weights[tapRow * SEEN_QUADS + quad];
          for (var i = 0u; i < SPAN; i++) { // unrolled
            sums[i] += dot(w, pixels[i * QUADS + quad]);
          }
        }
      }

      // A copy, since a loop indexes it.
      var results: array<f32, SPAN>;
      for (var i = 0u; i < SPAN; i++) { // unrolled
        results[i] = sums[i];
      }
      let line = strip.image * params.targetHeight + y * params.targetStepY + params.targetY;
      let place = line * params.targetWidth + strip.column * params.targetStepX + params.targetX;
      if (channel < params.targetChannels) {
        for (var i = 0u; i < SPAN && strip.column + i < params.columns; i++) {
          let to = (place + i * params.targetStepX) * params.targetChannels + channel;
          if (ACCUMULATE) {
            results[i] += f32(result[to]);
          }
          result[to] = S(results[i]);
        }
      }
    }
  }
}
